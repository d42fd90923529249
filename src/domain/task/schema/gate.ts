import { z } from 'zod';
import { metricName } from './metric-name.js';
import { taskName } from './fields.js';

export const gateSchema = z
  .strictObject({
    name: taskName.describe('how a miss is called'),
    metric: metricName.describe(
      'a metric of the evaluator, or one that assay measures: `code_bytes` (of the counted code), `bytes` (code and artifact, see "Sizes"), `train_s`, `train_ratio` (see "Times"), `reveal_s` (see "Signals"), `eval_s` (see "Served scoring")',
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
      .describe(
        '`exact`: every run has to keep it; `statistical`: the mean of the runs, judged with its standard error, see "Gates"',
      ),
    screen_z: z
      .number()
      .nonnegative()
      .max(10)
      .optional()
      .describe(
        'standard errors by which the mean may be beyond the limit before a trial of the search misses it; default 2, statistical only',
      ),
    claim_z: z
      .number()
      .nonnegative()
      .max(10)
      .optional()
      .describe(
        'standard errors by which the means of the start and of a claim have to keep it; default 1.65, statistical only',
      ),
  })
  .refine((gate) => gate.max !== undefined || gate.min !== undefined, 'a gate needs max or min')
  .refine(
    ({ test, screen_z, claim_z }) => test === 'statistical' || (screen_z ?? claim_z) === undefined,
    'screen_z and claim_z are of a gate whose test is statistical',
  );
/** A limit that makes a trial ineligible; `max` and `min` are in the units of the metric. */
export type Gate = z.infer<typeof gateSchema>;
