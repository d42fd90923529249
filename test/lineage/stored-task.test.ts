import { expect, it } from 'vitest';
import { z } from 'zod';
import { taskSchema } from '../../src/domain/task/task.js';
import { storedTask } from '../../src/lineage/documents/stored-task.js';

const jsonSchema = z.object({
  properties: z.record(z.string(), z.unknown()).default({}),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).default([]),
});

/** Paths of all fields in a JSON schema. */
function fieldsOf(schema: unknown, path = ''): string[] {
  const { success, data } = jsonSchema.safeParse(schema);
  if (!success) return [];
  return [
    ...Object.entries(data.properties).flatMap(([name, field]) => [
      `${path}.${name}`,
      ...fieldsOf(field, `${path}.${name}`),
    ]),
    ...[data.items, ...data.anyOf].flatMap((part) => fieldsOf(part, path)),
  ];
}

it('a stored task keeps every field that task.yaml can have', () => {
  const [given, kept] = [taskSchema, storedTask].map((schema) =>
    fieldsOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })),
  );
  expect(given?.length).toBeGreaterThan(40);
  expect(kept).toEqual(expect.arrayContaining(given ?? []));
});
