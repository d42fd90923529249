import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { failureSchema } from '../../src/domain/trial/outcome.js';
import { assay } from './assay.js';
import { DAEMON, expectOverrunInSmoke, expectOverrunInTraining, pushLimited } from './limited.js';
import { openLab, type Lab } from './test-task.js';
import { expectFailure } from './rows.js';

const GOOD = (x: number): string => `
import json, os
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file:
    json.dump({"x": ${x}}, file)
`;
const FORKS = `${DAEMON}
children = [subprocess.Popen(["sleep", "600"]) for i in range(40)]
time.sleep(600)
`;

const shape = z.object({ failure: failureSchema });

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
  await pushLimited(lab);
});
afterAll(() => lab.stop());

describe('in training', () => {
  it('a recipe that oversteps a limit, or cannot run, ends as that, and the others continue', async () => {
    await lab.open('unchecked', 'unchecked');
    const forks = await lab.submit('unchecked', FORKS);
    const syntax = await lab.submit('unchecked', 'X = (\n');
    const link = await lab.submit(
      'unchecked',
      'import os\nos.symlink("/etc/passwd", os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"))\n',
    );
    const empty = await lab.submit('unchecked', 'pass\n');
    const other = await lab.submit('unchecked', GOOD(2).replace('x.json', 'y.json'));
    const good = await lab.submit('unchecked', GOOD(2));
    expectOverrunInTraining('forks', await lab.ended('unchecked', forks));
    const broken = await lab.ended('unchecked', syntax);
    expectFailure('syntax-unchecked', broken.failure);
    expect(broken.failure).toMatchObject({ phase: 'train', limit: null });
    expect(broken.failure?.tail).toContain('SyntaxError');
    const linked = await lab.ended('unchecked', link);
    expectFailure('sealed-link', linked.failure);
    expect(linked.failure).toMatchObject({ phase: 'seal' });
    expectFailure('artifact-empty', (await lab.ended('unchecked', empty)).failure);
    expectFailure('artifact-incomplete', (await lab.ended('unchecked', other)).failure);
    expect(await lab.ended('unchecked', good)).toMatchObject({ status: 'keep', score: 1, failure: null });
    await lab.close('unchecked');
  });
});

describe('before training', () => {
  it('the same recipes take no lease where the task has a check and a smoke run', async () => {
    await lab.open('smoked', 'smoked');
    const forks = await lab.submit('smoked', FORKS);
    const syntax = await lab.submit('smoked', 'X = (\n');
    expectOverrunInSmoke('forks', await lab.ended('smoked', forks));
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
