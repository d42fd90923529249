import { execa } from 'execa';
import { z } from 'zod';

const MIB = 1024 * 1024;
const ASK = ['--query-compute-apps=pid,used_gpu_memory', '--format=csv,noheader,nounits'];
const ANSWERS_WITHIN_MS = 10_000;

const exitSchema = z.looseObject({ code: z.string().optional(), shortMessage: z.string().optional() });

/**
 * Reads the bytes of accelerator memory that each process of this host holds, by process id; a string says why they
 * are unknown. Only NVIDIA's are asked. A process that holds memory of which the driver does not report the amount
 * has 0.
 */
export async function acceleratorMemory(): Promise<ReadonlyMap<number, number> | string> {
  const answer = await execa('nvidia-smi', ASK, { reject: false, timeout: ANSWERS_WITHIN_MS });
  if (answer.failed) {
    const { code, shortMessage } = exitSchema.parse(answer);
    return code === 'ENOENT' ? 'there is no nvidia-smi on this host' : (shortMessage ?? 'nvidia-smi failed');
  }
  return memoryByProcess(answer.stdout);
}

/** The answer of nvidia-smi: `PID, MIB` a line, one for each device; `[N/A]` where the driver does not say. */
export function memoryByProcess(lines: string): Map<number, number> {
  const held = new Map<number, number>();
  for (const line of lines.split('\n')) {
    const [, pid, mebibytes] = /^\s*(\d+)\s*,\s*(\d+|\S+)/.exec(line) ?? [];
    if (pid === undefined) continue;
    const bytes = Number(mebibytes) * MIB;
    held.set(Number(pid), (held.get(Number(pid)) ?? 0) + (Number.isFinite(bytes) ? bytes : 0));
  }
  return held;
}
