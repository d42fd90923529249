import { z } from 'zod';
import { define, whole, type ModelTool } from './tool.js';

/** A call that merges another trial into the workspace. */
export interface MergeCall {
  tool: 'merge';
  trial: number;
}

export const MERGE: ModelTool<MergeCall> = {
  name: 'merge',
  definition: () =>
    define(
      'merge',
      'Merge the files of another trial into the workspace, line by line, against the newest trial that both descend from. Where both changed the same lines you are told the places, and nothing is merged.',
      { trial: whole },
      ['trial'],
    ),
  input: z
    .object({ trial: z.number().int().nonnegative() })
    .transform((input): MergeCall => ({ tool: 'merge', ...input })),
};
