import { describe, expect, it } from 'vitest';
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
