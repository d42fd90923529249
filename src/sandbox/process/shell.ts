import type { Limits } from '../run.js';
import type { Launch } from '../tiers/launch.js';

const BLOCK = 512;
const MEBIBYTE = 1024 * 1024;

/** The largest file that the rlimit lets a run write; it counts in whole blocks. */
export function largestFile(limits: Limits): number {
  return Math.max(1, Math.floor(limits.diskBytes / BLOCK)) * BLOCK;
}

/**
 * The script for `sh -c`: rlimits first, then the command. The limit on data is a backstop behind the watchdog,
 * with room because BLAS reserves more than it touches; a limit on the address space would break CUDA and threads.
 * `threads` bounds processes and threads where that limit binds (null: it does not, or counts others' too).
 */
export function limited(
  command: string,
  limits: Limits,
  stderr: 'joined' | 'apart',
  threads: number | null,
): string {
  const kilobytes = Math.ceil((2 * limits.memoryBytes + 1024 * MEBIBYTE) / 1024);
  const lines = [
    // before its first child; at tier C /proc is read-only and the harness does it from outside
    '{ echo 1000 > /proc/$$/oom_score_adj; } 2>/dev/null',
    'ulimit -c 0 2>/dev/null',
    `ulimit -f ${largestFile(limits) / BLOCK} 2>/dev/null`,
    `ulimit -d ${kilobytes} 2>/dev/null`,
    // an accelerator reads only memory that stays in its place
    '{ ulimit -l unlimited || ulimit -S -l "$(ulimit -H -l)"; } 2>/dev/null',
  ];
  // dash calls it -p, bash -u
  if (threads !== null) lines.push(`ulimit -p ${threads} 2>/dev/null || ulimit -u ${threads} 2>/dev/null`);
  if (stderr === 'joined') lines.push('exec 2>&1');
  return `${lines.join('\n')}\n${command}`;
}

/** A launch whose processes may lock as much memory as they may have; a worker that is not root cannot allow more. */
export function withLockedMemory(launch: Launch): Launch {
  if (process.getuid?.() !== 0) return launch;
  const script = 'ulimit -l unlimited 2>/dev/null\nexec "$@"';
  return { ...launch, file: '/bin/sh', args: ['-c', script, 'sh', launch.file, ...launch.args] };
}
