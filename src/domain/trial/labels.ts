import { z } from 'zod';

/** What is said of a trial beside its status, because its score alone would mislead. */
export const labelSchema = z.enum(['seed-fixed', 'seed-only']);
export type Label = z.infer<typeof labelSchema>;

const TEXTS: Record<Label, string> = {
  'seed-fixed': 'its runs do not depend on the seed: they count as one',
  'seed-only': 'it changes nothing but a seed',
};

/** A label in plain words. */
export const labelText = (label: Label): string => TEXTS[label];
