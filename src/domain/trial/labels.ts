import { z } from 'zod';

/** Labels beside a trial's status, where its score alone would mislead. */
export const labelSchema = z.enum(['seed-fixed', 'seed-only']);
export type Label = z.infer<typeof labelSchema>;

const TEXTS: Record<Label, string> = {
  'seed-fixed': 'its runs do not depend on the seed: they count as one',
  'seed-only': 'it changes nothing but a seed',
};

/** The labels of a trial by what was found of its runs and its edit. */
export function labelsOf({ alike, seedOnly }: { alike: boolean; seedOnly: boolean }): Label[] {
  return [...(alike ? (['seed-fixed'] as const) : []), ...(seedOnly ? (['seed-only'] as const) : [])];
}

/** A label in plain words. */
export const labelText = (label: Label): string => TEXTS[label];
