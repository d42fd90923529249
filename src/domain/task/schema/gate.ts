import { z } from 'zod';
import { metricName } from './metric-name.js';
import { taskName } from './fields.js';

export const gateSchema = z
  .strictObject({
    name: taskName.describe('how a miss is called'),
    metric: metricName.describe(
      'a metric of the evaluator, or one that assay measures: `code_bytes` (of the counted code), `bytes` (code and artifact, see "Sizes"), `train_s`, `train_ratio` (see "Times"), `eval_s` (see "Served scoring")',
    ),
    max: z.number().optional().describe('the most that is allowed; `max`, `min` or both'),
    min: z.number().optional().describe('the least that is allowed'),
    known: z
      .enum(['static', 'check', 'pack', 'train', 'evaluate'])
      .describe(
        'the earliest moment at which the metric is known. A miss is `size_blocked` for the first three, else `disqualified`; metrics that assay measures have moments of their own',
      ),
    test: z
      .enum(['exact', 'statistical'])
      .default('exact')
      .describe('`exact`: every run has to keep it; `statistical`: the mean of the runs'),
  })
  .refine((gate) => gate.max !== undefined || gate.min !== undefined, 'a gate needs max or min');
/** A limit that makes a trial ineligible; `max` and `min` are in the units of the metric. */
export type Gate = z.infer<typeof gateSchema>;
