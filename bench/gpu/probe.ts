/**
 * Tries what holds on this machine with its accelerators; run by bench/gpu.sh. Prints JSON (assay.bench.gpu/1): each step with
 * what it found, or the reason why it could not be done.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DeviceLease } from '../../src/devices/device-lease.js';
import type { HostDevices } from '../../src/devices/host-devices.js';
import { openDevices } from '../../src/devices/open-devices.js';
import { SimulatedDevices } from '../../src/devices/simulated/daemon.js';
import { messageOf } from '../../src/domain/errors.js';
import { checkTask } from '../../src/measure/check-task.js';
import type { RunRequest, Sandbox } from '../../src/sandbox/run.js';
import { openSandbox, surveyTiers } from '../../src/sandbox/sandbox.js';
import { loadTask } from '../../src/tasks/load.js';
import { findPython } from '../../src/tasks/python.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const GIB = 2 ** 30;
const never = new AbortController().signal;
const results: Record<string, unknown> = { schema: 'assay.bench.gpu/1', kernel: release() };

/** Runs a step; one that fails says why, and the others go on. */
async function step(name: string, work: () => Promise<unknown>): Promise<void> {
  const began = performance.now();
  const found = await work().catch((error: unknown) => ({ failed: messageOf(error) }));
  results[name] = { found, seconds: Number(((performance.now() - began) / 1000).toFixed(2)) };
  process.stderr.write(`${name}: ${JSON.stringify(results[name])}\n`);
}

const folder = await mkdtemp(join(tmpdir(), 'gpu-probe-'));
await chmod(folder, 0o755);
const simulated = process.argv.includes('--simulated')
  ? await SimulatedDevices.start({ folder: join(folder, 's'), count: 1, memoryBytes: GIB })
  : null;
if (simulated !== null) process.env['ASSAY_DEVICES'] = `simulated:${join(folder, 's')}`;

const python = await findPython(folder, null, never);
const needed = (): Promise<string[]> => Promise.resolve([HERE, folder, ...python.folders]);

const request = (args: string, signal: AbortSignal, lease: DeviceLease): RunRequest => ({
  id: `probe/${Math.random()}`,
  command: `exec ${python.executable} ${join(HERE, 'kernel.py')} ${args}`,
  cwd: '/',
  writable: [],
  readable: [HERE, ...python.folders],
  env: { PATH: '/usr/bin:/bin' },
  limits: {
    wallS: 60,
    memoryBytes: 64 * GIB,
    diskBytes: 0,
    logBytes: 65_536,
    processes: 256,
    sharedBytes: GIB,
  },
  devices: lease.accessTo(1),
  signal,
});

const held = <T>(devices: HostDevices, fn: (lease: DeviceLease) => Promise<T>): Promise<T> =>
  devices.withLease({ slots: 1, signal: never, what: 'the probe' }, fn);

/** A kernel on the device of a lease, in the sandbox. */
async function kernel(devices: HostDevices, sandbox: Sandbox): Promise<unknown> {
  return held(devices, async (lease) => {
    const { ending, log, isolation, deviceUse, peakRssBytes } = await lease
      .watched(sandbox)
      .run(request('', never, lease));
    return { ending, log: log.trim(), tier: isolation.tier, gpu: isolation.gpu, deviceUse, peakRssBytes };
  });
}

/** Memory of the device while a run holds some, and after it was killed. */
async function killed(devices: HostDevices, sandbox: Sandbox): Promise<unknown> {
  const used = async (): Promise<(number | undefined)[]> =>
    (await devices.report()).map(({ state }) => state?.usedBytes);
  return held(devices, async (lease) => {
    const before = await used();
    const kill = new AbortController();
    const run = lease.watched(sandbox).run(request('hold 60 2048', kill.signal, lease));
    await sleep(8000);
    const during = await used();
    const began = performance.now();
    kill.abort();
    const { ending, log } = await run;
    const backS = (performance.now() - began) / 1000;
    const quarantined = (await devices.report()).map((one) => one.quarantined?.reason ?? null);
    return { ending, log: log.trim(), before, during, after: await used(), backS, quarantined };
  });
}

/** A replicate of a small recipe, from training to its score, twice. */
async function replicate(): Promise<unknown> {
  const loaded = await loadTask(join(HERE, 'task'));
  const settings = { home: join(folder, 'home'), cache: folder, slots: 1, signal: never };
  const {
    tier,
    runs,
    failure,
    python: used,
  } = await checkTask(loaded, { ...settings, tell: () => undefined });
  return {
    tier,
    failure,
    python: used,
    runs: runs.map(({ trainS, metrics, feedback }) => ({ trainS, metrics, feedback })),
  };
}

try {
  await step('tiers', () => surveyTiers({ needed, all: true }));
  const sandbox = await openSandbox({ needed });
  const devices = await openDevices({ pool: 'gpu', folder: join(folder, 'leases'), env: process.env }).catch(
    (error: unknown) => messageOf(error),
  );
  if (devices === null || typeof devices === 'string')
    results['devices'] = { failed: devices ?? 'there is no nvidia-smi' };
  else {
    await step('devices', () => devices.report());
    await step('access', () => held(devices, (lease) => Promise.resolve(lease.accessTo(1))));
    await step('kernel', () => kernel(devices, sandbox));
    await step('killed', () => killed(devices, sandbox));
    await step('replicate', replicate);
  }
} finally {
  await simulated?.stop();
  await rm(folder, { recursive: true, force: true });
}
process.stdout.write(`${JSON.stringify(results, null, 1)}\n`);
process.exit(0);
