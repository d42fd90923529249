import { z } from 'zod';
import { define, text, whole, type ModelTool } from './tool.js';

/** Calls that look closely at measured trials. */
export type InspectCall =
  | { tool: 'log'; trial: number; phase: string | null; lines: number; pattern: string | null }
  | { tool: 'curve'; trials: number[] }
  | { tool: 'diff'; from: number; to: number | null }
  | { tool: 'children'; trial: number; limit: number };

const number = z.number().int().nonnegative();
const MOST_LINES = 400;
const MOST_CURVES = 2;

export const LOG: ModelTool<InspectCall> = {
  name: 'log',
  definition: () =>
    define(
      'log',
      'What a phase of a trial printed, tracebacks included: its last lines, or those that match a pattern.',
      {
        trial: whole,
        phase: { ...text, description: 'Such as train or pack; default: the last one that left a log.' },
        lines: { type: 'integer', minimum: 1, maximum: MOST_LINES, description: 'Default: 60.' },
        pattern: { ...text, description: 'A regular expression; only lines that match it.' },
      },
      ['trial'],
    ),
  input: z
    .object({
      trial: number,
      phase: z.string().max(40).nullish(),
      lines: z.number().int().min(1).max(MOST_LINES).default(60),
      pattern: z.string().nullish(),
    })
    .transform(({ phase, pattern, ...input }): InspectCall => {
      return { tool: 'log', ...input, phase: phase ?? null, pattern: pattern ?? null };
    }),
};

export const CURVE: ModelTool<InspectCall> = {
  name: 'curve',
  definition: () =>
    define(
      'curve',
      'Progress that the training of a trial reported, as numbers by time; two trials stand side by side.',
      { trials: { type: 'array', items: whole, minItems: 1, maxItems: MOST_CURVES } },
      ['trials'],
    ),
  input: z
    .object({ trials: z.array(number).min(1).max(MOST_CURVES) })
    .transform(({ trials }): InspectCall => ({ tool: 'curve', trials: [...new Set(trials)] })),
};

export const DIFF: ModelTool<InspectCall> = {
  name: 'diff',
  definition: () =>
    define(
      'diff',
      'How the recipes of two trials differ.',
      { from: whole, to: { ...whole, description: 'Default: the workspace.' } },
      ['from'],
    ),
  input: z
    .object({ from: number, to: number.nullish() })
    .transform(({ from, to }): InspectCall => ({ tool: 'diff', from, to: to ?? null })),
};

export const CHILDREN: ModelTool<InspectCall> = {
  name: 'children',
  definition: () =>
    define(
      'children',
      'Trials that were built on a trial, newest first, with status and score.',
      { trial: whole, limit: { type: 'integer', minimum: 1, maximum: 100 } },
      ['trial'],
    ),
  input: z
    .object({ trial: number, limit: z.number().int().min(1).max(100).default(20) })
    .transform((input): InspectCall => ({ tool: 'children', ...input })),
};
