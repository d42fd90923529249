import { z } from 'zod';
import { define, text, type ModelTool } from './tool.js';

/** Calls that keep or read what agents wrote down. */
export type NotesCall =
  { tool: 'note'; text: string } | { tool: 'notes'; role: string | null; limit: number };

const LONGEST_NOTE = 4000;
const MOST_NOTES = 50;

export const NOTE: ModelTool<NotesCall> = {
  name: 'note',
  definition: () =>
    define(
      'note',
      'Write down what was learned, for the sessions after this one: they read notes and nothing else of this conversation.',
      { text },
      ['text'],
    ),
  input: z
    .object({
      text: z
        .string()
        .max(LONGEST_NOTE)
        .refine((value) => value.trim() !== '', 'say what was learned'),
    })
    .transform((input): NotesCall => ({ tool: 'note', ...input })),
};

export const NOTES: ModelTool<NotesCall> = {
  name: 'notes',
  definition: () =>
    define('notes', 'Notes of earlier sessions, newest first.', {
      role: { ...text, description: 'Only notes of this role.' },
      limit: { type: 'integer', minimum: 1, maximum: MOST_NOTES },
    }),
  input: z
    .object({
      role: z.string().max(48).nullish(),
      limit: z.number().int().min(1).max(MOST_NOTES).default(10),
    })
    .transform(({ role, limit }): NotesCall => ({ tool: 'notes', role: role ?? null, limit })),
};
