import { z } from 'zod';
import { CACHE_TIMES } from '../../domain/session/cache-time.js';
import { usageSchema } from '../../domain/session/conversation.js';
import { effortSchema, thinkingSchema } from '../../domain/session/model-settings.js';
import { digest } from './snapshot.js';

/** An earlier trial that a proposal is nearly the same as. */
export const similarTrial = z.object({
  trial: z.number().int(),
  /** Cosine of hypothesis and changed lines. */
  similarity: z.number(),
});
export type SimilarTrial = z.infer<typeof similarTrial>;

/** A proposal that was answered with an earlier trial instead of being measured. */
const repeatDocument = similarTrial.extend({
  /** Key of the call. */
  call: z.string(),
  snapshot: digest,
});

/** What an agent wrote down for the sessions after it. */
const noteDocument = z.object({
  /** Key of the call. */
  call: z.string(),
  text: z.string(),
  at: z.date(),
});

/** A check of files that the session had, with the reason why it failed; null where it passed. */
const checkedDocument = z.object({
  /** Key of the call. */
  call: z.string(),
  snapshot: digest,
  failed: z.string().nullable(),
});
export type CheckedFiles = z.infer<typeof checkedDocument>;

/** A run on the training data that a session asked for. */
const probeDocument = z.object({
  /** Key of the call. */
  call: z.string(),
  kind: z.enum(['probe', 'profile']),
  hypothesis: z.string(),
  command: z.string(),
  /** null where it was lost with its worker each time. */
  wallMs: z.number().nullable(),
  /** Exit status; null where it did not exit by itself. */
  exit: z.number().int().nullable(),
  /** How it ended, in words. */
  ended: z.string(),
  /** Digest of what it printed, head and tail. */
  output: digest.nullable(),
  at: z.date(),
});
export type SessionProbe = z.infer<typeof probeDocument>;

const toldDocument = z.object({
  /** Trial that was the frontier; null: nothing yet. */
  frontier: z.number().int().nullable(),
  /** Trials of its own that have ended. */
  ended: z.array(z.number().int()),
});

export const sessionDocument = z.object({
  _id: z.string(),
  owner: z.string(),
  role: z.string(),
  lane: z.string(),
  index: z.number().int(),
  /** Trial that the workspace starts from. */
  base: z.number().int(),
  snapshot: digest,
  system: digest,
  /** Character of the system prompt at which the role's own block begins; null: it is one block. */
  roleStart: z.number().int().nullable().default(null),
  /** How long the provider is asked to keep its prompts. */
  cache: z.enum(CACHE_TIMES).default('5m'),
  /** Exact lineage text that the session saw. */
  opening: digest,
  /** Numbers of the trials it submitted. */
  submitted: z.array(z.number().int()),
  repeats: z.array(repeatDocument).default([]),
  /** Submitted trials that it did not wait for. */
  detached: z.array(z.number().int()).default([]),
  /** Those of them whose answer it has got. */
  collected: z.array(z.number().int()).default([]),
  /** What it was told of while they were measured. */
  told: toldDocument.default({ frontier: null, ended: [] }),
  notes: z.array(noteDocument).default([]),
  /** The newest checks, oldest first. */
  checks: z.array(checkedDocument).default([]),
  /** Attempts at probes that began, `CALL/1`, in their order. */
  probesBegun: z.array(z.string()).default([]),
  /** Probes that ended, oldest first. */
  probes: z.array(probeDocument).default([]),
  openedAt: z.date(),
  closedAt: z.date().nullable(),
  closedBecause: z.string().nullable(),
});
export type SessionDocument = z.infer<typeof sessionDocument>;
/** A session as it is opened, with nothing done in it. */
export type NewSession = z.input<typeof sessionDocument>;

/** Settings that a request was made with. */
export const askedSchema = z.object({
  model: z.string(),
  /** null: the provider's own. */
  effort: effortSchema.nullable(),
  thinking: thinkingSchema,
  maxTokens: z.number().int(),
  cache: z.enum(CACHE_TIMES),
});
export type Asked = z.infer<typeof askedSchema>;

export const turnDocument = z.object({
  _id: z.string(),
  session: z.string(),
  turn: z.number().int(),
  attempts: z.number().int(),
  /** Attempt whose reply is used; set once. */
  chosen: z.number().int().nullable(),
  at: z.date(),
});

/** Reply of a model, stored before anything uses it. */
export const replyDocument = z.object({
  _id: z.string(),
  session: z.string(),
  turn: z.number().int(),
  attempt: z.number().int(),
  /**
   * Reply as JSON text: a model may use any string as a key of a tool's input, which a stored document may not.
   */
  reply: z.string(),
  /** Settings of its request; null where an earlier assay made it. */
  asked: askedSchema.nullable().default(null),
  /** Usage as in the reply, for sums; null where an earlier assay stored it. */
  usage: usageSchema.nullable().default(null),
  at: z.date(),
});

/** Answer to one tool call, and the workspace after it. */
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
