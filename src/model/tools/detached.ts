import { z } from 'zod';
import { define, whole, type ModelTool } from './tool.js';

/** Calls about trials that a session submitted without waiting. */
export type DetachedCall =
  { tool: 'await_trials'; trials: number[] | null; any: boolean } | { tool: 'withdraw'; trial: number };

/** Trials that one call may await. */
const MOST_AWAITED = 100;
const number = z.number().int().nonnegative();

export const AWAIT_TRIALS: ModelTool<DetachedCall> = {
  name: 'await_trials',
  definition: () =>
    define('await_trials', 'Wait for trials that you submitted with wait: false, and get their results.', {
      trials: {
        type: 'array',
        items: whole,
        description: 'Default: all whose results you have not got yet.',
      },
      any: { type: 'boolean', description: 'True: return as soon as one of them has ended.' },
    }),
  input: z
    .object({ trials: z.array(number).min(1).max(MOST_AWAITED).nullish(), any: z.boolean().nullish() })
    .transform(({ trials, any }): DetachedCall => {
      return {
        tool: 'await_trials',
        trials: trials == null ? null : [...new Set(trials)],
        any: any ?? false,
      };
    }),
};

export const WITHDRAW: ModelTool<DetachedCall> = {
  name: 'withdraw',
  definition: () =>
    define(
      'withdraw',
      'Take back a trial of yours that has not begun to train. It ends as cancelled and costs none of the trials.',
      { trial: whole },
      ['trial'],
    ),
  input: z.object({ trial: number }).transform((input): DetachedCall => ({ tool: 'withdraw', ...input })),
};
