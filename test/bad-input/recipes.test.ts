import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { failureSchema } from '../../src/domain/trial/outcome.js';
import { assay } from './assay.js';
import { openLab, type Lab } from './test-task.js';
import { expectFailure, type RowName } from './rows.js';

const GOOD = (x: number): string => `
import json, os
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file:
    json.dump({"x": ${x}}, file)
`;
/** A child in a session of its own, which has to die with its recipe. */
const DAEMON = 'import subprocess, sys, time\nsubprocess.Popen(["sleep", "600"], start_new_session=True)\n';

const CODES = new Map<RowName, string>([
  ['endless', `${DAEMON}while True: time.sleep(0.01)\n`],
  [
    'disk-full',
    `${DAEMON}
for i in range(10**9):
    with open(f"{i}.bin", "wb") as file: file.write(bytes(1 << 20))
    time.sleep(0.02)
`,
  ],
  [
    'gigabyte',
    `${DAEMON}
for i in range(1024): sys.stdout.write("x" * (1 << 20))
`,
  ],
  ['memory-full', `${DAEMON}x = bytearray(900 << 20)\ntime.sleep(600)\n`],
  [
    'forks',
    `${DAEMON}
children = [subprocess.Popen(["sleep", "600"]) for i in range(40)]
time.sleep(600)
`,
  ],
]);

/** Numbers of the limit as the row says them: how much was used is over what was allowed. */
function expectOverrun(limit: { name: string; used: number; allowed: number } | null): void {
  expect(limit).not.toBeNull();
  expect(limit?.used).toBeGreaterThanOrEqual(limit?.allowed ?? Infinity);
}

const quick = (yaml: string): string =>
  yaml
    .replace('timeout_s: 60', 'timeout_s: 6')
    .replace('disk_mb: 16', 'disk_mb: 16, log_kb: 4')
    .replace('processes: 8', 'processes: 12');

const shape = z.object({ failure: failureSchema });

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
  await lab.task('unchecked', (yaml) => quick(yaml).replace(/^ +check:.*$/m, ''));
  await lab.task('smoked', (yaml) =>
    quick(yaml).replace(
      /^( +)check:.*$/m,
      "$1check: { run: 'python -m py_compile train.py', timeout_s: 20 }\n$1smoke: { run: 'python train.py', timeout_s: 6, data: synthetic }",
    ),
  );
});
afterAll(() => lab.stop());

describe('in training', () => {
  it('a recipe that oversteps a limit, or cannot run, ends as that, and the others go on', async () => {
    await lab.open('unchecked', 'unchecked');
    const rows = [...CODES];
    const numbers = [];
    for (const [, code] of rows) numbers.push(await lab.submit('unchecked', code));
    const syntax = await lab.submit('unchecked', 'X = (\n');
    const link = await lab.submit(
      'unchecked',
      'import os\nos.symlink("/etc/passwd", os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"))\n',
    );
    const good = await lab.submit('unchecked', GOOD(2));
    for (const [at, [row]] of rows.entries()) {
      const { failure, replicates } = await lab.ended('unchecked', numbers[at] ?? -1);
      expectFailure(row, failure);
      expect(failure?.phase).toBe('train');
      expectOverrun(failure?.limit ?? null);
      expect(replicates).toMatchObject([{ attempts: 1, worksNow: null, artifact: null, infra: [] }]);
    }
    const broken = await lab.ended('unchecked', syntax);
    expectFailure('syntax-unchecked', broken.failure);
    expect(broken.failure).toMatchObject({ phase: 'train', limit: null });
    expect(broken.failure?.tail).toContain('SyntaxError');
    const linked = await lab.ended('unchecked', link);
    expectFailure('sealed-link', linked.failure);
    expect(linked.failure).toMatchObject({ phase: 'seal' });
    expect(await lab.ended('unchecked', good)).toMatchObject({ status: 'keep', score: 1, failure: null });
    await lab.close('unchecked');
  });

  it('is kept to what the task allows of its log', async () => {
    const gigabyte = [...CODES.keys()].indexOf('gigabyte') + 1;
    const { stdout, exitCode } = await assay(['log', `unchecked/${gigabyte}`, '--json'], lab.world.env);
    expect(exitCode).toBe(0);
    expect(stdout.length).toBeLessThan(64 * 1024);
  });
});

describe('before training', () => {
  it('the same recipes take no lease where the task has a check and a smoke run', async () => {
    await lab.open('smoked', 'smoked');
    const rows = [...CODES];
    const numbers = [];
    for (const [, code] of rows) numbers.push(await lab.submit('smoked', code));
    const syntax = await lab.submit('smoked', 'X = (\n');
    for (const [at, [row]] of rows.entries()) {
      const { failure, replicates } = await lab.ended('smoked', numbers[at] ?? -1);
      expect(failure, row).toMatchObject({ status: 'preflight_crash', phase: 'smoke' });
      expectOverrun(failure?.limit ?? null);
      expect(replicates).toEqual([]);
    }
    const { failure, replicates } = await lab.ended('smoked', syntax);
    expectFailure('syntax-checked', failure);
    expect(failure).toMatchObject({ phase: 'check' });
    expect(failure?.tail).toContain('SyntaxError');
    expect(replicates).toEqual([]);
    await lab.close('smoked');
  });
});

describe('assay submit', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-bad-recipe-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('prints how the recipe failed, and exits with 0: a failed proposal is a result', async () => {
    await writeFile(join(folder, 'train.py'), 'raise SystemExit("no luck")\n');
    await lab.open('told', 'unchecked');
    const { stdout, exitCode } = await assay(
      ['submit', '--campaign', 'told', '--recipe', folder, '--hypothesis', 'luck', '--wait', '--json'],
      lab.world.env,
    );
    expect(exitCode).toBe(0);
    const record: unknown = JSON.parse(stdout);
    expect(record).toMatchObject({ schema: 'assay.trial/1', status: 'crash', score: null });
    const { failure } = shape.parse(record);
    expect(failure).toMatchObject({ status: 'crash', phase: 'train', reason: 'exited with code 1' });
    expect(failure.tail).toContain('no luck');
    await lab.close('told');
  });
});
