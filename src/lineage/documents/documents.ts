import { z } from 'zod';
import {
  campaignStateSchema,
  controlSchema,
  trialStageSchema,
  trialStatusSchema,
} from '../../domain/statuses.js';
import { limitsSchema } from '../../domain/money/budget.js';
import { frozenCampaignSchema } from '../../domain/campaign/campaign.js';
import { finite } from '../../domain/trial/evaluation.js';
import { isolationSchema } from '../../domain/task/isolation.js';
import { failureSchema, marginSchema, outcomeSchema } from '../../domain/trial/outcome.js';
import { projectionSchema } from '../../domain/task/rehearsal.js';
import { taskSchema } from '../../domain/task/task.js';

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const file = z.object({ path: z.string(), sha256: digest, bytes: z.number().int().nonnegative() });
/** A file of a stored tree; its bytes are the blob of its digest. */
export type StoredFile = z.infer<typeof file>;

/** A content-addressed, immutable tree. */
export const snapshotDocument = z.object({ _id: digest, files: z.array(file) });

export const taskDocument = z.object({
  _id: digest,
  name: z.string(),
  spec: taskSchema,
  files: z.array(file),
  /** From which held-out data is derived; the same on every host of this store, never in a sandbox. */
  dataSecret: z.string(),
  /** Digest of the manifest of the prepared data, as the first host wrote it. */
  manifest: digest.nullable(),
  pushedAt: z.date(),
});
export type TaskDocument = z.infer<typeof taskDocument>;

/** The task that a name stands for now. */
export const taskNameDocument = z.object({ _id: z.string(), digest, by: z.enum(['person', 'bundled']) });

const activeWork = z.object({
  what: z.string(),
  trial: z.number().int(),
  stage: z.string(),
  host: z.string(),
  fence: z.number().int(),
  since: z.date(),
});
export type ActiveWork = z.infer<typeof activeWork>;

const elapsed = z.object({
  tick: z.number().int(),
  ranMs: z.number(),
  stillMs: z.number(),
  sinceGainMs: z.number(),
  gainVersion: z.number().int(),
  at: z.date(),
});

const exhausted = z.object({
  budget: z.enum(['dollars', 'acceleratorSeconds']),
  /** What was asked for when there was no room. */
  needs: z.object({ microUsd: z.number(), acceleratorMs: z.number() }),
});
/** The budget that a campaign is paused by. */
export type Exhausted = z.infer<typeof exhausted>;

export const campaignDocument = z.object({
  _id: z.string(),
  owner: z.string(),
  frozen: frozenCampaignSchema,
  secret: z.string(),
  state: campaignStateSchema,
  reason: z.string().nullable(),
  control: controlSchema,
  controlReason: z.string().nullable(),
  /** Work that has been allowed to start and has not ended, by replicate. */
  active: z.record(z.string(), activeWork),
  createdAt: z.date(),
  endedAt: z.date().nullable(),
  pausedSince: z.date().nullable(),
  /** Whether a person has asked it to stop. */
  stopped: z.boolean(),
  /** Set while an exhausted budget, and no person, pauses it. */
  exhausted: exhausted.nullable(),
  elapsed,
});
export type CampaignDocument = z.infer<typeof campaignDocument>;

const fault = z.object({
  fence: z.number().int(),
  what: z.string(),
  reason: z.string(),
  /** The code of the error, null for one that has none. */
  code: z.string().nullable(),
  host: z.string(),
  at: z.date(),
});
/** An attempt that the infrastructure, not the recipe, ended. */
export type Fault = z.infer<typeof fault>;

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

const phaseRun = z.object({
  phase: z.string(),
  /** By the clock of its host. */
  startedAt: z.date(),
  wallMs: z.number(),
  peakRssBytes: z.number(),
  log: digest,
  logBytes: z.number(),
  isolation: isolationSchema,
  /** The trial that ran it, where its result was taken over instead of running it again. */
  reusedFrom: z.number().int().nullable().default(null),
  /** Wall time of the start's training beside this one, on the same lease; null where times are not compared. */
  startMs: z.number().positive().nullable().default(null),
  /** Seconds that the phase may take; null where only its wall limit counts. */
  budgetS: z.number().positive().nullable(),
  /** The part of their runnable time in which its processes had a core; null where that is not known. */
  hostSpeed: finite.nullable(),
  /** What that usually is on this host; null unless it was asked for, since the run may have been slow. */
  usualSpeed: finite.nullable(),
  /** Whether it overran its budget on a host that was slower than usual, and the phase was run once more. */
  repeated: z.boolean(),
});
export type PhaseRun = z.infer<typeof phaseRun>;

const savingSchema = z.object({
  /** reuse: an earlier result was taken; stop: a hopeless run was ended early. */
  kind: z.enum(['reuse', 'stop']),
  phase: z.string(),
  /** Whose result was taken; null for a stop. */
  trial: z.number().int().nullable(),
  replicate: z.string().nullable(),
  /** Accelerator time that was not spent, in milliseconds of one slot. */
  acceleratorMs: z.number().int().nonnegative(),
});
/** Compute that was not needed, and why. */
export type Saving = z.infer<typeof savingSchema>;

const sealedBytes = z.number().int().nonnegative();
/** Sealed outputs; `bytes` is what files and folders count with, their names included. */
const artifactSchema = z.object({ digest, bytes: sealedBytes, files: z.array(file) });

const progressPoint = z.object({ share: finite, value: finite });

export const trainedSchema = z.object({
  fence: z.number().int(),
  failure: failureSchema.nullable(),
  runs: z.array(phaseRun),
  /** The sealed outputs; null when training failed. With a failure (a missed gate) their bytes are not stored. */
  artifact: artifactSchema.nullable(),
  metrics: z.record(z.string(), finite),
  margins: z.array(marginSchema),
  /** The replicate whose training, and so whose noise, this one shares; null where it trained itself. */
  sharesTraining: z.string().nullable().default(null),
  saved: z.array(savingSchema).default([]),
  /** What training said of itself, where the task declares progress. */
  progress: z.array(progressPoint).default([]),
  at: z.date(),
});
export type Trained = z.infer<typeof trainedSchema>;

const checkpointSchema = z.object({
  fence: z.number().int(),
  run: phaseRun,
  bytes: sealedBytes,
  files: z.array(file),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;

export const evaluatedSchema = z.object({
  fence: z.number().int(),
  failure: failureSchema.nullable(),
  runs: z.array(phaseRun),
  metrics: z.record(z.string(), finite),
  margins: z.array(marginSchema),
  feedback: z.string(),
  at: z.date(),
});
export type Evaluated = z.infer<typeof evaluatedSchema>;

const holder = z.object({
  host: z.string(),
  worker: z.string(),
  what: z.string(),
  run: z.string(),
  since: z.date(),
});
export type Holder = z.infer<typeof holder>;

/** One measurement of a snapshot under one seed on one host class; also the execution claim on it. */
export const replicateDocument = z.object({
  _id: z.string(),
  owner: z.string(),
  snapshot: digest,
  purpose: z.enum(['search', 'claim', 'control']),
  index: z.number().int(),
  seed: z.number().int(),
  hostClass: z.string(),
  trial: z.number().int(),
  fence: z.number().int(),
  holder: holder.nullable(),
  /** What training left, kept until it is packed. */
  checkpoint: checkpointSchema.nullable(),
  trained: trainedSchema.nullable(),
  evaluated: evaluatedSchema.nullable(),
  faults: z.array(fault),
});
export type ReplicateDocument = z.infer<typeof replicateDocument>;

/** The result of a phase under its key; `bytes` and `files` are null until the replicate that runs it has ended it. */
export const phaseResultDocument = z.object({
  _id: z.string(),
  owner: z.string(),
  phase: z.enum(['train', 'pack']),
  replicate: z.string(),
  trial: z.number().int(),
  run: phaseRun.nullable(),
  bytes: sealedBytes.nullable(),
  files: z.array(file).nullable(),
  progress: z.array(progressPoint),
});
export type PhaseResultDocument = z.infer<typeof phaseResultDocument>;

export const sessionDocument = z.object({
  _id: z.string(),
  owner: z.string(),
  role: z.string(),
  lane: z.string(),
  index: z.number().int(),
  /** Trial on whose snapshot the workspace starts. */
  base: z.number().int(),
  snapshot: digest,
  system: digest,
  /** The exact lineage text that the session saw. */
  opening: digest,
  /** Numbers of the trials it submitted. */
  submitted: z.array(z.number().int()),
  openedAt: z.date(),
  closedAt: z.date().nullable(),
  closedBecause: z.string().nullable(),
});
export type SessionDocument = z.infer<typeof sessionDocument>;

export const turnDocument = z.object({
  _id: z.string(),
  session: z.string(),
  turn: z.number().int(),
  attempts: z.number().int(),
  /** The attempt whose reply is used; set once. */
  chosen: z.number().int().nullable(),
  at: z.date(),
});

/** A reply is stored before anything uses it. */
export const replyDocument = z.object({
  _id: z.string(),
  session: z.string(),
  turn: z.number().int(),
  attempt: z.number().int(),
  /** As JSON text: a model may use any string as a key of a tool's input, a document of the store may not. */
  reply: z.string(),
  at: z.date(),
});

/** The answer to one tool call, and the workspace after it. */
export const answerDocument = z.object({
  _id: z.string(),
  session: z.string(),
  turn: z.number().int(),
  index: z.number().int(),
  toolUseId: z.string(),
  tool: z.string(),
  text: z.string(),
  isError: z.boolean(),
  snapshot: digest,
  base: z.number().int(),
  at: z.date(),
});
export type AnswerDocument = z.infer<typeof answerDocument>;

const amounts = z.object({
  microUsd: z.number().int(),
  acceleratorMs: z.number().int(),
  tokens: z.number().int(),
});
/** Money in millionths of a dollar, accelerator time in milliseconds of one slot, tokens of all kinds. */
export type Amounts = z.infer<typeof amounts>;

const limitChange = z.object({
  /** The update that asked for it; the same one is applied once. */
  id: z.string(),
  at: z.date(),
  by: z.string().nullable(),
  from: limitsSchema,
  to: limitsSchema,
});
export type LimitChangeRecord = z.infer<typeof limitChange>;

export const budgetDocument = z.object({
  _id: z.string(),
  /** What holds now; the frozen campaign keeps what held at its start. */
  limits: limitsSchema,
  /** Counts the changes of the limits, so that nothing is granted under limits that have changed meanwhile. */
  revision: z.number().int(),
  /** Append-only. */
  changes: z.array(limitChange),
  /** Settled spending plus all open reservations. */
  held: amounts,
  open: z.record(
    z.string(),
    z.object({
      key: z.string(),
      /** Names this reservation among all of its key. */
      hold: z.string(),
      trial: z.number().int().nullable(),
      reserved: amounts,
      role: z.string(),
      what: z.string(),
      since: z.date(),
    }),
  ),
});
export type BudgetDocument = z.infer<typeof budgetDocument>;

/** What was spent, under the key it was reserved with; only a row that counts no reservation yet is ever filled in. */
export const ledgerDocument = z.object({
  _id: z.string(),
  owner: z.string(),
  what: z.string(),
  role: z.string(),
  trial: z.number().int().nullable(),
  reserved: amounts,
  spent: amounts,
  /** known: measured or reported; unpaid: nothing was charged; unknown: a lost request at its upper bound. */
  certainty: z.enum(['known', 'unpaid', 'unknown']),
  /** The reservation that it counts; null for what reserved nothing. */
  hold: z.string().nullable(),
  /** What was not spent: a row of its own, whose `spent` is nothing. */
  saved: savingSchema.nullable().default(null),
  at: z.date(),
});
export type LedgerDocument = z.infer<typeof ledgerDocument>;

/** What a worker says of its host. */
export const hostDocument = z.object({
  /** HOST/POOL/ROLES. */
  _id: z.string(),
  host: z.string(),
  pool: z.string(),
  roles: z.array(z.string()),
  /** Whether it takes work. */
  healthy: z.boolean(),
  why: z.string().nullable(),
  /** When `healthy` became what it is, by the clock of the host. */
  since: z.date(),
  /** When this was said last, by the clock of the host; a living worker says it every minute. */
  at: z.date(),
});
export type HostDocument = z.infer<typeof hostDocument>;
