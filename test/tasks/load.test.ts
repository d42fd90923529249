import { cp, mkdtemp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/domain/digest.js';
import { markedName } from '../../src/domain/task/marked-name.js';
import { claimedMeasure, decisionMeasure } from '../../src/domain/task/task.js';
import type { FolderFile } from '../../src/tasks/folder.js';
import { withKit } from '../../src/tasks/kit.js';
import { loadTask, parseTask } from '../../src/tasks/load.js';
import { loadRecipe, type RecipeTask } from '../../src/tasks/recipe.js';
import { PARTS, TINY } from '../fixtures/tiny.js';

const TEXT = readFileSync(join(TINY, 'task.yaml'), 'utf8');

describe('task.yaml', () => {
  it.each([
    ['timeout_s: 60', 'timeout_s: -1', /^t\.yaml:15:16: phases\.train\.timeout_s: /],
    ['scoring: direct', 'scoring: served', /phases\.serve: scoring "served" needs phases\.serve/],
    ['title:', 'titel:', /^t\.yaml:3:1: .*"titel"/],
    ['metric: {', 'metric: [', /^t\.yaml:4:\d+: /],
    ['name: loss,', 'name: train_s,', /decision_metric: seconds of different moments .*"train_ratio"/],
    [
      "editable: ['train.py']",
      "editable: ['train.py', 'lib/**']",
      /^t\.yaml:8:12: recipe\.counted: "lib\/\*\*" may be/,
    ],
    [
      'limit: 0 }',
      'limit: 0 }\ndecision_metric: train_ratio',
      /replicate\.deterministic: times differ from run to run/,
    ],
    [
      'recipe:',
      'recipe_reported: [loss]\nrecipe:',
      /recipe_reported: "loss" is what is claimed, so the evaluator has to measure it itself/,
    ],
    [
      'recipe:',
      'recipe_reported: [seen]\nguards: [{ metric: seen, margin: 1 }]\nrecipe:',
      /recipe_reported: a guard depends on "seen", which the recipe reports of itself/,
    ],
    ['recipe:', 'recipe_reported: [bytes]\nrecipe:', /recipe_reported: a gate depends on "bytes"/],
    [
      'gates:',
      'gates:\n  - { name: seen, metric: reveal_s, max: 1, known: train }',
      /gates: reveal_s is the time with revealed inputs, and data\.reveal reveals none/,
    ],
    ['slots: 1', 'slots: 1, tpus: 2', /^t\.yaml:10:\d+: resources: .*tpus/],
  ])('with "%s" replaced by "%s" is refused with its place', (from, to, message) => {
    expect(() => parseTask(TEXT.replace(from, to), 't.yaml')).toThrow(message);
  });
});

it('a number that the recipe reports of itself may decide, and is marked as such', () => {
  const steered = 'decision_metric: seen\nrecipe_reported: [seen]\nrecipe:';
  const spec = parseTask(TEXT.replace('recipe:', steered), 't.yaml');
  expect(markedName(decisionMeasure(spec))).toBe('seen (reported by the recipe)');
  expect(markedName(claimedMeasure(spec))).toBe('loss');
});

describe('a task folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-task-'));
    await cp(PARTS, folder, { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const reading = async (train: string, pack: string, editable = "['train.py', 'pack.py', 'notes.txt']") => {
    const text = await readFile(join(PARTS, 'task.yaml'), 'utf8');
    const changed = text
      .replace("reads: ['train.py']", `reads: ${train}`)
      .replace("reads: ['pack.py', 'out/']", `reads: ${pack}`)
      .replace("editable: ['train.py', 'pack.py', 'notes.txt']", `editable: ${editable}`)
      .replace(/counted: .*/, "counted: ['**']")
      .replace('scoring:', "data: { prepare: 'task.yaml', train: train, search: search/ }\nscoring:");
    await writeFile(join(folder, 'task.yaml'), changed);
    return loadTask(folder);
  };

  it.each([
    ["['trian.py']", "['out/']", /phases\.train\.reads: "trian\.py" is nothing .* training data "train\/"$/],
    ["['train.py', 'trian/']", "['out/']", /phases\.train\.reads: "trian\/"/],
    ["['train.py', 'search/']", "['out/']", /phases\.train\.reads: "search\/"/],
    ["['train.py', 'out/']", "['out/']", /phases\.train\.reads: "out\/"/],
    ["['train.py', 'lib/*.py']", "['out/']", /phases\.train\.reads: "lib\/\*\.py"/],
    ["['train.py']", "['pack.py', 'outs/']", /phases\.pack\.reads: "outs\/" .* training leaves \("out\/"\)$/],
  ])('that reads %s and %s is refused, since one of them is nothing', async (train, pack, message) => {
    await expect(reading(train, pack)).rejects.toThrow(message);
  });

  it('may read files, globs, data, outputs, and what agents may add', async () => {
    const { spec } = await reading(
      "['train.py', '*.txt', 'train/', 'lib/']",
      "['p*.py', 'out/', 'lib/*.py', 'new.py']",
      "['*.py', 'lib/**', 'notes.txt']",
    );
    expect(spec.phases.train.reads).toHaveLength(4);
  });
});

describe('a served task', () => {
  const served = async (files: FolderFile[]): Promise<Map<string, string>> => {
    const spec = parseTask(
      TEXT.replace('scoring: direct', 'scoring: served').replace(
        'phases:\n',
        "phases:\n  serve: { run: 'python train.py --serve', startup_s: 5 }\n",
      ),
      't.yaml',
    );
    return new Map((await withKit(spec, files)).map(({ path, bytes }) => [path, bytes.toString('utf8')]));
  };

  it('is stored with the kit of its evaluator', async () => {
    const found = await served([{ path: 'task.yaml', bytes: Buffer.from(TEXT) }]);
    expect([...found.keys()].at(-1)).toBe('task.yaml');
    expect(found.get('evaluator-kit/assay_serving/__init__.py')).toContain('import Text, score_text');
    expect(found.get('evaluator-kit/assay_serving/text.py')).toContain('def score_text(');
  });

  it.each(['evaluator-kit/assay_serving.py', 'evaluator-kit/assay_serving/__init__.py'])(
    'keeps a kit that is in its folder: %s',
    async (path) => {
      expect(await served([{ path, bytes: Buffer.from('own') }])).toEqual(new Map([[path, 'own']]));
    },
  );
});

describe('a recipe folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-recipe-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** The tiny task as the store has it. */
  const tiny = async (change: (spec: RecipeTask['spec']) => void = () => undefined): Promise<RecipeTask> => {
    const { spec, files } = await loadTask(TINY);
    change(spec);
    return {
      spec,
      files: files.map(({ path, bytes }) => ({ path, sha256: sha256(bytes), bytes: bytes.byteLength })),
    };
  };

  it('is refused without the file that the task runs', async () => {
    await writeFile(join(folder, 'other.py'), '');
    await expect(loadRecipe(await tiny(), folder)).rejects.toThrow(/has no train\.py/);
  });

  it('is refused with a file that may not be added', async () => {
    await writeFile(join(folder, 'train.py'), 'x = 1');
    await writeFile(join(folder, 'weights.bin'), '');
    await expect(loadRecipe(await tiny(), folder)).rejects.toThrow(/weights\.bin \(added\)/);
  });

  it('is refused with a link, even to a file of its own', async () => {
    await writeFile(join(folder, 'train.py'), '');
    await symlink('train.py', join(folder, 'link.py'));
    await expect(loadRecipe(await tiny(), folder)).rejects.toThrow(/link\.py is not a regular file/);
  });

  it('is refused with a huge file, and may hold what a task may', async () => {
    await writeFile(join(folder, 'train.py'), Buffer.alloc(16 * 1024 * 1024));
    expect(await loadRecipe(await tiny(), folder)).toHaveLength(1);
    await writeFile(join(folder, 'train.py'), Buffer.alloc(16 * 1024 * 1024 + 1));
    await expect(loadRecipe(await tiny(), folder)).rejects.toThrow(/train\.py has 16777217 bytes, over the/);
  });

  it('is read whole, without caches and version control', async () => {
    const task = await tiny((spec) => spec.recipe.editable.push('lib/**'));
    await mkdir(join(folder, '__pycache__'));
    await mkdir(join(folder, 'lib'));
    for (const path of ['train.py', 'lib/model.py', '__pycache__/x.pyc'])
      await writeFile(join(folder, path), 'x');
    expect((await loadRecipe(task, folder)).map((file) => file.path)).toEqual(['lib/model.py', 'train.py']);
  });
});
