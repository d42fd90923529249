import { expect } from 'vitest';
import type { TrialRecord } from '../../src/analysis/read-models/trial-record.js';
import { expectFailure, type RowName } from './rows.js';
import type { Lab } from './test-task.js';

/** A child in its own session, which has to die with its recipe. */
export const DAEMON =
  'import subprocess, sys, time\nsubprocess.Popen(["sleep", "600"], start_new_session=True)\n';

const quick = (yaml: string): string =>
  yaml
    .replace('timeout_s: 60', 'timeout_s: 6')
    .replace('disk_mb: 16', 'disk_mb: 16, log_kb: 4')
    .replace('processes: 8', 'processes: 12');

/**
 * Stores two tasks with small limits: `unchecked` trains directly, `smoked` has a check and a smoke run first.
 */
export async function pushLimited(lab: Lab): Promise<void> {
  await lab.task('unchecked', (yaml) =>
    quick(yaml)
      .replace(/^ +check:.*$/m, '')
      .replace(/(evaluate: .*) }$/m, "$1, artifact: ['x.json'] }"),
  );
  await lab.task('smoked', (yaml) =>
    quick(yaml).replace(
      /^( +)check:.*$/m,
      "$1check: { run: 'python -m py_compile train.py', timeout_s: 20 }\n$1smoke: { run: 'python train.py', timeout_s: 6, data: synthetic }",
    ),
  );
}

/** Expects the numbers of the limit as in the row, with more used than allowed. */
function expectOverrun(limit: { used: number; allowed: number } | null | undefined): void {
  expect(limit).toMatchObject({ name: expect.any(String) as unknown });
  expect(limit?.used).toBeGreaterThanOrEqual(limit?.allowed ?? Infinity);
}

/** Fails unless the recipe of that row overran its limit in training. */
export function expectOverrunInTraining(row: RowName, { failure, replicates }: TrialRecord): void {
  expectFailure(row, failure);
  expect(failure?.phase).toBe('train');
  expectOverrun(failure?.limit);
  expect(replicates).toMatchObject([{ attempts: 1, worksNow: null, artifact: null, infra: [] }]);
}

/** Fails unless the recipe of that row overran its limit in the smoke run, and no lease was taken for it. */
export function expectOverrunInSmoke(row: RowName, { failure, replicates }: TrialRecord): void {
  expect(failure, row).toMatchObject({ status: 'preflight_crash', phase: 'smoke' });
  expectOverrun(failure?.limit);
  expect(replicates).toEqual([]);
}
