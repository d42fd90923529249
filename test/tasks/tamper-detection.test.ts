import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TamperDetection } from '../../src/tasks/tamper-detection.js';

let root: string;
let folder: string;
let custody: TamperDetection;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'assay-custody-'));
  const source = join(root, 'source');
  folder = join(root, 'kept');
  await mkdir(join(source, 'evaluator'), { recursive: true });
  await writeFile(join(source, 'evaluator/evaluate.py'), 'honest');
  await symlink('evaluate.py', join(source, 'evaluator/link.py'));
  const restore = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true });
    await cp(source, folder, { recursive: true, verbatimSymlinks: true });
  };
  await restore();
  custody = new TamperDetection(true);
  await custody.keep({ name: 'the task', folder, restore });
});
afterEach(() => rm(root, { recursive: true, force: true }));

const evaluator = (): string => join(folder, 'evaluator/evaluate.py');
const nothing = (): Promise<void> => Promise.resolve();

const changes: readonly (readonly [string, () => Promise<unknown>, RegExp])[] = [
  ['rewritten', () => writeFile(evaluator(), 'forged'), /evaluate\.py/],
  [
    'rewritten in the same length with its times set back',
    async () => {
      const { atime, mtime } = await stat(evaluator());
      await writeFile(evaluator(), 'forged');
      await utimes(evaluator(), atime, mtime);
    },
    /evaluate\.py/,
  ],
  ['removed', () => rm(evaluator()), /evaluate\.py/],
  ['added', () => writeFile(join(folder, 'evaluator/json.py'), ''), /json\.py/],
  ['hidden in a cache', () => mkdir(join(folder, '__pycache__')), /__pycache__/],
  ['a link led elsewhere', () => relink(), /link\.py/],
  ['the folder itself exchanged', () => exchanged(), /kept|evaluate\.py/],
  ['the folder itself removed', () => rm(folder, { recursive: true }), /kept/],
];

async function relink(): Promise<void> {
  await rm(join(folder, 'evaluator/link.py'));
  await symlink('/etc/hosts', join(folder, 'evaluator/link.py'));
}

async function exchanged(): Promise<void> {
  await rename(folder, `${folder}.old`);
  await mkdir(join(folder, 'evaluator'), { recursive: true });
  await writeFile(evaluator(), 'forged');
}

describe('a change by the only recipe that runs', () => {
  it.each(changes)('%s: is found and undone', async (_, change, where) => {
    const { damage } = await custody.during(true, change);
    expect(damage).toMatch(where);
    expect(damage).toContain('of the task');
    expect(await readFile(evaluator(), 'utf8')).toBe('honest');
    expect(await readdir(join(folder, 'evaluator'))).toEqual(['evaluate.py', 'link.py']);
    expect(await custody.during(true, nothing)).toMatchObject({ damage: null });
  });
});

it('a file that was only touched is no change', async () => {
  expect((await custody.during(true, () => utimes(evaluator(), 1, 1))).damage).toBeNull();
  expect((await custody.during(true, nothing)).damage).toBeNull();
});

it('a change that was made while nothing ran is undone, and no recipe is at fault', async () => {
  await writeFile(evaluator(), 'forged');
  const { result, damage } = await custody.during(true, () => readFile(evaluator(), 'utf8'));
  expect({ result, damage }).toEqual({ result: 'honest', damage: null });
});

/** A run that continues until it is released. */
function held(suspect: boolean) {
  let end: () => void = () => undefined;
  let began: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (began = resolve));
  const until = new Promise<void>((resolve) => (end = resolve));
  const done = custody.during(suspect, () => {
    began();
    return until;
  });
  done.catch(() => undefined);
  return { begun, end, done };
}

it('an evaluation beside the recipe that changed something is made again; the recipe has done it', async () => {
  const evaluation = held(false);
  await evaluation.begun;
  const { damage } = await custody.during(true, () => writeFile(evaluator(), 'forged'));
  expect(damage).toMatch(/evaluate\.py/);
  evaluation.end();
  await expect(evaluation.done).rejects.toMatchObject({ code: 'HOST_FAULT' });
});

it('of two recipes that ran at the same time neither is blamed; both run again, one at a time', async () => {
  const other = held(true);
  await other.begun;
  await expect(custody.during(true, () => writeFile(evaluator(), 'forged'))).rejects.toMatchObject({
    code: 'HOST_FAULT',
  });
  other.end();
  await expect(other.done).rejects.toMatchObject({ code: 'HOST_FAULT' });
  const honest = held(true);
  await honest.begun;
  let entered = false;
  const culprit = custody.during(true, () => {
    entered = true;
    return writeFile(evaluator(), 'forged');
  });
  await custody.keep({ name: 'more', folder: join(root, 'source'), restore: nothing });
  expect(entered).toBe(false);
  honest.end();
  expect((await honest.done).damage).toBeNull();
  expect((await culprit).damage).toMatch(/evaluate\.py/);
});

it('looks at nothing where the sandbox keeps the files', async () => {
  const idle = new TamperDetection(false);
  await idle.keep({ name: 'the task', folder, restore: () => Promise.reject(new Error('not asked for')) });
  expect((await idle.during(true, () => writeFile(evaluator(), 'forged'))).damage).toBeNull();
});
