import type Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';
import { toolUses, type Reply, type ToolUse } from '../domain/session/conversation.js';
import type { Task } from '../domain/task/task.js';
import { editSchema, type Edit } from '../domain/text/edits.js';
import { finite } from '../domain/trial/evaluation.js';
import { TRIAL_STATUSES, trialStatusSchema, type TrialStatus } from '../domain/statuses.js';

export const EDIT_TOOL = 'str_replace_based_edit_tool';

/** One tool call whose input was checked; `malformed` is answered with its error and does nothing. */
export type ToolCall =
  | { tool: 'edit'; edit: Edit }
  | { tool: 'check' }
  | { tool: 'lineage'; role: string | null; status: TrialStatus | null; limit: number }
  | { tool: 'read_trial'; trial: number }
  | { tool: 'rebase'; trial: number }
  | {
      tool: 'submit_trial';
      hypothesis: string;
      expectedDelta: number | null;
      parent: number | null;
      /** Left out where a task has none, and in conversations of an earlier assay. */
      domain?: string | null | undefined;
    }
  | { tool: 'finish'; note: string }
  | { tool: 'malformed'; error: string };

const text = { type: 'string' };
const whole = { type: 'integer', minimum: 0 };

function tool(
  name: string,
  description: string,
  properties: object,
  required: string[] = [],
): Anthropic.Tool {
  return {
    name,
    description,
    input_schema: { type: 'object', properties, required, additionalProperties: false },
  };
}

/** Domains of a task, each with what belongs to it. */
type Domains = Task['recipe']['domains'];

/** Property of a submit that says what an edit is of, where the task asks for it. */
function domainProperty(domains: Domains): object {
  const names = Object.keys(domains);
  if (names.length === 0) return {};
  const description = names.map((name) => `${name}: ${domains[name] ?? ''}`).join('; ');
  return { domain: { type: 'string', enum: names, description: `What the edit changes. ${description}.` } };
}

/** The tools of a session, in a fixed order so that the provider's cache holds them. */
export function toolDefinitions(domains: Domains): Anthropic.ToolUnion[] {
  return [
    { type: 'text_editor_20250728', name: EDIT_TOOL },
    tool(
      'search',
      'Lines of the recipe that match a regular expression (no look-around, no back references), as path:line: text.',
      { pattern: text, path: { ...text, description: 'A file or folder; default: the whole recipe.' } },
      ['pattern'],
    ),
    tool(
      'check',
      'Check the workspace without spending a trial: the task’s check command, and the exact or projected margin of every gate that can be known before training.',
      {},
    ),
    tool('lineage', 'Trials of this campaign, newest first.', {
      role: { ...text, description: 'Only trials of this role.' },
      status: { type: 'string', enum: [...TRIAL_STATUSES] },
      limit: { type: 'integer', minimum: 1, maximum: 100 },
    }),
    tool(
      'read_trial',
      'One trial in full: hypothesis, diff against its parent, score, margins, lesson.',
      { trial: whole },
      ['trial'],
    ),
    tool(
      'rebase',
      'Replace the workspace with the files of a measured trial, which becomes the parent of the next one. Unsubmitted edits are lost.',
      { trial: whole },
      ['trial'],
    ),
    tool(
      'submit_trial',
      'Freeze the workspace as a trial, measure it, and wait for its result. Costs one trial.',
      {
        hypothesis: { ...text, description: 'What changes and why it should help, in a few sentences.' },
        expected_delta: { type: 'number', description: 'Expected score minus the parent’s score.' },
        parent: { ...whole, description: 'Default: the trial that the workspace stands on.' },
        ...domainProperty(domains),
      },
      ['hypothesis', 'expected_delta', ...Object.keys(domainProperty(domains))],
    ),
    tool('finish', 'End this session.', {
      note: { ...text, description: 'What the next session should know.' },
    }),
  ];
}

const lineRange = z.tuple([z.number().int(), z.number().int()]);
const viewRange = z.preprocess(
  (value) =>
    typeof value === 'string'
      ? value.split(/[[\],\s]+/).flatMap((part) => (part === '' ? [] : [Number(part)]))
      : value,
  lineRange,
);

const editInput = z.discriminatedUnion('command', [
  z.object({ command: z.literal('view'), path: z.string(), view_range: viewRange.nullish() }),
  z.object({ command: z.literal('create'), path: z.string(), file_text: z.string() }),
  z.object({
    command: z.literal('str_replace'),
    path: z.string(),
    old_str: z.string(),
    new_str: z.string().default(''),
  }),
  z.object({
    command: z.literal('insert'),
    path: z.string(),
    insert_line: z.number().int(),
    insert_text: z.string().optional(),
    /** The name of the same field in older versions of the tool, which models still use now and then. */
    new_str: z.string().optional(),
  }),
]);

function editOf(input: z.infer<typeof editInput>): unknown {
  const { command, path } = input;
  switch (command) {
    case 'view':
      return { command, path, ...(input.view_range == null ? {} : { range: input.view_range }) };
    case 'create':
      return { command, path, text: input.file_text };
    case 'str_replace':
      return { command, path, old: input.old_str, new: input.new_str };
    case 'insert':
      return { command, path, line: input.insert_line, text: input.insert_text ?? input.new_str };
  }
}

const trial = z.number().int().nonnegative();
const hypothesis = z
  .string()
  .max(4000)
  .refine((value) => value.trim() !== '', 'say what changes and why');

/** The checked calls by tool name. */
const INPUTS: ReadonlyMap<string, z.ZodType<ToolCall>> = new Map<string, z.ZodType<ToolCall>>([
  [
    EDIT_TOOL,
    editInput
      .transform(editOf)
      .pipe(editSchema)
      .transform((edit): ToolCall => ({ tool: 'edit', edit })),
  ],
  [
    'search',
    z.object({ pattern: z.string(), path: z.string().nullish() }).transform(({ pattern, path }): ToolCall => {
      return { tool: 'edit', edit: { command: 'search', pattern, ...(path == null ? {} : { path }) } };
    }),
  ],
  ['check', z.object({}).transform((): ToolCall => ({ tool: 'check' }))],
  [
    'lineage',
    z
      .object({
        role: z.string().max(48).nullish(),
        status: trialStatusSchema.nullish(),
        limit: z.number().int().min(1).max(100).default(20),
      })
      .transform(({ role, status, limit }): ToolCall => {
        return { tool: 'lineage', role: role ?? null, status: status ?? null, limit };
      }),
  ],
  ['read_trial', z.object({ trial }).transform((input): ToolCall => ({ tool: 'read_trial', ...input }))],
  ['rebase', z.object({ trial }).transform((input): ToolCall => ({ tool: 'rebase', ...input }))],
  [
    'submit_trial',
    z
      .object({
        hypothesis,
        expected_delta: finite.nullish(),
        parent: trial.nullish(),
        domain: z.string().max(48).nullish(),
      })
      .transform((input): ToolCall => {
        const { expected_delta: expected, parent, domain } = input;
        return {
          tool: 'submit_trial',
          hypothesis: input.hypothesis,
          expectedDelta: expected ?? null,
          parent: parent ?? null,
          ...(domain == null ? {} : { domain }),
        };
      }),
  ],
  [
    'finish',
    z
      .object({ note: z.string().max(4000).nullish() })
      .transform(({ note }): ToolCall => ({ tool: 'finish', note: note ?? '' })),
  ],
]);

/** Parses one tool call of a model; an error is worded so that the model can fix it. */
export function parseCall(use: ToolUse): ToolCall {
  const input = INPUTS.get(use.name);
  if (input === undefined) {
    return {
      tool: 'malformed',
      error: `There is no tool "${use.name.slice(0, 60)}". Tools: ${[...INPUTS.keys()].join(', ')}.`,
    };
  }
  const parsed = input.safeParse(use.input);
  if (parsed.success) return parsed.data;
  return {
    tool: 'malformed',
    error: `The input of ${use.name} is malformed:\n${z.prettifyError(parsed.error)}`.slice(0, 2000),
  };
}

/** Calls of one reply that are carried out. */
const MOST_CALLS = 100;
const TOO_MANY: ToolCall = {
  tool: 'malformed',
  error: `A reply may have ${MOST_CALLS} tool calls; nothing was done for this one. Call it again in the next reply.`,
};
const CUT_OFF: ToolCall = {
  tool: 'malformed',
  error: 'The reply was cut off at its token limit before this call was complete; nothing was done.',
};

/**
 * The calls of a reply in their order. Those beyond a hundred are not carried out, nor is the last one of a reply that
 * was cut off at its token limit: its input may be half of what was meant.
 */
export function callsOf(reply: Reply): { use: ToolUse; call: ToolCall }[] {
  const uses = toolUses(reply);
  return uses.map((use, index) => {
    if (index >= MOST_CALLS) return { use, call: TOO_MANY };
    const cut = reply.stopReason === 'max_tokens' && index === uses.length - 1;
    return { use, call: cut ? CUT_OFF : parseCall(use) };
  });
}
