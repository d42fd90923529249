/**
 * Measures the time that the demo takes from the command to its first measured trial and to its end, on a home folder
 * of its own. `npx tsx bench/demo.ts` prints a table on stderr and JSON (assay.bench.demo/1) on stdout.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ENDED =
  /^t(\d{5}) \S+ (keep|discard|disqualified|size_blocked|\w+_overrun|\w*crash|duplicate|violation|cancelled)\b/;

interface Result {
  exitCode: number | null;
  firstMeasuredS: number | null;
  totalS: number;
  trials: number;
  start: number | null;
  best: number | null;
  /** Result of the audit at its end; null where there is none. */
  audit: string | null;
}

async function runDemo(): Promise<Result> {
  const home = await mkdtemp(join(tmpdir(), 'assay-bench-'));
  const bin = fileURLToPath(new URL('../bin/assay.js', import.meta.url));
  const began = performance.now();
  const seconds = (): number => Number(((performance.now() - began) / 1000).toFixed(1));
  const child = spawn(process.execPath, [bin, 'demo', ...process.argv.slice(2)], {
    env: { ...process.env, ASSAY_HOME: home, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Set<string>();
  let firstMeasuredS: number | null = null;
  let output = '';
  const read = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const line of chunk.toString().split('\n')) {
      const trial = ENDED.exec(line)?.[1];
      if (trial === undefined) continue;
      firstMeasuredS ??= seconds();
      if (trial !== '00000') ended.add(trial);
    }
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const exitCode = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [, start, best] = /^start ([\d.]+), best ([\d.]+)/m.exec(output) ?? [];
  const audit = /^audit of (.+)$/m.exec(output)?.[1] ?? null;
  await rm(home, { recursive: true, force: true });
  return {
    exitCode,
    firstMeasuredS,
    totalS: seconds(),
    trials: ended.size,
    start: start === undefined ? null : Number(start),
    best: best === undefined ? null : Number(best),
    audit,
  };
}

const result = await runDemo();
process.stderr.write(
  `${[
    `exit code             ${result.exitCode ?? 'signal'}`,
    `first measured trial  ${result.firstMeasuredS ?? '-'} s (aim: 90 s)`,
    `whole demo            ${result.totalS} s (aim: 240 s)`,
    `counted trials        ${result.trials}`,
    `start, best           ${result.start ?? '-'}, ${result.best ?? '-'} bits/byte`,
    `audit                 ${result.audit ?? '-'}`,
  ].join('\n')}\n`,
);
process.stdout.write(
  `${JSON.stringify({ schema: 'assay.bench.demo/1', cores: cpus().length, ...result })}\n`,
);
