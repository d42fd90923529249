/**
 * Measures the cost of a process at each isolation tier of this machine against a plain spawn: `true` in a shell,
 * pairs interleaved in one run; and what a server with Python and numpy costs in a root of its own. `npx tsx
 * bench/sandbox.ts [PAIRS]` prints a table on stderr and JSON (assay.bench.sandbox/1) on stdout.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBubblewrap, TIER_C } from '../src/sandbox/tiers/bubblewrap.js';
import { PrivateRoots } from '../src/sandbox/private-root/roots.js';
import type { RunRequest, Sandbox, Served } from '../src/sandbox/run.js';
import { openSandbox, surveyTiers } from '../src/sandbox/sandbox.js';
import { supervise, type Supervision } from '../src/sandbox/supervision/supervise.js';
import { findPython } from '../src/tasks/python.js';
import { runtimeOf } from '../src/tasks/runtime.js';

const PAIRS = Number(process.argv[2] ?? 200);
const WARM_UP = 10;
const AIM_MS = 25;

const env = { PATH: '/usr/bin:/bin' };

async function plain(cwd: string): Promise<void> {
  const child = spawn('/bin/sh', ['-c', 'true'], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  await once(child, 'close');
}

let count = 0;

const NUMPY = fileURLToPath(new URL('../tasks/byte-golf/requirements.txt', import.meta.url));
const SERVERS = Math.max(5, Math.round(PAIRS / 5));

type Start = () => Promise<Served | Supervision>;

/** Starts a server with Python and numpy on the host's files, and in each kind of root of its own. */
async function servers(work: string): Promise<Map<string, Start>> {
  const signal = new AbortController().signal;
  const cache = join(work, 'cache');
  const python = await findPython(cache, await readFile(NUMPY, 'utf8'), signal);
  const runtime = runtimeOf({ spec: {}, python });
  const home = join(work, 'home');
  await mkdir(home);
  const limits = {
    wallS: 60,
    memoryBytes: 2 ** 30,
    diskBytes: 2 ** 24,
    logBytes: 4096,
    processes: 16,
    cpus: 1,
  };
  const request = (): RunRequest => ({
    ...{ id: `bench-${process.pid}-${(count += 1)}`, command: 'python -c "import numpy"', cwd: '/', signal },
    ...{ writable: [home], readable: [], env: { ...python.env, HOME: home }, limits },
  });
  const sandbox = await openSandbox({ cache });
  const found = await findBubblewrap();
  const starts = new Map<string, Start>([
    ['shared', () => sandbox.serve({ ...request(), readable: [...runtime.folders] })],
    ['own', () => sandbox.serve({ ...request(), runtime })],
  ]);
  if (!('bubblewrap' in found)) return starts;
  const copies = new PrivateRoots(found.bubblewrap, cache, false);
  return starts.set('own, as without root', async () => {
    const one = { ...request(), runtime };
    const made = await copies.launch(one, one.command);
    if ('why' in made) throw new Error(made.why);
    return supervise({ launch: made.launch, request: one, isolation: TIER_C, log: 'stderr', extra: 0 });
  });
}

/** Milliseconds until each kind of server has ended, by turns. */
async function serverTimes(work: string): Promise<{ root: string; ms: ReturnType<typeof spread> }[]> {
  const starts = await servers(work);
  const times = new Map([...starts.keys()].map((name) => [name, [] as number[]]));
  for (let round = -2; round < SERVERS; round += 1)
    for (const [name, start] of starts) {
      const ms = await timed(async () => {
        const { ending, log } = await (await start()).done;
        if (ending.kind !== 'exited' || ending.code !== 0)
          throw new Error(`${name}: ${JSON.stringify(ending)} ${log}`);
      });
      if (round >= 0) times.get(name)?.push(ms);
    }
  return [...times].map(([root, ms]) => ({ root, ms: spread(ms) }));
}

async function held(sandbox: Sandbox, cwd: string): Promise<void> {
  const request: RunRequest = {
    id: `bench-${process.pid}-${(count += 1)}`,
    command: 'true',
    cwd,
    writable: [cwd],
    readable: [],
    env,
    limits: { wallS: 30, memoryBytes: 2 ** 28, diskBytes: 2 ** 24, logBytes: 4096, processes: 16 },
    signal: new AbortController().signal,
  };
  const { ending } = await sandbox.run(request);
  if (ending.kind !== 'exited' || ending.code !== 0)
    throw new Error(`it ended with ${JSON.stringify(ending)}`);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Number((sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0).toFixed(2));
}

/** The fastest tenth tells what is left of it on a machine that others use as well. */
function spread(values: readonly number[]): { p10: number; median: number; p95: number } {
  return { p10: quantile(values, 0.1), median: quantile(values, 0.5), p95: quantile(values, 0.95) };
}

const work = await mkdtemp(join(tmpdir(), 'assay-bench-sandbox-'));
try {
  const found = await surveyTiers({ all: true, needed: () => Promise.resolve([tmpdir()]) });
  const sandboxes = new Map<string, Sandbox>();
  for (const { tier, why } of found) {
    if (why !== null) continue;
    // at tier D a folder belongs to the run's user afterwards
    await mkdir(join(work, tier));
    sandboxes.set(tier, await openSandbox({ tier }));
  }
  await chmod(work, 0o755);
  const times = new Map<string, { plain: number[]; held: number[] }>();
  for (let round = -WARM_UP; round < PAIRS; round += 1)
    for (const [tier, sandbox] of sandboxes) {
      const cwd = join(work, tier);
      const pair = { plain: await timed(() => plain(cwd)), held: await timed(() => held(sandbox, cwd)) };
      const kept = times.get(tier) ?? { plain: [], held: [] };
      times.set(tier, kept);
      if (round < 0) continue;
      kept.plain.push(pair.plain);
      kept.held.push(pair.held);
    }
  const tiers = [...times].map(([tier, { plain: bare, held: inside }]) => {
    const extra = inside.map((ms, index) => ms - (bare[index] ?? 0));
    return {
      tier,
      plainMs: spread(bare),
      heldMs: spread(inside),
      extraMs: spread(extra),
      ratio: Number((quantile(inside, 0.5) / quantile(bare, 0.5)).toFixed(2)),
    };
  });
  const missing = found.flatMap(({ tier, why }) => (why === null ? [] : [{ tier, why }]));
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, kernel: release() };
  const roots = await serverTimes(work);
  const [best] = tiers;
  const result = {
    schema: 'assay.bench.sandbox/1',
    pairs: PAIRS,
    machine,
    tiers,
    servers: roots,
    missing,
    best: best?.tier ?? null,
    aimMs: AIM_MS,
    // the process with everything around it, not only what is added
    met: best !== undefined && best.heldMs.median <= AIM_MS,
  };
  const cell = (value: string | number): string => String(value).padStart(12);
  const row = (values: readonly (string | number)[]): string => `${values.map(cell).join('')}\n`;
  process.stderr.write(row(['tier', 'plain ms', 'p95', 'held ms', 'p10', 'p95', 'extra ms', 'p95', 'ratio']));
  for (const { tier, plainMs, heldMs, extraMs, ratio } of tiers)
    process.stderr.write(
      row([
        tier,
        plainMs.median,
        plainMs.p95,
        heldMs.median,
        heldMs.p10,
        heldMs.p95,
        extraMs.median,
        extraMs.p95,
        ratio,
      ]),
    );
  for (const { root, ms } of roots)
    process.stderr.write(`a server with numpy, root ${root}: ${ms.median} ms (p95 ${ms.p95})\n`);
  for (const { tier, why } of missing) process.stderr.write(`tier ${tier} is not measured: ${why}\n`);
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
} finally {
  await rm(work, { recursive: true, force: true });
}
