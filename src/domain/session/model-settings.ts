import { z } from 'zod';
import { modelPriceSchema, type ModelPrice } from '../money/price.js';

export const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'] as const;
export const effortSchema = z.enum(EFFORTS);
export type Effort = z.infer<typeof effortSchema>;

/** `adaptive`: a model that can think decides itself how much; `off`: it is not asked to. */
export const thinkingSchema = z.enum(['adaptive', 'off']);
export type Thinking = z.infer<typeof thinkingSchema>;

/** Most tokens of one reply that any model allows. */
export const MOST_REPLY_TOKENS = 128_000;
export const replyTokensSchema = z.number().int().positive().max(MOST_REPLY_TOKENS);
export const DEFAULT_REPLY_TOKENS = 32_000;
/** Tokens of prompt and reply together, of a model of which nothing else is said. */
export const DEFAULT_WINDOW = 200_000;
export const windowSchema = z.number().int().min(8_000).max(10_000_000);

/** One model of several, as a campaign's input names it; what it leaves out is as for the whole campaign. */
const modelInput = z.strictObject({
  id: z.string().min(1),
  /** Share of the sessions, against the other weights. */
  weight: z.number().positive().max(1e6).default(1),
  effort: effortSchema.optional(),
  thinking: thinkingSchema.optional(),
  maxTokens: replyTokensSchema.optional(),
  window: windowSchema.optional(),
});
export const modelsInputSchema = z
  .array(
    z
      .union([z.string().min(1), modelInput])
      .transform((one) => (typeof one === 'string' ? { id: one, weight: 1 } : one)),
  )
  .min(1)
  .max(16);
export type ModelsInput = z.infer<typeof modelsInputSchema>;

/** A model with its settings, as a campaign is frozen with it. */
export const modelSettingSchema = z.object({
  id: z.string(),
  offline: z.boolean(),
  /** Price that the whole campaign is charged at; null if none was known. */
  price: modelPriceSchema.nullable(),
  weight: z.number(),
  /** null: what the provider does by itself. */
  effort: effortSchema.nullable(),
  thinking: thinkingSchema,
  maxTokens: z.number().int(),
  window: z.number().int(),
});
export type ModelSetting = z.infer<typeof modelSettingSchema>;

/** Fields of a frozen campaign that name its models. */
export interface FrozenModels {
  model: { id: string; offline: boolean };
  price: ModelPrice | null;
  maxTokens: number;
  models: readonly ModelSetting[];
  roleModels: Readonly<Record<string, readonly ModelSetting[]>>;
}

/** All models of a campaign; one that was frozen with a single model has that one. */
export function allModels(frozen: FrozenModels): readonly ModelSetting[] {
  return [...modelsOf(frozen, null), ...Object.values(frozen.roleModels).flat()];
}

/** The models that a role's sessions draw from. */
export function modelsOf(frozen: FrozenModels, role: string | null): readonly ModelSetting[] {
  const own = role === null ? undefined : frozen.roleModels[role];
  if (own !== undefined && own.length > 0) return own;
  if (frozen.models.length > 0) return frozen.models;
  const { model, price, maxTokens } = frozen;
  return [
    { ...model, price, weight: 1, effort: null, thinking: 'adaptive', maxTokens, window: DEFAULT_WINDOW },
  ];
}

/** Most tokens of a reply that a model is known to allow; a request above it is refused by its provider. */
export function mostReplyTokens(id: string): number {
  if (/^claude-opus-4(?:-[01])?(?:-\d{8})?$/.test(id)) return 32_000;
  if (/^claude-(?:opus|sonnet|haiku)-4(?:-[05])?(?:-\d{8})?$/.test(id)) return 64_000;
  return MOST_REPLY_TOKENS;
}
