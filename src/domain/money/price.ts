import { z } from 'zod';

/** Prices of a prompt up to some size, in micro-USD per million tokens. */
export const priceTierSchema = z.object({
  /** The largest prompt of this tier in tokens, cached ones included; null for no limit. */
  upTo: z.number().int().positive().nullable(),
  input: z.number().int().nonnegative(),
  output: z.number().int().nonnegative(),
  cacheRead: z.number().int().nonnegative(),
  /** For five minutes. */
  cacheWrite: z.number().int().nonnegative(),
  /** For an hour; twice the input where it is left out. */
  cacheWriteHour: z.number().int().nonnegative().optional(),
  /** Micro-USD for a thousand web searches of the provider; not counted where it is left out. */
  webSearch: z.number().int().nonnegative().optional(),
});
export type PriceTier = z.infer<typeof priceTierSchema>;

/** The price of one model as a campaign was frozen with it; what the campaign spends has it to its end. */
export const modelPriceSchema = z.object({
  /** The day on which the price was looked up. */
  asOf: z.iso.date(),
  /** Source of the price. */
  source: z.string(),
  /** In ascending order of `upTo`. */
  tiers: z.array(priceTierSchema).min(1),
});
export type ModelPrice = z.infer<typeof modelPriceSchema>;
