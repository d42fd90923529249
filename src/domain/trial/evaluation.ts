import { z } from 'zod';
import { metricName } from '../task/schema/metric-name.js';

/** A number that is really one: JSON's 1e999 becomes Infinity and is refused, as are null and "0.1". */
export const finite = z.number().refine(Number.isFinite, 'a finite number');

/** The schema of an evaluator's answer. */
export const EVALUATION = 'assay.evaluation/1';

/** The most characters of an answer's texts that are kept; what is longer is cut. */
export const LONGEST_TEXT = { feedback: 4096, reason: 2000 } as const;

const schema = z.literal(EVALUATION).describe('the version of this format');
const feedback = z
  .string()
  .default('')
  .describe(`text for agents; what is longer than ${LONGEST_TEXT.feedback} characters is cut`);

/** Answer of an evaluator when the recipe, not the evaluator, is at fault. */
export const failedSchema = z.object({
  schema,
  failure: z.object({
    kind: z
      .enum(['protocol', 'invalid', 'late', 'twins_disagree'])
      .describe(
        '`protocol`: a bad frame or a wrong length; `invalid`: non-finite or malformed numbers; `late`: no answer in time; `twins_disagree`: two servers that should have answered alike',
      ),
    reason: z
      .string()
      .describe(
        `what is wrong, for agents and people; what is longer than ${LONGEST_TEXT.reason} characters is cut`,
      ),
  }),
  feedback,
});

export const measuredSchema = z.object({
  schema,
  metrics: z
    .record(metricName, finite)
    .describe(
      'finite numbers by name, among them every metric that task.yaml names and assay does not measure itself',
    ),
  standard_errors: z
    .record(metricName, finite.min(0))
    .default({})
    .describe(
      'of those metrics that the evaluator estimates from a sample, by their names; recorded and shown',
    ),
  feedback,
});

/** The one JSON object that an evaluator writes on its result descriptor. Other keys are ignored, and noted. */
export const evaluationSchema = z.union([measuredSchema, failedSchema]);
export type Evaluation = z.infer<typeof evaluationSchema>;
