import { z } from 'zod';
import { campaignNameSchema } from '../../src/domain/keys.js';
import { FOLDER_LIMITS } from '../../src/domain/task/recipe.js';
import { taskName } from '../../src/domain/task/schema/fields.js';
import { metricName } from '../../src/domain/task/schema/metric-name.js';
import { taskFileSchema } from '../../src/domain/task/task.js';
import { knobsOf } from '../../src/domain/text/knobs.js';
import { MAX_DEPTH, MAX_PATH, MAX_SEGMENT } from '../../src/domain/text/paths.js';
import { failedSchema, measuredSchema } from '../../src/domain/trial/evaluation.js';
import { MANIFEST, manifestSchema } from '../../src/tasks/data-manifest.js';

/** What is read of a JSON schema. */
interface Node {
  type?: string | undefined;
  const?: unknown;
  enum?: unknown[] | undefined;
  description?: string | undefined;
  default?: unknown;
  minimum?: number | undefined;
  maximum?: number | undefined;
  exclusiveMinimum?: number | undefined;
  minItems?: number | undefined;
  maxLength?: number | undefined;
  required?: string[] | undefined;
  properties?: Record<string, Node> | undefined;
  items?: Node | undefined;
  anyOf?: Node[] | undefined;
  additionalProperties?: Node | boolean | undefined;
}

const nodeSchema: z.ZodType<Node> = z.lazy(() =>
  z.looseObject({
    type: z.string().optional(),
    enum: z.array(z.unknown()).optional(),
    description: z.string().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    exclusiveMinimum: z.number().optional(),
    minItems: z.number().optional(),
    maxLength: z.number().optional(),
    required: z.array(z.string()).optional(),
    properties: z.record(z.string(), nodeSchema).optional(),
    items: nodeSchema.optional(),
    anyOf: z.array(nodeSchema).optional(),
    additionalProperties: z.union([z.boolean(), nodeSchema]).optional(),
  }),
);

const nodeOf = (schema: z.ZodType): Node => nodeSchema.parse(z.toJSONSchema(schema, { io: 'input' }));

/** Knobs in several languages, as they are marked. */
export const KNOBS = [
  'LR = 0.3  # knob: 0.01..3 log',
  'width: int = 1_000  # knob: 100..10_000',
  'const rate = 0.1; // knob: 0.01..1 log',
  'static const float decay = 0.5f; // knob: 0..1',
  '#define STEPS 500 // knob: 100..5000',
  'let mut rate: f64 = 1.0; // knob: 0.1..10.0 log',
  'rate := 0.25 // knob: 0.1..10 log',
];

/** Renders docs/task-reference.md from the schemas that assay checks with. */
export function renderTaskReference(): string {
  return [
    '# Task reference',
    'Written from the schemas in `src/domain/task`, `src/domain/trial/evaluation.ts` and `src/tasks/data-manifest.ts` by `ASSAY_RECORD=1 npx vitest run test/tasks/task-reference.test.ts`; not to be edited by hand. [tasks.md](tasks.md) is the way in, and has what quoted words such as "Seeds" refer to.',
    '## task.yaml',
    'A field without a default has to be there, unless it is optional, or belongs to something optional that is left out. Unknown fields are refused.',
    table(nodeOf(taskFileSchema)),
    '## The answer of an evaluator',
    'One JSON object on the descriptor `ASSAY_RESULT_FD`, of at most 1 MiB. Other fields are ignored, and noted in the log of the evaluation. A score:',
    table(nodeOf(measuredSchema)),
    'or, where the recipe is at fault and not the evaluator:',
    table(nodeOf(failedSchema)),
    'JSON has no NaN and no infinity: answer with a failure of kind `invalid` instead. Anything else, and an exit code other than 0, is a fault of the evaluator: it is retried, the message names the field, and no trial is held to account.',
    `## ${MANIFEST} of prepared data`,
    'Written last by the preparation, into `ASSAY_OUTPUT`. Other fields are ignored.',
    table(nodeOf(manifestSchema)),
    '## Knobs',
    'The offline proposer turns numeric constants whose line ends with `knob: LOW..HIGH`, or `knob: LOW..HIGH log` for a logarithmic scale, in a comment of the language:',
    `\`\`\`text\n${KNOBS.join('\n')}\n\`\`\``,
    `Read as: ${KNOBS.flatMap(knobsOf)
      .map(
        ({ name, value, low, high, log }) => `\`${name}\` ${value} (${low} to ${high}${log ? ', log' : ''})`,
      )
      .join(
        '; ',
      )}. A knob whose value and ends are whole numbers stays whole. A name that is marked twice is never turned.`,
    '## Names and sizes',
    namesTable(),
    '',
  ].join('\n\n');
}

function namesTable(): string {
  const { maxFiles, maxFileBytes, maxBytes } = FOLDER_LIMITS;
  return rows(
    ['what', 'limit'],
    [
      ['name of a task, gate, pool or specialist', ruleOf(taskName)],
      ['name of a metric', ruleOf(metricName)],
      ['name of a campaign', ruleOf(campaignNameSchema)],
      [
        'path of a recipe file',
        `at most ${MAX_PATH} characters, ${MAX_SEGMENT} a segment, ${MAX_DEPTH} folders deep; forward slashes; no control characters, no segment that is empty, \`.\`, \`..\` or \`.git\`, or that begins with a space or ends with a space or a dot; no two that differ only in upper and lower case`,
      ],
      [
        'a task folder, and a recipe',
        `at most ${maxFiles} files of at most ${maxFileBytes / 2 ** 20} MiB, ${maxBytes / 2 ** 20} MiB in all; no links`,
      ],
      ['left out of a folder', '`.git`, `.venv`, `__pycache__`, `node_modules`, `.DS_Store`'],
    ],
  );
}

/** The words with which a name is refused. */
const ruleOf = (schema: z.ZodType): string => schema.safeParse(' ').error?.issues[0]?.message ?? '';

function table(node: Node): string {
  return rows(['field', 'value', 'default', 'meaning'], fieldsOf(node, ''));
}

const rows = (title: string[], body: string[][]): string =>
  [title, title.map(() => '---'), ...body].map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function fieldsOf(node: Node, before: string): string[][] {
  return Object.entries(node.properties ?? {}).flatMap(([name, field]) => {
    const path = `${before}${name}`;
    const isRequired = node.required?.includes(name) === true;
    const own = [`\`${path}\``, valueOf(field), defaultOf(field, isRequired), field.description ?? ''];
    if (field.properties !== undefined) return [own, ...fieldsOf(field, `${path}.`)];
    if (field.items?.properties !== undefined) return [own, ...fieldsOf(field.items, `${path}[].`)];
    // one, or a list of such: the fields are told once
    const objects = field.anyOf?.find((one) => one.properties !== undefined);
    if (objects !== undefined) return [own, ...fieldsOf(objects, `${path}.`)];
    return [own];
  });
}

function defaultOf(field: Node, isRequired: boolean): string {
  if (field.default === undefined) return isRequired ? 'needed' : 'optional';
  const { default: usual } = field;
  return `\`${typeof usual === 'string' && usual !== '' ? usual : JSON.stringify(usual)}\``;
}

function valueOf(field: Node): string {
  if (typeof field.const === 'string') return `\`${field.const}\``;
  if (field.enum !== undefined) return field.enum.map((one) => `\`${String(one)}\``).join(', ');
  if (field.anyOf !== undefined) return field.anyOf.map(valueOf).join(' or ');
  if (field.items !== undefined)
    return `list of ${field.items.type === 'object' ? 'objects' : valueOf(field.items)}`;
  if (field.type === 'object')
    return typeof field.additionalProperties === 'object'
      ? `${field.additionalProperties.type ?? 'value'}s by name`
      : 'object';
  return `${field.type ?? 'any'}${boundsOf(field)}`;
}

function boundsOf({ minimum, maximum, exclusiveMinimum, maxLength }: Node): string {
  const whole = (value: number): string => (value >= Number.MAX_SAFE_INTEGER ? '' : `at most ${value}`);
  const parts = [
    exclusiveMinimum === undefined ? '' : `above ${exclusiveMinimum}`,
    minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? '' : `at least ${minimum}`,
    maximum === undefined ? '' : whole(maximum),
    maxLength === undefined ? '' : `at most ${maxLength} characters`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : `, ${parts.join(', ')}`;
}
