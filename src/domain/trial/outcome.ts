import { z } from 'zod';
import { finite } from './evaluation.js';
import { trialStatusSchema, type TrialStatus } from '../statuses.js';
import { labelSchema } from './labels.js';

/** Failure of a phase, with the numbers an agent can use. */
export const failureSchema = z.object({
  status: trialStatusSchema,
  phase: z.enum(['static', 'check', 'smoke', 'rehearsal', 'prewarm', 'train', 'pack', 'seal', 'evaluate']),
  reason: z.string(),
  limit: z
    .object({ name: z.string(), used: finite, allowed: finite, unit: z.string() })
    .nullable()
    .default(null),
  /** Last lines of the phase's log. */
  tail: z.string().default(''),
  /** True where it was out of time, and each time on a host slower than usual. */
  busyHost: z.boolean().optional(),
});
export type Failure = z.infer<typeof failureSchema>;

export const marginSchema = z.object({
  gate: z.string(),
  metric: z.string(),
  value: finite,
  limit: finite,
  side: z.enum(['max', 'min']),
  over: finite,
  doubt: z.object({ standardError: finite, slack: finite }).optional(),
});

/** The end of a trial: its one status and everything that explains it. */
export const outcomeSchema = z.object({
  status: trialStatusSchema,
  score: finite.nullable(),
  metrics: z.record(z.string(), finite),
  margins: z.array(marginSchema),
  labels: z.array(labelSchema).default([]),
  failure: failureSchema.nullable(),
  /** One line for agents and people. */
  lesson: z.string(),
  feedback: z.string(),
  duplicateOf: z.number().int().nullable(),
  decision: z.string().nullable(),
  cancelledBy: z.string().nullable(),
});
export type Outcome = z.infer<typeof outcomeSchema>;

/** An outcome in which nothing was measured. */
export function unmeasured(status: TrialStatus, lesson: string, more: Partial<Outcome> = {}): Outcome {
  return {
    status,
    score: null,
    metrics: {},
    margins: [],
    labels: [],
    failure: null,
    lesson,
    feedback: '',
    duplicateOf: null,
    decision: null,
    cancelledBy: null,
    ...more,
  };
}
