import { ApplicationFailure } from '@temporalio/common';
import { beforeEach, expect, it } from 'vitest';
import { AssayError } from '../../src/domain/errors.js';
import type { HostDocument } from '../../src/lineage/documents/host.js';
import { HostHealth } from '../../src/sandbox/host/host-health.js';
import { Gate } from '../../workers/gate.js';
import { MACHINE } from '../builders/machine.js';
import { HostWatch } from '../../workers/host-watch.js';

/** Fault that the only check of the host reports. */
let wrong: string | null;
let looks: number;
let gate: Gate;
let watch: HostWatch;
let reports: HostDocument[];
let said: string[];
beforeEach(() => {
  [wrong, looks, reports, said] = [null, 0, [], []];
  gate = new Gate();
  const look = (): Promise<string | null> => {
    looks += 1;
    return Promise.resolve(wrong);
  };
  const hosts = {
    report: (host: HostDocument) => Promise.resolve(void reports.push(host)),
    leave: (id: string) => {
      reports = reports.filter(({ _id }) => _id !== id);
      return Promise.resolve();
    },
  };
  const reporter = {
    host: 'h',
    pool: 'cpu',
    roles: ['trainer'],
    devices: null,
    machine: MACHINE,
    tier: 'B' as const,
    kept: null,
  };
  watch = new HostWatch(new HostHealth([{ look }]), gate, hosts, reporter, (line) => said.push(line));
});

/** Runs an activity under the watch; returns the error that it threw. */
async function thrown(activity: () => Promise<unknown>): Promise<unknown> {
  const { execute } = watch.interceptor()().inbound;
  if (execute === undefined) throw new Error('nothing is intercepted');
  return execute({ args: [], headers: {} }, activity).then(
    () => null,
    (error: unknown) => error,
  );
}

it('lets a worker poll while its host is well, and reports it', async () => {
  await watch.start();
  expect([gate.closed, said]).toEqual([null, []]);
  expect(reports).toMatchObject([{ _id: 'h/cpu/trainer', healthy: true, why: null, machine: MACHINE }]);
  await watch.stop();
  expect(reports).toEqual([]);
});

it('closes the gate when the host is not well, says so once, and opens it again', async () => {
  wrong = 'the disk is full';
  await watch.look();
  await watch.look();
  expect(gate.closed).toBe('the disk is full');
  expect(said).toEqual([expect.stringMatching(/: the disk is full$/)]);
  wrong = null;
  await watch.look();
  expect(gate.closed).toBeNull();
  expect(said).toHaveLength(2);
  expect(reports.map(({ healthy }) => healthy)).toEqual([false, true]);
});

it('refuses what an earlier poll still brings, so that another host may take it', async () => {
  gate.set('the disk is full');
  const failure = await thrown(() => Promise.resolve('done'));
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toMatchObject({ type: 'HOST_FAULT', nextRetryDelay: 1000, nonRetryable: false });
});

it('looks again after a fault of the host, and calls a full disk one', async () => {
  wrong = 'the disk is full';
  const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  expect(await thrown(() => Promise.reject(full))).toMatchObject({ code: 'HOST_FAULT' });
  expect([looks, gate.closed]).toEqual([1, 'the disk is full']);
});

it.each([
  ['a fault of the recipe', new AssayError('RECIPE_INVALID', 'x')],
  ['a missing file', Object.assign(new Error('x'), { code: 'ENOENT' })],
])('does not look for %s', async (_what, error) => {
  expect(await thrown(() => Promise.reject(error))).toBe(error);
  expect(looks).toBe(0);
});
