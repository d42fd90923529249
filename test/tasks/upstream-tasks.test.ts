import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parsePatch } from 'diff';
import { knobsOf } from '../../src/domain/text/knobs.js';
import { readTask } from '../../src/tasks/load.js';

const TASKS = join(import.meta.dirname, '../../tasks');
const NAMES = ['cifar10-airbench96', 'autoresearch', 'nanochat-d12'];
const PROFILES = ['paper', 'one-gpu', 'ci'];
/** Tasks of which agents edit one file. */
const SINGLE = ['cifar10-airbench96', 'autoresearch'];

it.each(NAMES.flatMap((task) => PROFILES.map((profile) => [task, profile] as const)))(
  '%s is a task in the profile %s, with a prompt for each role',
  async (task, profile) => {
    const folder = join(TASKS, task);
    const { spec } = await readTask(folder, { profile });
    expect(spec).toMatchObject({ name: task, profile });
    const prompts = await Promise.all(
      spec.specialists.map((role) => readFile(join(folder, 'specialists', `${role}.md`), 'utf8')),
    );
    expect(prompts.every((prompt) => prompt.length > 500)).toBe(true);
    expect(Object.keys(spec.recipe.domains).sort()).toEqual([...spec.specialists].sort());
  },
);

it.each(SINGLE)('the change of %s is to the one file that agents edit, and marks knobs', async (task) => {
  const text = await readFile(join(TASKS, task, 'source.patch'), 'utf8');
  const parts = parsePatch(text);
  expect(parts.map(({ newFileName }) => newFileName)).toEqual(['b/recipe/train.py']);
  const added = parts
    .flatMap(({ hunks }) => hunks.flatMap(({ lines }) => lines))
    .filter((line) => line.startsWith('+'));
  expect(knobsOf(added.map((line) => line.slice(1)).join('\n')).length).toBeGreaterThan(3);
});

it('the evaluator of airbench96 tells the margin of the gate that decides', async () => {
  const folder = join(TASKS, 'cifar10-airbench96');
  const evaluator = await readFile(join(folder, 'evaluator/evaluate.py'), 'utf8');
  const gates = await Promise.all(
    ['ci', 'paper'].map(async (profile) => {
      const { spec } = await readTask(folder, { profile });
      return spec.gates.find(({ name }) => name === 'accuracy')?.min;
    }),
  );
  expect(evaluator).toContain(
    `GATE = ${gates[0]} if os.environ.get('ASSAY_PROFILE') == 'ci' else ${gates[1]}`,
  );
});
