import { z } from 'zod';
import { trialStatusSchema } from '../../domain/statuses.js';
import type { TrialRow } from '../../domain/session/view.js';
import { finite } from '../../domain/trial/evaluation.js';
import { labelSchema } from '../../domain/trial/labels.js';
import { marginSchema } from '../../domain/trial/outcome.js';

const rowSchema = z.object({
  trial: z.number().int(),
  role: z.string(),
  parent: z.number().int().nullable(),
  hypothesis: z.string(),
  status: trialStatusSchema.nullable(),
  labels: z.array(labelSchema).default([]),
  score: finite.nullable(),
  runs: z.number().int().nullable().default(null),
  noise: z.object({ sd: finite, runs: z.number().nullable() }).nullable().default(null),
  delta: finite.nullable(),
  expectedDelta: finite.nullable().default(null),
  believed: z.object({ mean: finite, sd: finite }).nullable().default(null),
  margins: z.array(marginSchema),
  changes: z.string(),
  moved: z.object({ label: z.string(), from: finite, to: finite }).nullable().default(null),
  lesson: z.string(),
}) satisfies z.ZodType<TrialRow>;

/** `rank` is the score turned so that smaller is better. */
export const leaderboardDocument = z.object({
  _id: z.string(),
  rows: z.array(rowSchema.extend({ rank: z.number().nullable() })),
});

/** Statuses of a block of ended trials, by number. */
export const statusBlockDocument = z.object({
  _id: z.string(),
  statuses: z.record(z.string(), trialStatusSchema),
});
