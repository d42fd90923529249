import { z } from 'zod';
import {
  DEFAULT_REPLY_TOKENS,
  effortSchema,
  modelSettingSchema,
  modelsInputSchema,
  replyTokensSchema,
  thinkingSchema,
  windowSchema,
} from './model-settings.js';

const count = z.number().int().positive();

/** Tokens of a view unless the campaign says otherwise. */
const VIEW_TOKENS = 6000;

/** Trials that a session submits before it leaves its note, unless the input says otherwise. */
const SESSION_TRIALS = 4;
/** Share of a model's window above which old parts of a conversation are left out. */
const CONTEXT_SHARE = 0.6;

/** Fields of a campaign's input that say how its sessions go. */
export const sessionInputFields = {
  model: z.string().min(1).optional(),
  /** Effort that the models are asked for; default: the provider's. */
  effort: effortSchema.optional(),
  thinking: thinkingSchema.default('adaptive'),
  /** Maximum tokens of one reply; one that is cut off doubles it for the rest of its session. */
  maxTokens: replyTokensSchema.default(DEFAULT_REPLY_TOKENS),
  /** Tokens of prompt and reply together that the model can have; default: 200,000. */
  window: windowSchema.optional(),
  /** Several models instead of one: each session draws its own by weight. */
  models: modelsInputSchema.optional(),
  /** Models of single roles, instead of those of the campaign. */
  roleModels: z.record(z.string(), modelsInputSchema).default({}),
  /** Turn cap of one session. */
  turns: count.max(1000).default(60),
  /** Trials after which a session ends. */
  sessionTrials: count.max(10_000).default(SESSION_TRIALS),
  /** Tokens of the view of the lineage that a session opens with, at most; estimated at four characters each. */
  viewTokens: z.number().int().min(300).max(100_000).default(VIEW_TOKENS),
  contextShare: z.number().min(0.1).max(0.95).default(CONTEXT_SHARE),
};

/** Settings of sessions that a campaign is frozen with; those from before there were such settings have none. */
export const frozenSessionFields = {
  turns: z.number().int(),
  maxTokens: z.number().int(),
  /** null: no cap but that of turns. */
  sessionTrials: z.number().int().nullable().default(null),
  viewTokens: z.number().int().default(VIEW_TOKENS),
  contextShare: z.number().default(CONTEXT_SHARE),
  /** Models that a session draws from; none where `model` is the only one and has nothing set. */
  models: z.array(modelSettingSchema).default([]),
  /** Those of single roles. */
  roleModels: z.record(z.string(), z.array(modelSettingSchema)).default({}),
};
