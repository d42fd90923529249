import { z } from 'zod';
import { CACHE_TIMES } from '../../domain/session/cache-time.js';
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
  openedAt: z.date(),
  closedAt: z.date().nullable(),
  closedBecause: z.string().nullable(),
});
export type SessionDocument = z.infer<typeof sessionDocument>;

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
