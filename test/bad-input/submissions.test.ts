import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { submitUpdate } from '../../workflows/messages.js';
import { TINY } from '../fixtures/tiny.js';
import { freshFolder } from '../sandbox/programs.js';
import { refusalHere } from './assay.js';
import { openLab, type Lab } from './test-task.js';
import { expectError, type RowName, type Said } from './rows.js';

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
  await lab.task(
    'fixed',
    (yaml) =>
      yaml
        .replace("editable: ['train.py']", "editable: ['train.py', 'lib/*.py']")
        .replace("counted: ['train.py']", "counted: ['**']"),
    { 'recipe/lib/model.py': 'a = 1\n', 'recipe/data/read.py': 'b = 1\n', 'recipe/README.md': 'c\n' },
  );
  await lab.open('fixed', 'fixed');
});
afterAll(async () => {
  await lab.close('fixed');
  await lab.stop();
});

const HONEST = {
  'train.py': 'X = 2.0\n',
  'lib/model.py': 'a = 2\n',
  'data/read.py': 'b = 1\n',
  'README.md': 'c\n',
};

/** The honest recipe with some files replaced, or removed where they are null. */
function recipeOf(change: Record<string, string | null>): { path: string; bytes: Buffer }[] {
  const files: Record<string, string | null> = { ...HONEST, ...change };
  return Object.entries(files).flatMap(([path, text]) =>
    text === null ? [] : [{ path, bytes: Buffer.from(text) }],
  );
}

const BAD: [string, Record<string, string | null>, RegExp][] = [
  ['a changed file', { 'README.md': 'weights\n' }, /: README\.md \(changed\)/],
  ['a changed file in a folder', { 'data/read.py': 'b = 2\n' }, /: data\/read\.py \(changed\)/],
  ['a missing file', { 'data/read.py': null }, /: data\/read\.py \(missing\)/],
  ['an added file', { 'weights.bin': 'w' }, /: weights\.bin \(added\)/],
  ['an added file in a folder', { 'data/more/x.py': 'w' }, /: data\/more\/x\.py \(added\)/],
  ['an added file below what may be edited', { 'lib/deep/x.py': 'w' }, /: lib\/deep\/x\.py \(added\)/],
  [
    'another spelling of a file',
    { 'README.md': null, 'Readme.md': 'c\n' },
    /\(missing\), Readme\.md \(added\)/,
  ],
];

describe('a submission with a change to a file that may not be edited', () => {
  it.each(BAD)('is refused by the command: %s', async (_, change, words) => {
    const folder = freshFolder();
    for (const { path, bytes } of recipeOf(change)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), bytes);
    }
    const args = ['submit', '--recipe', folder, '--hypothesis', 'none'];
    const alone = await refusalHere([...args, '--task', 'fixed'], lab.world.env);
    const within = await refusalHere([...args, '--campaign', 'fixed'], lab.world.env);
    for (const said of [alone, within]) {
      expectError('recipe-fixed', said);
      expect(said.message).toMatch(words);
    }
  });

  it.each(BAD)(
    'is refused when a campaign is asked for it, or started with it: %s',
    async (_, change, words) => {
      expect(await asked(recipeOf(change))).toMatch(words);
      expect((await started('client-recipe-fixed', await stored(recipeOf(change)))).message).toMatch(words);
    },
  );

  it('or with forbidden names, or that is not in the store, is refused', async () => {
    for (const path of ['../train.py', 'lib/../../x.py', 'Train.py', 'lib/.git/x.py', '/etc/x.py'])
      await started('client-recipe-name', await stored(recipeOf({ [path]: 'w' })));
    await started('client-recipe-unknown', 'f'.repeat(64));
  });

  it('took no number, and what differs where it may is measured', async () => {
    expect((await lab.world.trials('fixed')).map(({ number }) => number)).toEqual([]);
    const code = await readFile(join(TINY, 'recipe/train.py'), 'utf8');
    const files = { 'train.py': code.replace('X = 1.0', 'X = 2.5'), 'lib/more.py': 'd = 1\n' };
    const snapshot = await stored(recipeOf(files));
    const { number } = await update(snapshot);
    expect(await lab.ended('fixed', number ?? -1)).toMatchObject({ score: 0.25, failure: null });
  });
});

const stored = (files: { path: string; bytes: Buffer }[]): Promise<string> =>
  lab.world.lineage.blobs.putTree(files);

const submissionOf = (snapshot: string) => ({
  snapshot,
  hypothesis: 'none',
  expectedDelta: null,
  requestId: randomUUID(),
});

const update = (snapshot: string) =>
  lab.world.client.workflow
    .getHandle('fixed')
    .executeUpdate(submitUpdate, { args: [submissionOf(snapshot)] });

/** Asks a running campaign to take files, and returns the reason of its refusal. */
async function asked(files: { path: string; bytes: Buffer }[]): Promise<string | null> {
  const { number, refused } = await update(await stored(files));
  expect(number).toBeNull();
  return refused;
}

/** Starts a campaign with this submission, and returns the error that it fails with. */
async function started(row: RowName, snapshot: string): Promise<Pick<Said, 'code' | 'message'>> {
  const name = `started-${randomUUID()}`;
  const handle = await lab.world.client.workflow.start('campaign', {
    taskQueue: 'assay',
    workflowId: name,
    args: [{ task: 'fixed', trials: 1, submission: submissionOf(snapshot) }],
  });
  const failure: unknown = await handle.result().catch((error: unknown) => error);
  const cause = failure instanceof WorkflowFailedError ? failure.cause : failure;
  if (!(cause instanceof ApplicationFailure)) throw new Error(`not a refusal: ${String(cause)}`);
  const said = { code: cause.type ?? '', message: cause.message };
  expectError(row, said);
  expect(await lab.world.lineage.campaigns.find(name)).toBeNull();
  return said;
}
