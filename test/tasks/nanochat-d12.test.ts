import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePatch } from 'diff';
import { z } from 'zod';
import { knobsOf } from '../../src/domain/text/knobs.js';
import { matchesGlob } from '../../src/domain/text/paths.js';
import { readTask } from '../../src/tasks/load.js';
import { withSmallRecipe } from '../fixtures/upstream/copy.js';
import { numpyPython } from './numpy-python.js';

const TASK = join(import.meta.dirname, '../../tasks/nanochat-d12');
const training = z.object({
  status: z.number(),
  said: z.string(),
  ranks: z.array(z.string()),
  world: z.array(z.string()),
  arguments: z.number(),
});
const results = z.object({
  bytes: z.number(),
  same: z.array(z.boolean()),
  alone: training,
  two: training,
  failing: training,
  core: z.object({
    options: z.unknown(),
    prompts: z.unknown(),
    continuations: z.unknown(),
    accuracies: z.record(z.string(), z.number()),
    metric: z.number(),
  }),
  missing: z.object({ reason: z.string(), tokenizer: z.boolean(), scored: z.record(z.string(), z.number()) }),
});

let found: z.infer<typeof results>;
let folder: string;
beforeAll(async () => {
  folder = await withSmallRecipe('nanochat-d12');
  const { stdout } = await promisify(execFile)(
    'python',
    [join(import.meta.dirname, 'nanochat_checks.py'), folder, join(folder, 'recipe')],
    { env: { PATH: `${await numpyPython()}:/usr/bin:/bin`, PYTHONDONTWRITEBYTECODE: '1' }, maxBuffer: 1e7 },
  );
  found = results.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
}, 120_000);
afterAll(() => rm(dirname(folder), { recursive: true, force: true }));

describe('the coordinator', () => {
  it('answers with several servers as with one, byte for byte', () => {
    expect(found.bytes).toBeGreaterThan(10_000);
    expect(found.same).toEqual([true, true]);
  });

  it('starts a rank for each accelerator, of which the first says that it is ready', () => {
    expect(found.alone).toMatchObject({ status: 0, said: 'ready\n', ranks: ['alone'] });
    expect(found.two).toMatchObject({ status: 0, said: 'ready\n', ranks: ['0', '1'], world: ['2'] });
    expect(found.two.arguments).toBeGreaterThan(10);
  });

  it('ends all ranks, and with the status of it, when one fails', () => {
    expect(found.failing.status).toBe(7);
  });
});

it('the evaluator reads CORE as the preparation wrote it', () => {
  expect(found.core).toMatchObject({
    options: [
      [[1, 2], 1],
      [[1, 3], 1],
      [[1, 4], 1],
    ],
    prompts: [
      [5, 6, 7],
      [5, 6, 7],
    ],
    continuations: [[8], [8]],
    accuracies: { options: 0.5, prompts: 0.5, more: 1 },
  });
  expect(found.core.metric).toBeCloseTo((0.25 / 0.75 + 0.5 + 1) / 3, 12);
});

it('a preparation without the last shard fails, and does not take another for it', () => {
  expect(found.missing.reason).toContain('shard_06542.parquet cannot be downloaded');
  expect(found.missing).toMatchObject({ tokenizer: false, scored: { search: 6542, claim: 6541 } });
});

it('bits per byte decide, CORE may veto and is what is claimed', async () => {
  const { spec } = await readTask(TASK, {});
  expect(spec).toMatchObject({
    metric: { name: 'core', direction: 'maximize' },
    decision_metric: { name: 'bpb', direction: 'minimize' },
    guards: [{ metric: 'core', direction: 'maximize', margin: 0.02 }],
  });
});

it('the change is to files that agents edit, and their settings have knobs', async () => {
  const { spec } = await readTask(TASK, {});
  const parts = parsePatch(await readFile(join(TASK, 'source.patch'), 'utf8'));
  const paths = parts.map(({ newFileName = '' }) => newFileName.replace('b/recipe/', ''));
  expect(paths).toContain('train.py');
  expect(paths.filter((path) => !matchesGlob(path, spec.recipe.editable))).toEqual([]);
  expect(knobsOf(await readFile(join(TASK, 'recipe/settings.py'), 'utf8')).length).toBeGreaterThan(5);
});
