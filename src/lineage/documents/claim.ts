import { z } from 'zod';
import { CLAIM_RULE, claimResultSchema } from '../../domain/decision/claim/claim.js';
import { finite } from '../../domain/trial/evaluation.js';

/** A claim of a campaign, at a milestone or at its end: what is measured for it, and what came of it. */
export const claimDocument = z.object({
  /** OWNER/NUMBER. */
  _id: z.string(),
  owner: z.string(),
  /** Counts the milestones from 0; the last one is the end. */
  number: z.number().int(),
  /** Trials that are compared. */
  start: z.number().int(),
  frontier: z.number().int(),
  /** Of the frontier. */
  version: z.number().int(),
  metric: z.string(),
  direction: z.enum(['minimize', 'maximize']),
  /** Fresh runs of each. */
  runs: z.number().int(),
  /** By which its runs are weighed. */
  rule: z.literal([1, CLAIM_RULE]).default(1),
  /** Candidates that the search had decided on before; null: not counted under rule 1. */
  decided: z.number().int().nullable().default(null),
  confidence: finite,
  replicates: z.array(z.string()),
  /** All its runs with the digests of their artifacts, from when all are trained; none is evaluated before. */
  sealed: z.array(z.object({ replicate: z.string(), artifact: z.string() })).nullable(),
  result: claimResultSchema.nullable(),
  /** Why there is no result. */
  void: z.string().nullable(),
  openedAt: z.date(),
  closedAt: z.date().nullable(),
});
export type ClaimDocument = z.infer<typeof claimDocument>;
