import { z } from 'zod';
import { trialStageSchema, trialStatusSchema } from '../../domain/statuses.js';
import { projectionSchema } from '../../domain/task/rehearsal.js';
import { finite } from '../../domain/trial/evaluation.js';
import { failureSchema, outcomeSchema } from '../../domain/trial/outcome.js';
import { fault } from './fault.js';
import { editKindSchema } from '../../domain/trial/edit-kind.js';
import { similarTrial } from './session.js';
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
  /** Nature of its edit; null for the start, and where a file of no known language differs. */
  edit: editKindSchema.nullable().default(null),
  /** Earlier trial that it nearly repeats, which its proposer was shown before it was submitted again. */
  similar: similarTrial.nullable().default(null),
  /** Session within which a twin is sought; null: the whole campaign. */
  twinScope: z.string().nullable().default(null),
  /** Runs of earlier trials with the same snapshot, which its own come after; left out where there are none. */
  firstRun: z.number().int().nonnegative().optional(),
  /** Domain of the task that the edit is of, as its proposer said; apart from the role. */
  domain: z.string().nullable().default(null),
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
  /** Projected duration of its evaluation, made before it was trained, where the task rehearses it. */
  projection: projectionSchema.nullable().default(null),
  /** Lost attempts to prepare it; those to measure it are on the replicate. */
  faults: z.array(fault).default([]),
  /** Set while the trial waits for a person; no work is done on it then. */
  parked: z.object({ reason: z.string(), at: z.date() }).nullable().default(null),
  /** Lost workers that a person has already excused. */
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
  edit: true,
  similar: true,
  twinScope: true,
  domain: true,
  firstRun: true,
  role: true,
  lane: true,
  session: true,
  turn: true,
});
/** A submission before it has a number. */
export type Proposal = z.infer<typeof proposalDocument>;

/**
 * Submission that is measured for a snapshot, with everything needed to number it on its submitter's behalf,
 * including fields that a newer assay has added.
 */
export const twinDocument = z.object({
  _id: z.string(),
  submitKey: z.string(),
  proposal: proposalDocument.loose(),
});
