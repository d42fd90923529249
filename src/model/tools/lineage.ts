import { z } from 'zod';
import { TRIAL_STATUSES, trialStatusSchema, type TrialStatus } from '../../domain/statuses.js';
import { define, text, whole, type ModelTool } from './tool.js';

/** Calls that read what was measured. */
export type LineageCall =
  | { tool: 'lineage'; role: string | null; status: TrialStatus | null; limit: number }
  | { tool: 'read_trial'; trial: number };

export const LINEAGE: ModelTool<LineageCall> = {
  name: 'lineage',
  definition: () =>
    define('lineage', 'Trials of this campaign, newest first.', {
      role: { ...text, description: 'Only trials of this role.' },
      status: { type: 'string', enum: [...TRIAL_STATUSES] },
      limit: { type: 'integer', minimum: 1, maximum: 100 },
    }),
  input: z
    .object({
      role: z.string().max(48).nullish(),
      status: trialStatusSchema.nullish(),
      limit: z.number().int().min(1).max(100).default(20),
    })
    .transform(({ role, status, limit }): LineageCall => {
      return { tool: 'lineage', role: role ?? null, status: status ?? null, limit };
    }),
};

export const READ_TRIAL: ModelTool<LineageCall> = {
  name: 'read_trial',
  definition: () =>
    define(
      'read_trial',
      'One trial in full: hypothesis, diff against its parent, score, margins, lesson.',
      { trial: whole },
      ['trial'],
    ),
  input: z
    .object({ trial: z.number().int().nonnegative() })
    .transform((input): LineageCall => ({ tool: 'read_trial', ...input })),
};
