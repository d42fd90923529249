import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { preflight } from '../../src/measure/preflight.js';
import type { Ending, RunResult } from '../../src/sandbox/run.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { readFolder } from '../../src/tasks/folder.js';
import { parseTask } from '../../src/tasks/load.js';
import { hostContext } from '../builders/host-context.js';
import { TINY } from '../fixtures/tiny.js';

let folder: string;
let lineage: Lineage;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-preflight-'));
  lineage = await openLineage({ url: inject('storeUrl'), database: `preflight_${process.pid}` });
});
afterAll(async () => {
  await lineage.close();
  await rm(folder, { recursive: true, force: true });
});

const LATE: Ending = { kind: 'limit', limit: 'wall', used: 20.01, allowed: 20 };
const WELL: Ending = { kind: 'exited', code: 0 };

/** Runs the preflight of the tiny start, with more phases, whose runs end like this, one after the other. */
async function flown(ends: readonly [Ending, RunResult['hostSpeed']][], phases = '') {
  const envs: Record<string, string>[] = [];
  const { isolation } = await openSandbox({ tier: 'E' });
  const left = [...ends];
  const context = await hostContext(lineage, {
    folder,
    run: ({ env }) => {
      envs.push(env);
      const [ending, hostSpeed] = left.shift() ?? [WELL, 1];
      const spent = { startedAt: new Date(0), wallMs: 20_010, cpuS: 3.1, load: 9.25, peakRssBytes: 0 };
      return Promise.resolve({ ending, hostSpeed, ...spent, log: '', logBytes: 0, isolation });
    },
  });
  const files = await readFolder(TINY, { maxFiles: 100, maxFileBytes: 1e6, code: 'TASK_INVALID' });
  const yaml = files.find(({ path }) => path === 'task.yaml')?.bytes.toString() ?? '';
  const spec = parseTask(yaml.replace('phases:\n', `phases:\n${phases}`), 'task.yaml');
  const source = { spec, digest: 'd'.repeat(64), dataSecret: '', files: () => Promise.resolve(files) };
  const { signal } = new AbortController();
  const hosted = await context.tasks.host(source, signal);
  const snapshot = await lineage.blobs.putTree([{ path: 'train.py', bytes: Buffer.from('pass\n') }]);
  const { failure } = await preflight(context, hosted, snapshot, signal);
  return { failure, left: left.length, envs };
}

it('blames a recipe at once for a check that is late on a host at full speed', async () => {
  const { failure, left } = await flown([
    [LATE, 0.99],
    [WELL, 1],
  ]);
  expect(left).toBe(1);
  expect(failure).toMatchObject({ status: 'preflight_crash', phase: 'check', busyHost: false });
  expect(failure?.reason).toBe('wall limit: 20.01 of 20 s, 0.01 over');
});

it('runs a check once more that was late on a slow host, and blames nobody where it then ends well', async () => {
  const { failure, left } = await flown([
    [LATE, 0.3],
    [WELL, 0.9],
  ]);
  expect([failure, left]).toEqual([null, 0]);
});

it('says of a check that was late twice on a slow host what is known of the host', async () => {
  const { failure } = await flown([
    [LATE, 0.3],
    [LATE, 0.4],
  ]);
  expect(failure).toMatchObject({ status: 'preflight_crash', busyHost: true });
  expect(failure?.reason).toBe(
    'wall limit: 20.01 of 20 s, 0.01 over, and again when it was measured once more (the host at 0.30 of its full speed, load 9.3 a processor, 3.1 s of a processor used; then the host at 0.40 of its full speed, load 9.3 a processor, 3.1 s of a processor used)',
  );
});

it('gives packing what a campaign gives it', async () => {
  const phases = '  smoke: { run: x, timeout_s: 1 }\n  pack: { run: y, timeout_s: 1, output: a/ }\n';
  const { envs } = await flown([], phases);
  const asked = (env: Record<string, string> = {}) => Object.keys(env).filter((name) => /^ASSAY_/.test(name));
  expect(envs).toHaveLength(3);
  expect(asked(envs[2]).sort()).toEqual(['ASSAY_INPUT', 'ASSAY_OUTPUT', 'ASSAY_PROFILE', 'ASSAY_SEED']);
});
