import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { taskFileSchema } from '../../src/domain/task/task.js';
import { SCHEMA_FILE, taskJsonSchema } from '../../src/domain/task/json-schema.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const text = (): string => `${JSON.stringify(taskJsonSchema(), null, 2)}\n`;

it(`${SCHEMA_FILE} is what the schemas say (ASSAY_RECORD=1 writes it again)`, async () => {
  if (process.env['ASSAY_RECORD'] !== undefined) await writeFile(join(ROOT, SCHEMA_FILE), text());
  expect(await readFile(join(ROOT, SCHEMA_FILE), 'utf8')).toBe(text());
});

/** The schema read back, as an editor does. */
const schema = z.fromJSONSchema(z.record(z.string(), z.json()).parse(taskJsonSchema()));
const bundled = async (): Promise<[string, unknown][]> => {
  const names = await readdir(join(ROOT, 'tasks'));
  const files = await Promise.all(
    names.map(async (name): Promise<[string, unknown][]> => {
      const yaml = await readFile(join(ROOT, 'tasks', name, 'task.yaml'), 'utf8').catch(() => null);
      return yaml === null ? [] : [[name, parse(yaml)]];
    }),
  );
  return files.flat();
};

it('holds of a bundled task, profiles included, where assay takes it', async () => {
  for (const [name, task] of await bundled()) {
    const taken = taskFileSchema.safeParse(task).success;
    expect([name, schema.safeParse(task).success]).toEqual([name, taken]);
  }
});

it.each([
  ['an unknown field', { titel: 'x' }],
  ['an unknown field of a profile', { profiles: { ci: { resources: { tpus: 1 } } } }],
  ['what a profile cannot change', { profiles: { ci: { recipe: { root: 'x' } } } }],
  ['a value of another type', { profiles: { ci: { phases: { train: { timeout_s: 'long' } } } } }],
])('marks %s', async (_, change) => {
  const [, task] = (await bundled()).find(([name]) => name === 'byte-golf') ?? [];
  expect(schema.safeParse(task).success).toBe(true);
  expect(schema.safeParse({ ...z.record(z.string(), z.unknown()).parse(task), ...change }).success).toBe(
    false,
  );
});

it('lets a profile remove a field, and name a part of an object', async () => {
  const [, task] = (await bundled()).find(([name]) => name === 'byte-golf') ?? [];
  const profiles = {
    ci: { requirements: null, phases: { train: { timeout_s: 5 } }, resources: { shm_mb: null } },
  };
  expect(
    schema.safeParse({ ...z.record(z.string(), z.unknown()).parse(task), profiles }).error?.issues,
  ).toBeUndefined();
});
