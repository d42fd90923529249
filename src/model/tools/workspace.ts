import { z } from 'zod';
import { editSchema, type Edit } from '../../domain/text/edits.js';
import { define, text, whole, type ModelTool } from './tool.js';

export const EDIT_TOOL = 'str_replace_based_edit_tool';

/** Calls that look at the workspace or change it. */
export type WorkspaceCall =
  { tool: 'edit'; edit: Edit } | { tool: 'check' } | { tool: 'rebase'; trial: number };

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

export const EDIT: ModelTool<WorkspaceCall> = {
  name: EDIT_TOOL,
  definition: () => ({ type: 'text_editor_20250728', name: EDIT_TOOL }),
  input: editInput
    .transform(editOf)
    .pipe(editSchema)
    .transform((edit): WorkspaceCall => ({ tool: 'edit', edit })),
};

export const SEARCH: ModelTool<WorkspaceCall> = {
  name: 'search',
  definition: () =>
    define(
      'search',
      'Lines of the recipe that match a regular expression (no look-around, no back references), as path:line: text.',
      { pattern: text, path: { ...text, description: 'A file or folder; default: the whole recipe.' } },
      ['pattern'],
    ),
  input: z
    .object({ pattern: z.string(), path: z.string().nullish() })
    .transform(({ pattern, path }): WorkspaceCall => {
      return { tool: 'edit', edit: { command: 'search', pattern, ...(path == null ? {} : { path }) } };
    }),
};

export const CHECK: ModelTool<WorkspaceCall> = {
  name: 'check',
  definition: () =>
    define(
      'check',
      'Check the workspace without spending a trial: the task’s check command, and the exact or projected margin of every gate that can be known before training.',
      {},
    ),
  input: z.object({}).transform((): WorkspaceCall => ({ tool: 'check' })),
};

export const REBASE: ModelTool<WorkspaceCall> = {
  name: 'rebase',
  definition: () =>
    define(
      'rebase',
      'Replace the workspace with the files of a measured trial, which becomes the parent of the next one. Unsubmitted edits are lost.',
      { trial: whole },
      ['trial'],
    ),
  input: z
    .object({ trial: z.number().int().nonnegative() })
    .transform((input): WorkspaceCall => ({ tool: 'rebase', ...input })),
};
