import { z } from 'zod';
import { definedFields } from '../defined-fields.js';
import { FIXED_BY_PROFILES } from './schema/profiles.js';
import { taskFileSchema } from './task.js';

const nodeSchema: z.ZodType<Node> = z.record(z.string(), z.unknown());
type Node = Record<string, unknown>;

/** Where the schema of task.yaml lies in a clone. */
export const SCHEMA_FILE = 'docs/task.schema.json';

/**
 * The JSON Schema of task.yaml, for editors: fields, their meanings, values and defaults. Rules between fields are
 * checked by `assay task check` alone.
 */
export function taskJsonSchema(): Node {
  const schema = nodeSchema.parse(
    z.toJSONSchema(taskFileSchema, {
      io: 'input',
      override: ({ jsonSchema }) => {
        // editors differ in whether they read patterns as Unicode
        if (jsonSchema.pattern?.includes('\\p{') === true) delete jsonSchema.pattern;
      },
    }),
  );
  const properties = nodeSchema.parse(schema['properties']);
  const profiles = nodeSchema.parse(properties['profiles']);
  const varying = Object.entries(properties).filter(
    ([name]) => !FIXED_BY_PROFILES.some((fixed) => fixed === name),
  );
  const part = { type: 'object', properties: Object.fromEntries(varying), additionalProperties: false };
  return {
    ...schema,
    title: 'task.yaml of assay',
    properties: { ...properties, profiles: { ...profiles, additionalProperties: partial(part) } },
  };
}

/** A schema of what is merged over a value of another: nothing is needed, and null removes. */
function partial(node: Node): Node {
  const { required: _, default: __, properties, ...rest } = node;
  const own = nodeSchema.safeParse(properties).data;
  if (own === undefined) return rest;
  return {
    ...rest,
    properties: Object.fromEntries(
      Object.entries(own).map(([name, field]) => {
        const { description, ...value } = partial(nodeSchema.parse(field));
        return [name, { ...definedFields({ description }), anyOf: [value, { type: 'null' }] }];
      }),
    ),
  };
}
