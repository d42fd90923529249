import { z } from 'zod';
import { relative } from './fields.js';

/** Inputs that a recipe sees when it has trained. */
export const revealSchema = z.strictObject({
  folder: relative.describe(
    'folder of prepared data, without labels: empty in `ASSAY_REVEAL` until the recipe says that it has trained',
  ),
  permute: z
    .strictObject({
      file: relative.describe('file of that folder, of at most 1 GiB, whose rows are permuted'),
      rows: z
        .number()
        .int()
        .positive()
        .max(2 ** 28)
        .describe('number of its rows, which are of equal length'),
    })
    .optional()
    .describe(
      'what each process sees with its rows in a secret order of its own, which only the evaluator is told',
    ),
});

/** One run of a recipe. */
export const replicateSchema = z
  .strictObject({
    processes: z
      .number()
      .int()
      .positive()
      .max(100)
      .default(1)
      .describe('cold processes of one run, each trained under a seed of its own, see "Processes"'),
    aggregate: z
      .enum(['mean', 'median'])
      .default('mean')
      .describe('how `train_s` comes from the times of its processes'),
    deterministic: z
      .boolean()
      .default(false)
      .describe(
        'true: a recipe scores the same under every seed, so that one run is all there is, see "Seeds"',
      ),
  })
  .default({ processes: 1, aggregate: 'mean', deterministic: false });
