import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RunResult } from '../../src/sandbox/run.js';
import { HostDevices } from '../../src/devices/host-devices.js';
import { SimulatedProvider } from '../../src/devices/simulated/provider.js';
import type { DeviceLease } from '../../src/devices/device-lease.js';
import { parseTask } from '../../src/tasks/load.js';
import { TINY } from '../fixtures/tiny.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { requireDevices } from '../../src/measure/load-trial.js';
import { thisMachine } from '../../src/sandbox/host/machine.js';
import { requireSteady } from '../../src/measure/phases/baseline-timing.js';
import { GIB, occupy, simulatedHost, type SimulatedTestHost } from './simulated-host.js';

/** A task that compares times. */
const TIMED = parseTask(
  readFileSync(join(TINY, 'task.yaml'), 'utf8')
    .replace(
      /^metric: .*$/m,
      'metric: { name: train_s, unit: s, direction: minimize }\ndecision_metric: train_ratio',
    )
    .replace(/^replicate: .*$/m, ''),
  'task.yaml',
);

let at: SimulatedTestHost;
beforeEach(async () => {
  at = await simulatedHost(3);
});
afterEach(() => at.stop());

const signal = new AbortController().signal;
const lease = <T>(slots: number, fn: (held: DeviceLease) => Promise<T>, host = at.host): Promise<T> =>
  host.withLease({ slots, signal, what: 'a test' }, fn);
const uuids = ({ devices }: DeviceLease): string[] => devices.map(({ uuid }) => uuid);
const reasons = async (): Promise<(string | null)[]> =>
  (await at.host.report()).map(({ quarantined }) => quarantined?.reason ?? null);

/** A run that answers as soon as its body has ended. */
async function ran(held: DeviceLease, body: () => Promise<void>): Promise<RunResult> {
  const sandbox = await openSandbox({ tier: 'E' });
  const watched = held.watched({
    isolation: sandbox.isolation,
    serve: (request) => sandbox.serve(request),
    run: async (request) => {
      await body();
      return sandbox.run(request);
    },
  });
  const limits = { wallS: 20, memoryBytes: GIB, diskBytes: 0, logBytes: 4096, processes: 8 };
  return watched.run({
    ...{ id: `t/${Math.random()}`, command: 'sleep 0.4', cwd: '/', writable: [], readable: [] },
    ...{ env: { PATH: '/usr/bin:/bin' }, limits, signal, devices: held.accessTo(held.devices.length) },
  });
}

it('a task of other accelerators is left to other hosts, which is said', () => {
  const on = {
    host: { name: 'rex', machine: thisMachine(), worker: '', process: '', work: '' },
    devices: at.host,
  };
  const asking = (more: object) => ({ ...TIMED, resources: { ...TIMED.resources, gpus: 1, ...more } });
  expect(() => requireDevices(asking({ gpu_kind: 'simulated' }), 'train', on)).not.toThrow();
  expect(() => requireDevices(asking({ gpu_kind: 'H100' }), 'train', on)).toThrow(
    /^rex leaves the work: its accelerators are .*, and task "tiny" asks for H100/,
  );
  expect(() => requireDevices(asking({ gpu_memory_mb: 2048 }), 'train', on)).toThrow(
    /have 1024 MiB of memory/,
  );
});

it('a lease names devices that no other lease has, in this process and in another', async () => {
  const other = await at.again();
  const seen = await lease(2, async (first) => {
    const second = await lease(1, (held) => Promise.resolve(uuids(held)), other);
    expect((await at.host.report()).map(({ heldFor }) => heldFor)).toEqual(['a test', 'a test', null]);
    return [...uuids(first), ...second];
  });
  expect(seen).toEqual(['SIM-0', 'SIM-1', 'SIM-2']);
  expect(await reasons()).toEqual([null, null, null]);
});

it('a device that a foreign process is on gets no work until that is gone', async () => {
  const foreign = await occupy(at.sockets, 0, 'somebody', GIB / 2);
  expect(await lease(1, (held) => Promise.resolve(uuids(held)))).toEqual(['SIM-1']);
  expect(await reasons()).toEqual(['on it is an unnamed process', null, null]);
  expect(await at.host.reexamine()).toEqual([]);
  foreign.destroy();
  await once(foreign, 'close');
  await expect.poll(async () => (await at.host.reexamine()).map(({ uuid }) => uuid)).toEqual(['SIM-0']);
  expect(await lease(1, (held) => Promise.resolve(uuids(held)))).toEqual(['SIM-0']);
});

it('a device whose memory does not come back after a run is put away, and the result of the run stands', async () => {
  at.daemon.set(0, 'leak', true);
  const result = await lease(1, (held) =>
    ran(held, async () => {
      const socket = await occupy(at.sockets, 0, 'run', GIB / 4);
      socket.destroy();
      await once(socket, 'close');
    }),
  );
  expect(result.ending).toEqual({ kind: 'exited', code: 0 });
  expect(result.deviceUse).toMatchObject([{ uuid: 'SIM-0', peakMemoryBytes: GIB / 4, throttled: [] }]);
  expect((await reasons())[0]).toMatch(/^1\.5 s after its run: 268435456 of its 1073741824 bytes are in use/);
  expect(await lease(2, (held) => Promise.resolve(uuids(held)))).toEqual(['SIM-1', 'SIM-2']);
  at.daemon.set(0, 'leak', false);
  expect((await at.host.reexamine()).map(({ uuid }) => uuid)).toEqual(['SIM-0']);
});

it('a further run of a lease whose device was put away is not started', async () => {
  at.daemon.set(0, 'leak', true);
  const second = lease(1, async (held) => {
    await ran(held, async () => {
      (await occupy(at.sockets, 0, 'run', GIB / 4)).destroy();
    });
    return ran(held, () => Promise.resolve());
  });
  await expect(second).rejects.toMatchObject({ code: 'DEVICE_FAULT' });
});

it.each([
  ['lost', /failed during the run: it is lost/],
  ['memory_errors', /failed during the run: its memory had 1 new errors/],
] as const)(
  'a run during which a device is %s is not believed, and the device put away',
  async (fault, words) => {
    const failed = lease(2, (held) =>
      ran(held, () => {
        at.daemon.set(1, fault, true);
        return Promise.resolve();
      }),
    );
    await expect(failed).rejects.toMatchObject({ code: 'DEVICE_FAULT' });
    await expect(failed).rejects.toThrow(words);
    expect((await reasons()).map((reason) => reason !== null)).toEqual([false, true, false]);
    expect(await lease(2, (held) => Promise.resolve(uuids(held)))).toEqual(['SIM-0', 'SIM-2']);
    at.daemon.set(1, fault, false);
    expect((await at.host.reexamine()).map(({ uuid }) => uuid)).toEqual(['SIM-1']);
  },
);

it('a run on a device that slows itself down says so, with what was seen of it', async () => {
  at.daemon.set(0, 'throttle', true);
  const { deviceUse } = await lease(1, (held) => ran(held, () => Promise.resolve()));
  expect(deviceUse).toMatchObject([
    { throttled: ['hardware thermal slowdown'], clockMhz: { least: 500, mean: 500 }, utilisation: 0 },
  ]);
  expect(deviceUse?.[0]?.samples.length).toBeGreaterThan(0);
});

it('pools of one host exclude each other by the device, whichever number it has in a process', async () => {
  const devices = await new SimulatedProvider(at.sockets).discover();
  const provider = new SimulatedProvider(at.sockets);
  provider.discover = () => Promise.resolve(devices.slice(1));
  const other = await HostDevices.open(provider, { pool: 'other', folder: at.host.leases.folder });
  const seen = await lease(2, async (first) => {
    const second = await lease(1, (held) => Promise.resolve(uuids(held)), other);
    return [...uuids(first), ...second];
  });
  expect(new Set(seen).size).toBe(3);
});

it('errors of its memory keep a device away though a worker starts later that has seen no fewer', async () => {
  const failed = lease(1, (held) =>
    ran(held, () => {
      at.daemon.set(0, 'memory_errors', true);
      return Promise.resolve();
    }),
  );
  await expect(failed).rejects.toMatchObject({ code: 'DEVICE_FAULT' });
  const later = await at.again();
  expect(await later.reexamine()).toEqual([]);
  at.daemon.set(0, 'memory_errors', false);
  expect((await later.reexamine()).map(({ uuid }) => uuid)).toEqual(['SIM-0']);
});

it('a driver that fails for a moment costs no run its result', async () => {
  const provider = new SimulatedProvider(at.sockets);
  const host = await HostDevices.open(provider, { pool: 'gpu', folder: at.host.leases.folder });
  const look = provider.look.bind(provider);
  let failures = 0;
  const result = await lease(
    1,
    (held) =>
      ran(held, () => {
        provider.look = () => {
          failures += 1;
          return failures < 4 ? Promise.reject(new Error('no answer')) : look();
        };
        return Promise.resolve();
      }),
    host,
  );
  expect(failures).toBeGreaterThan(3);
  expect(result.ending).toEqual({ kind: 'exited', code: 0 });
  expect(await reasons()).toEqual([null, null, null]);
});

it('a time that was measured on a device that slowed itself down is void, and the device cools down', async () => {
  at.daemon.set(0, 'throttle', true);
  const timed = lease(1, async (held) =>
    requireSteady(TIMED, await ran(held, () => Promise.resolve()), held),
  );
  await expect(timed).rejects.toMatchObject({ code: 'DEVICE_THROTTLED' });
  expect(await at.host.reexamine()).toEqual([]);
  expect(await lease(1, (held) => Promise.resolve(uuids(held)))).toEqual(['SIM-1']);
  at.daemon.set(0, 'throttle', false);
  expect((await at.host.reexamine()).map(({ uuid }) => uuid)).toEqual(['SIM-0']);
});

it.each([
  ['in the warm-up only', true, []],
  ['in the time that counts only', false, ['hardware thermal slowdown']],
])('a device that slows itself down %s', async (_, isInWarmUp, inTime) => {
  const look = vi.spyOn(SimulatedProvider.prototype, 'look');
  const { deviceUse } = await lease(1, async (held) => {
    const sandbox = await openSandbox({ tier: 'E' });
    const { isolation } = sandbox;
    const slow = async (isSlow: boolean) => {
      at.daemon.set(0, 'throttle', isSlow);
      const looks = look.mock.calls.length;
      await expect.poll(() => look.mock.calls.length, { timeout: 10_000 }).toBeGreaterThan(looks + 2);
    };
    const watched = held.watched({
      ...{ isolation, serve: (request) => sandbox.serve(request) },
      run: async ({ warmupS: _warmupS, onReady, ...request }) => {
        await slow(isInWarmUp);
        at.daemon.set(0, 'throttle', false);
        onReady?.();
        await slow(!isInWarmUp);
        return sandbox.run(request);
      },
    });
    const limits = { wallS: 20, memoryBytes: GIB, diskBytes: 0, logBytes: 4096, processes: 8 };
    const result = await watched.run({
      ...{ id: `t/${Math.random()}`, command: 'true', cwd: '/', writable: [], readable: [], warmupS: 20 },
      ...{ env: { PATH: '/usr/bin:/bin' }, limits, signal, devices: held.accessTo(1) },
    });
    const steady = requireSteady(TIMED, result, held);
    await (isInWarmUp ? steady : expect(steady).rejects.toMatchObject({ code: 'DEVICE_THROTTLED' }));
    return result;
  });
  expect(deviceUse).toMatchObject([{ throttled: ['hardware thermal slowdown'], throttledInTime: inTime }]);
});

it('a lease waits while all its devices are put away, and says why', async () => {
  for (const index of [0, 1, 2]) at.daemon.set(index, 'lost', true);
  const waits: string[] = [];
  const impatient = new AbortController();
  const asked = at.host.withLease(
    { slots: 1, signal: impatient.signal, what: 'a test', onWait: (why) => waits.push(why) },
    (held) => Promise.resolve(uuids(held)),
  );
  await expect.poll(() => waits.length, { timeout: 20_000 }).toBeGreaterThan(0);
  expect(waits.at(-1)).toContain('slot 0 gets no work (it is lost');
  at.daemon.set(2, 'lost', false);
  await at.host.reexamine();
  expect(await asked).toEqual(['SIM-2']);
  impatient.abort();
});

it('a host whose devices differ is refused, since measurements of one pool are compared', async () => {
  const mixed = new SimulatedProvider(at.sockets);
  const [one, ...others] = await mixed.discover();
  if (one === undefined) throw new Error('there is no device');
  mixed.discover = () => Promise.resolve([{ ...one, name: 'another model' }, ...others]);
  await expect(HostDevices.open(mixed, { pool: 'gpu', folder: at.sockets })).rejects.toMatchObject({
    code: 'DEVICE_FAULT',
    message: expect.stringMatching(
      /^this host has accelerators of several models: .*another model/,
    ) as unknown,
    remedy: expect.stringContaining('a pool of its own in place of gpu') as unknown,
  });
});
