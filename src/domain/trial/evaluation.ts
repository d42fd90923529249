import { z } from 'zod';

/** A number that is really one: JSON's 1e999 becomes Infinity and is refused, as are null and "0.1". */
export const finite = z.number().refine(Number.isFinite, 'a finite number');

const feedback = z.string().max(4096).default('');

/** Answer of an evaluator when the recipe, not the evaluator, is at fault. */
const failure = z.strictObject({
  schema: z.literal('assay.evaluation/1'),
  failure: z.strictObject({
    /** protocol: bad frame or wrong length; invalid: non-finite or malformed numbers; late: no answer in time. */
    kind: z.enum(['protocol', 'invalid', 'late', 'twins_disagree']),
    reason: z.string().max(2000),
  }),
  feedback,
});

const success = z.strictObject({
  schema: z.literal('assay.evaluation/1'),
  metrics: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,47}$/), finite),
  gates: z.record(z.string(), z.boolean()).default({}),
  feedback,
});

/** The one JSON object an evaluator writes on its result descriptor. */
export const evaluationSchema = z.union([success, failure]);
export type Evaluation = z.infer<typeof evaluationSchema>;
