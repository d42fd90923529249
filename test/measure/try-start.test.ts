import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { tryStart } from '../../src/measure/try-start.js';
import type { Ending, RunResult } from '../../src/sandbox/run.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { readFolder } from '../../src/tasks/folder.js';
import { parseTask } from '../../src/tasks/load.js';
import { hostContext } from '../builders/host-context.js';
import { TINY } from '../fixtures/tiny.js';

let folder: string;
let lineage: Lineage;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-try-'));
  lineage = await openLineage({ url: inject('storeUrl'), database: `try_start_${process.pid}` });
});
afterAll(async () => {
  await lineage.close();
  await rm(folder, { recursive: true, force: true });
});

const LATE: Ending = { kind: 'limit', limit: 'wall', used: 60.01, allowed: 60 };
const WELL: Ending = { kind: 'exited', code: 0 };
type End = Pick<RunResult, 'ending' | 'hostSpeed' | 'wallMs'>;
const late = (hostSpeed: number): End => ({ ending: LATE, hostSpeed, wallMs: 60_010 });

/** Measures the tiny start, compared by time, whose trainings end like this, one after the other. */
async function tried(ends: readonly End[], seed: number) {
  const { isolation } = await openSandbox({ tier: 'E' });
  const ran: string[] = [];
  const context = await hostContext(lineage, {
    folder,
    run: async ({ id, env }) => {
      const end = ends[ran.length] ?? { ending: WELL, hostSpeed: 1, wallMs: 1 };
      ran.push(id);
      await writeFile(join(env['ASSAY_OUTPUT'] ?? folder, 'model'), 'x');
      const spent = { startedAt: new Date(0), cpuS: 3.1, load: 9.25, peakRssBytes: 0 };
      return { ...end, ...spent, log: '', logBytes: 0, isolation };
    },
  });
  const files = await readFolder(TINY, { maxFiles: 100, maxFileBytes: 1e6, code: 'TASK_INVALID' });
  const yaml = files.find(({ path }) => path === 'task.yaml')?.bytes.toString() ?? '';
  const spec = parseTask(
    yaml.replace('metric: bytes, max: 2000', 'metric: train_ratio, min: 0.9, max: 1.5'),
    't.yaml',
  );
  const source = { spec, digest: 'd'.repeat(64), dataSecret: '', files: () => Promise.resolve(files) };
  const { signal } = new AbortController();
  const hosted = await context.tasks.host(source, signal);
  const snapshot = await lineage.blobs.putTree([{ path: 'train.py', bytes: Buffer.from('pass\n') }]);
  const names = () => ran.map((id) => id.split('/').at(-1));
  const start = { snapshot, seed, secret: 'lot' };
  const { failure, metrics, voided, trainS } = await tryStart(context, hosted, start, signal).catch(
    (error: unknown) => {
      throw Object.assign(error as Error, { ran: names() });
    },
  );
  return { failure, metrics, voided, trainS, ran: names() };
}

it('blames the start at once that is late on a host at full speed', async () => {
  const { failure, ran } = await tried([late(1)], 0);
  expect(ran).toEqual(['train']);
  expect(failure).toMatchObject({ status: 'train_budget_overrun', busyHost: false });
});

it('trains once more where a slow host was late, and blames the host where it is late again', async () => {
  const { failure, ran } = await tried([late(0.3), late(0.4)], 0);
  expect(ran).toEqual(['train', 'train-again']);
  expect(failure).toMatchObject({ status: 'train_budget_overrun', phase: 'train', busyHost: true });
  expect(failure?.reason).toMatch(/measured once more \(the host at 0\.30 .*; then the host at 0\.40 /);
});

it.each([
  [0, ['train', 'control'], 2],
  [1, ['control', 'train'], 0.5],
])('measures how long training takes beside another one, under seed %i', async (seed, order, ratio) => {
  const ends = [2000, 1000].map((wallMs) => ({ ending: WELL, hostSpeed: 1, wallMs }));
  const { failure, metrics, ran } = await tried(ends, seed);
  expect(ran.slice(0, 2)).toEqual(order);
  expect(metrics['train_ratio']).toBe(ratio);
  expect(failure).toMatchObject({ status: 'disqualified', phase: 'train' });
});

it('measures a pair again that was void, and gives up where it stays so', async () => {
  const at = (hostSpeed: number, wallMs = 1000): End => ({ ending: WELL, hostSpeed, wallMs });
  const { failure, voided, trainS, metrics, ran } = await tried([at(1), at(0.5), at(1, 2000), at(1)], 0);
  expect(ran).toEqual(['train', 'control', 'train', 'control']);
  expect(voided).toEqual([expect.stringMatching(/cannot be compared: the host went at 0\.50/)]);
  expect([trainS, metrics['train_ratio']]).toEqual([2, 2]);
  expect(failure).toMatchObject({ status: 'disqualified' });
  const slow = Array.from({ length: 20 }, (_, index) => at(index % 2 === 0 ? 1 : 0.5));
  await expect(tried(slow, 0)).rejects.toMatchObject({
    code: 'LOAD_CHANGED',
    ran: Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? 'train' : 'control')),
  });
});
