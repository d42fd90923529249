import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HostSpeed } from '../../src/sandbox/host/host-speed.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { pythonCommand, requestFor, TIERS } from './programs.js';
import { lacks } from '../lacks.js';

const monotonic = (): number => Number(process.hrtime.bigint()) / 1e9;

const isForeign = lacks(process.platform !== 'linux', 'the speed of a host, which only Linux tells');
describe.each(TIERS)('at tier %s', (tier) => {
  it('a run finds when its time began, by the clock that it reads itself', async () => {
    const code = 'import os, time; print(os.environ["BEGAN"], time.monotonic())';
    const before = monotonic();
    const request = { ...requestFor(pythonCommand(code)), startVariable: 'BEGAN' };
    const { log } = await (await openSandbox({ tier })).run(request);
    const [began = NaN, now = NaN] = log.trim().split(' ').map(Number);
    expect(before).toBeLessThanOrEqual(began + 1e-6);
    expect(began).toBeLessThanOrEqual(now);
    expect(now).toBeLessThanOrEqual(monotonic());
  });

  it.skipIf(isForeign)('the speed of the host is known of what ran, and not of what slept', async () => {
    const sandbox = await openSandbox({ tier });
    const busy = 'import time\nwhile time.process_time() < 1: pass';
    const { hostSpeed } = await sandbox.run(requestFor(pythonCommand(busy)));
    expect(hostSpeed).toBeGreaterThan(0);
    expect(hostSpeed).toBeLessThanOrEqual(1);
    const slept = await sandbox.run(requestFor('sleep 0.5'));
    expect(slept.hostSpeed).toBeNull();
  });

  it.skipIf(isForeign)('processes that share one core are slow', async () => {
    const busy =
      'import os, time\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\nos.fork(); os.fork()\nwhile time.process_time() < 0.5: pass\ntry:\n while True: os.wait()\nexcept ChildProcessError: pass';
    const { hostSpeed } = await (await openSandbox({ tier })).run(requestFor(pythonCommand(busy)));
    expect(hostSpeed).toBeLessThan(0.75);
  });
});

const WAITS_THEN_RUNS = `
import os, time
cpus = os.sched_getaffinity(0)
def used(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until: pass
os.sched_setaffinity(0, {min(cpus)})
child = os.fork()
used(0.5)
if child == 0: os._exit(0)
os.wait()
os.sched_setaffinity(0, cpus)
os.write(int(os.environ['ASSAY_SIGNAL_FD']), b'ready\\n')
os.read(int(os.environ['ASSAY_GO_FD']), 10)
time.sleep(0.5)
`;

it.skipIf(isForeign)('what waited in the warm-up is not in the speed of what is timed', async () => {
  const sandbox = await openSandbox();
  const signals = [{ word: 'ready' as const, show: () => Promise.resolve() }];
  let begun = 0;
  const { hostSpeed, cpuS } = await sandbox.run({
    ...requestFor(pythonCommand(WAITS_THEN_RUNS)),
    ...{ signals, warmupS: 60, onReady: () => (begun += 1) },
  });
  // it slept for what was timed
  expect(hostSpeed).toBeNull();
  expect(cpuS).toBeGreaterThan(0.5);
  expect(begun).toBe(1);
});

/** No process has a number this large. */
const NOBODY = 2 ** 40;
const rowOf = (start: number, cpuS: number) => ({
  ...{ pid: NOBODY, parent: 1, group: 1, start: String(start), rssBytes: 0, cpuS, zombie: false },
});

it('what each process used counts once, of those that ended and those that a look missed', () => {
  const lives = fc.array(
    fc.record({ begin: fc.nat(10), looks: fc.integer({ min: 1, max: 6 }), missed: fc.nat(6) }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(lives, (processes) => {
      const speed = new HostSpeed();
      for (let look = 0; look < 17; look += 1)
        speed.look(
          processes.flatMap(({ begin, looks, missed }, i) => {
            const age = look - begin;
            // it was there before and is there again
            const isMissed = age === missed && age > 0 && age < looks - 1;
            return age < 0 || age >= looks || isMissed ? [] : [rowOf(i, age + 1)];
          }),
        );
      const used = processes.reduce((sum, { looks }) => sum + looks, 0);
      expect(speed.cpuS()).toBe(processes.length === 0 ? null : used);
    }),
  );
});
