/**
 * Measures what commands cost: the user and system seconds of short commands as multiples of `node -e 0`, in the same run.
 * `npx tsx bench/cli.ts [--repetitions 9]` prints a table on stderr and JSON (assay.bench.cli/1) on stdout.
 * Servers, workers and a campaign of one trial are started in a home folder of their own, and idle while it measures.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ASSAY = join(ROOT, 'bin/assay.js');
const CAMPAIGN = 'quick';
const READY_MS = 600_000;

/** Commands and the most that each may cost, as a multiple of the first. */
const COMMANDS: { line: string[]; aim?: number }[] = [
  { line: ['node', '-e', '0'] },
  { line: ['node', 'bin/assay.js', '--version'], aim: 3 },
  { line: ['node', 'bin/assay.js', '--help'], aim: 3 },
  { line: ['node', 'bin/assay.js', 'status', '--help'], aim: 3 },
  { line: ['npx', 'assay', '--help'] },
  { line: ['node', 'bin/assay.js', 'status', CAMPAIGN], aim: 10 },
  { line: ['node', 'bin/assay.js', 'show', `${CAMPAIGN}/t00000`], aim: 10 },
];

interface Ended {
  exitCode: number;
  cpuSeconds: number;
}

async function outputOf(child: ChildProcess): Promise<{ exitCode: number; stderr: string }> {
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, 'close');
  return { exitCode: child.exitCode ?? 1, stderr };
}

/** The shell counts what the command and all that it waited for have used. */
async function timed(line: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1';
  const child = spawn('bash', ['-c', script, 'bash', ...line], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const { exitCode, stderr } = await outputOf(child);
  const [user = NaN, system = NaN] = stderr.trim().split(' ').map(Number);
  return { exitCode, cpuSeconds: user + system };
}

async function assay(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(process.execPath, [ASSAY, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  return (await outputOf(child)).exitCode;
}

async function untilDone(what: string, isDone: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + READY_MS;
  while (!(await isDone())) {
    if (performance.now() > until) throw new Error(`${what} took longer than ${READY_MS / 1000} s`);
    await sleep(500);
  }
}

/** Servers and workers with one small campaign that has ended; they idle from then on. */
async function startServers(env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const dev = spawn(process.execPath, [ASSAY, 'dev'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  dev.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await untilDone('the start of the servers', async () => {
    if (dev.exitCode !== null) throw new Error(`assay dev ended with ${dev.exitCode}: ${said}`);
    return Promise.resolve(said.includes('workers:'));
  });
  const args = ['--name', CAMPAIGN, '--trials', '1', '--train-seconds', '1', '--claim-runs', '0'];
  const started = await assay(['start', '--task', 'byte-golf', ...args], env);
  if (started !== 0) throw new Error(`assay start ended with ${started}`);
  await assay(['watch', CAMPAIGN, '--json'], env);
  return dev;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** The commands take turns, so that a busy moment of the machine falls on all of them. */
async function measured(repetitions: number, env: NodeJS.ProcessEnv): Promise<number[][]> {
  const seconds: number[][] = COMMANDS.map(() => []);
  for (let turn = -1; turn < repetitions; turn += 1)
    for (const [index, { line }] of COMMANDS.entries()) {
      const { exitCode, cpuSeconds } = await timed(line, env);
      if (exitCode !== 0) throw new Error(`${line.join(' ')} ended with ${exitCode}`);
      // the first turn fills caches of files
      if (turn >= 0) seconds[index]?.push(cpuSeconds);
    }
  return seconds;
}

const { values } = parseArgs({ options: { repetitions: { type: 'string', default: '9' } } });
const home = await mkdtemp(join(tmpdir(), 'assay-bench-'));
const env = { ...process.env, ASSAY_HOME: home, NO_COLOR: '1' };
let dev: ChildProcess | null = null;
try {
  dev = await startServers(env);
  const seconds = await measured(Number(values.repetitions), env);
  const unit = median(seconds[0] ?? []);
  const rows = COMMANDS.map(({ line, aim }, index) => {
    const cpuSeconds = median(seconds[index] ?? []);
    return {
      command: line.join(' '),
      cpuSeconds,
      ratio: Number((cpuSeconds / unit).toFixed(2)),
      aim: aim ?? null,
    };
  });
  for (const { command, cpuSeconds, ratio, aim } of rows)
    process.stderr.write(
      `${command.padEnd(36)} ${cpuSeconds.toFixed(3)} s  × ${ratio.toFixed(1)}${aim === null ? '' : ` (aim: ${aim})`}\n`,
    );
  process.stdout.write(`${JSON.stringify({ schema: 'assay.bench.cli/1', cores: cpus().length, rows })}\n`);
} finally {
  if (dev !== null && dev.exitCode === null) {
    dev.kill('SIGINT');
    await once(dev, 'close');
  }
  await rm(home, { recursive: true, force: true });
}
