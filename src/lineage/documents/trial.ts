import { z } from 'zod';
import { trialStageSchema, trialStatusSchema } from '../../domain/statuses.js';
import { projectionSchema } from '../../domain/task/rehearsal.js';
import { finite } from '../../domain/trial/evaluation.js';
import { failureSchema, outcomeSchema } from '../../domain/trial/outcome.js';
import { fault } from './fault.js';
import { digest } from './snapshot.js';

export const trialDocument = z.object({
  _id: z.string(),
  owner: z.string(),
  campaign: z.string(),
  number: z.number().int(),
  submitKey: z.string(),
  /** `OWNER/c/N` for the N-th counted trial, `OWNER/d/NUMBER` for one that does not count. */
  slot: z.string(),
  snapshot: digest,
  parent: z.number().int().nullable(),
  parentSnapshot: digest.nullable(),
  /** Unified diff against the parent's stored snapshot, computed here; empty for the start. */
  diff: digest,
  changes: z.string(),
  hypothesis: z.string(),
  expectedDelta: finite.nullable(),
  role: z.string(),
  lane: z.string(),
  session: z.string().nullable(),
  turn: z.number().int().nullable(),
  /** submitKey of the earlier submission with the same snapshot. */
  twin: z.string().nullable(),
  submittedAt: z.date(),
  stage: trialStageSchema,
  stageAt: z.date(),
  replicates: z.array(z.string()),
  /** Failure found before any compute; null when there is none. */
  preflight: failureSchema.nullable(),
  /** How long its evaluation was projected to take before it was trained, where the task rehearses it. */
  projection: projectionSchema.nullable().default(null),
  /** Attempts to prepare it that were lost; those on a measurement of it are the replicate's. */
  faults: z.array(fault).default([]),
  /** Set while it waits for a person; nothing works on it then. */
  parked: z.object({ reason: z.string(), at: z.date() }).nullable().default(null),
  /** Workers lost with it that a person has looked at. */
  pardoned: z.number().int().nonnegative().default(0),
  status: trialStatusSchema.nullable(),
  outcome: outcomeSchema.nullable(),
  endedAt: z.date().nullable(),
});
export type TrialDocument = z.infer<typeof trialDocument>;

export const proposalDocument = trialDocument.pick({
  owner: true,
  campaign: true,
  submitKey: true,
  snapshot: true,
  parent: true,
  parentSnapshot: true,
  diff: true,
  changes: true,
  hypothesis: true,
  expectedDelta: true,
  role: true,
  lane: true,
  session: true,
  turn: true,
});
/** A submission before it has a number. */
export type Proposal = z.infer<typeof proposalDocument>;

/**
 * The submission of a snapshot that is measured, with all that it takes to give it a number in its stead: fields that
 * a newer assay has added to it included.
 */
export const twinDocument = z.object({
  _id: z.string(),
  submitKey: z.string(),
  proposal: proposalDocument.loose(),
});
