import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parsePatch } from 'diff';
import { knobsOf } from '../../src/domain/text/knobs.js';
import { readTask } from '../../src/tasks/load.js';

const TASKS = join(import.meta.dirname, '../../tasks');
const NAMES = ['cifar10-airbench96', 'autoresearch', 'parameter-golf', 'nanochat-d12'];
const PROFILES = ['paper', 'one-gpu', 'ci'];
/** Files that the changes are to, which are what agents edit; of nanochat-d12 they edit the whole tree. */
const EDITED: Readonly<Record<string, readonly string[]>> = {
  'cifar10-airbench96': ['train.py'],
  autoresearch: ['train.py'],
  'parameter-golf': ['train_gpt.py', 'pack_gpt.py', 'serve_gpt.py'],
};

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

it.each(Object.entries(EDITED))(
  'the change of %s is to what agents edit, and marks knobs',
  async (task, edited) => {
    const { spec } = await readTask(join(TASKS, task), {});
    expect(spec.recipe.editable).toEqual(edited);
    const text = await readFile(join(TASKS, task, 'source.patch'), 'utf8');
    const parts = parsePatch(text);
    expect(parts.map(({ newFileName }) => newFileName)).toEqual(edited.map((path) => `b/recipe/${path}`));
    const added = parts
      .flatMap(({ hunks }) => hunks.flatMap(({ lines }) => lines))
      .filter((line) => line.startsWith('+'));
    expect(knobsOf(added.map((line) => line.slice(1)).join('\n')).length).toBeGreaterThan(3);
  },
);

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

it('parameter-golf prepares as many chunks as its evaluator says that it scores', async () => {
  const folder = join(TASKS, 'parameter-golf');
  const [evaluator, fineweb] = await Promise.all(
    ['evaluator/evaluate.py', 'fineweb.py'].map((path) => readFile(join(folder, path), 'utf8')),
  );
  expect(evaluator).toMatch(/'paper': \(FULL, 619, 1238, .*'one-gpu': \(FULL, 77, 154,/);
  expect(fineweb).toContain("'paper': (128, 619, None), 'one-gpu': (6, 77, 154)");
});
