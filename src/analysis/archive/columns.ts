import { z } from 'zod';
import { metricName } from '../../domain/task/schema/metric-name.js';
import { ENDINGS } from '../trajectory/trajectory.js';

const column = z.string().min(1);

/** Endings of a row of a table: those of a trial, and the start that is no proposal. */
const rowEnding = z.enum([...ENDINGS, 'start']);

/** Meaning of the columns of a results table: the small file that maps a table of others. */
export const columnsSchema = z.strictObject({
  schema: z.literal('assay.columns/1').describe('the version of this format'),
  metric: z
    .strictObject({
      name: metricName,
      unit: z.string().default(''),
      direction: z.enum(['minimize', 'maximize']),
    })
    .describe('what the table is ranked by'),
  columns: z
    .strictObject({
      id: column.optional().describe('name of the trial; default: its place in the table'),
      score: column,
      status: column,
      hypothesis: column.optional(),
      notes: column.optional().describe('where the cause of a failure is told'),
      role: column.optional(),
      domain: column.optional(),
      model: column.optional(),
      parent: column.optional().describe('id of the trial that it was made from'),
      ended_at: column.optional().describe('time of the end, ISO 8601'),
      expected_delta: column.optional(),
      delta: column.optional().describe('difference to the best before it, as the source computed it'),
      artifact_bytes: column.optional(),
      train_s: column.optional(),
      evaluate_s: column.optional(),
      total_s: column.optional(),
      dollars: column.optional(),
      snapshot: column.optional().describe('where the code of a kept trial is'),
    })
    .describe('names of the columns by what they hold'),
  metrics: z.array(column).default([]).describe('further columns that measure quality'),
  statuses: z.record(z.string(), rowEnding).describe('what each word of the status column means'),
  infrastructure: z
    .array(z.strictObject({ status: z.string(), notes: z.string().min(1) }))
    .default([])
    .describe('rows of a status that are faults of the infrastructure when their notes hold these words'),
  no_score: z.array(z.number()).default([]).describe('scores that stand for none, such as the 0 of a crash'),
  parent_prefix: z.string().default('').describe('what may stand before an id in the parent column'),
  accelerators: z.number().int().positive().nullable().default(null).describe('devices that a trial uses'),
});
export type Columns = z.infer<typeof columnsSchema>;
/** A mapping as it may be written, with its defaults left out. */
export type ColumnsInput = z.input<typeof columnsSchema>;
