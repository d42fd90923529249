import { z } from 'zod';
import { finite } from '../../domain/trial/evaluation.js';
import { failureSchema, marginSchema } from '../../domain/trial/outcome.js';
import { fault } from './fault.js';
import { onHost } from './on-host.js';
import { phaseRun, progressPoint, sealedBytes } from './phase-run.js';
import { savingSchema } from './saving.js';
import { digest, storedFile } from './snapshot.js';

/** Sealed outputs; `bytes` is the counted size of files and folders, names included. */
const outputsSchema = z.object({
  bytes: sealedBytes,
  files: z.array(storedFile),
  /** Place of its bytes; null where they are in the store. */
  onHost: onHost.nullable().default(null),
});
const artifactSchema = outputsSchema.extend({ digest });

export const trainedSchema = z.object({
  fence: z.number().int(),
  failure: failureSchema.nullable(),
  runs: z.array(phaseRun),
  /** Sealed outputs; null when training failed. With a failure (a missed gate) their bytes are not stored. */
  artifact: artifactSchema.nullable(),
  /** Cache of its prewarm, for servers; left out where the task has none, or it was not found again. */
  cache: outputsSchema.optional(),
  metrics: z.record(z.string(), finite),
  /** Standard errors, within this measurement, of those of its metrics that are means over several processes. */
  standardErrors: z.record(z.string(), finite).optional(),
  margins: z.array(marginSchema),
  /** Replicate whose training, and so whose noise, this one shares; null if it trained itself. */
  sharesTraining: z.string().nullable().default(null),
  saved: z.array(savingSchema).default([]),
  /** Progress that training reported, where the task declares progress. */
  progress: z.array(progressPoint).default([]),
  at: z.date(),
});
export type Trained = z.infer<typeof trainedSchema>;

const checkpointSchema = z.object({
  fence: z.number().int(),
  run: phaseRun,
  bytes: sealedBytes,
  files: z.array(storedFile),
  /** Place of their bytes; null where they are in the store. */
  onHost: onHost.nullable().default(null),
  /** Progress that it reported, and words that it said. */
  progress: z.array(progressPoint).default([]),
  said: z.array(z.string()).default([]),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;

/** One process of a measurement that has several, with the start beside it where times are compared. */
const processSchema = checkpointSchema.extend({ process: z.number().int().nonnegative() });
export type FinishedProcess = z.infer<typeof processSchema>;

export const evaluatedSchema = z.object({
  fence: z.number().int(),
  failure: failureSchema.nullable(),
  runs: z.array(phaseRun),
  metrics: z.record(z.string(), finite),
  /** What the evaluator says of the error of its metrics, where it estimates them. */
  standardErrors: z.record(z.string(), finite).optional(),
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
  /** What is added to its metrics where they are compared with those of the campaign's first class of hosts. */
  shift: z.record(z.string(), z.number()).default({}),
  trial: z.number().int(),
  fence: z.number().int(),
  holder: holder.nullable(),
  /** Outputs of training, kept until they are packed. */
  checkpoint: checkpointSchema.nullable(),
  /** Processes that are finished, kept until all are. */
  processes: z.array(processSchema).optional(),
  trained: trainedSchema.nullable(),
  evaluated: evaluatedSchema.nullable(),
  faults: z.array(fault),
});
export type ReplicateDocument = z.infer<typeof replicateDocument>;
