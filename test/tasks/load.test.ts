import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadRecipe, loadTask, parseTask } from '../../src/tasks/load.js';
import { TINY } from '../fixtures/tiny.js';

const TEXT = readFileSync(join(TINY, 'task.yaml'), 'utf8');

describe('task.yaml', () => {
  it.each([
    ['timeout_s: 60', 'timeout_s: -1', /^t\.yaml:15:16: phases\.train\.timeout_s: /],
    ['scoring: direct', 'scoring: served', /phases\.serve: scoring "served" needs phases\.serve/],
    ['title:', 'titel:', /^t\.yaml:/],
    ['metric: {', 'metric: [', /^t\.yaml:4:\d+: /],
    ['slots: 1', 'slots: 1, gpus: 2', /^t\.yaml:10:\d+: resources: .*gpus/],
  ])('with "%s" replaced by "%s" is refused with its place', (from, to, message) => {
    expect(() => parseTask(TEXT.replace(from, to), 't.yaml')).toThrow(message);
  });
});

describe('a recipe folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-recipe-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is refused without the file that the task runs', async () => {
    const { spec } = await loadTask(TINY);
    await writeFile(join(folder, 'other.py'), '');
    await expect(loadRecipe(spec, folder)).rejects.toThrow(/has no train\.py/);
  });

  it('is refused with a link, even to a file of its own', async () => {
    const { spec } = await loadTask(TINY);
    await writeFile(join(folder, 'train.py'), '');
    await symlink('train.py', join(folder, 'link.py'));
    await expect(loadRecipe(spec, folder)).rejects.toThrow(/link\.py is not a regular file/);
  });

  it('is refused with a huge file', async () => {
    const { spec } = await loadTask(TINY);
    await writeFile(join(folder, 'train.py'), Buffer.alloc(5 * 1024 * 1024));
    await expect(loadRecipe(spec, folder)).rejects.toThrow(/train\.py has 5242880 bytes, over the limit/);
  });

  it('is read whole, without caches and version control', async () => {
    const { spec } = await loadTask(TINY);
    await mkdir(join(folder, '__pycache__'));
    await mkdir(join(folder, 'lib'));
    for (const path of ['train.py', 'lib/model.py', '__pycache__/x.pyc'])
      await writeFile(join(folder, path), 'x');
    expect((await loadRecipe(spec, folder)).map((file) => file.path)).toEqual(['lib/model.py', 'train.py']);
  });
});
