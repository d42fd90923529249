import { z } from 'zod';

/** Shares of edits that gain and that harm, and their mean sizes in the metric's unit; the others do nothing. */
export interface EffectMix {
  gains: { share: number; mean: number };
  harms: { share: number; mean: number };
}

export const MIXES = {
  few: { gains: { share: 0.03, mean: 8e-4 }, harms: { share: 0.07, mean: 2e-3 } },
  many: { gains: { share: 0.1, mean: 4e-4 }, harms: { share: 0.4, mean: 2e-3 } },
  mid: { gains: { share: 0.06, mean: 12e-4 }, harms: { share: 0.07, mean: 2e-3 } },
  null: { gains: { share: 0, mean: 8e-4 }, harms: { share: 0, mean: 2e-3 } },
} as const satisfies Record<Scenario['mix'], EffectMix>;

/**
 * A scenario's kind: what its world does beside the effects of its edits.
 * - plain: nothing; every run has the same normal noise
 * - floor: scores have a floor 20 standard deviations below the start; effects and noise shrink with the distance to it
 * - huge: one early edit gains 24 standard deviations and leaves its family 47 times quieter than the start
 * - family: 8 % of the edits change the noise to 7 times more … 7 times less than the start's
 * - t4: noise is Student's t with 4 degrees of freedom
 * - hosts: three hosts, each with an offset of its own that drifts with every run
 */
const kindSchema = z.enum(['plain', 'floor', 'huge', 'family', 't4', 'hosts']);

export const scenarioSchema = z.object({
  name: z.string(),
  mix: z.enum(['few', 'many', 'mid', 'null']),
  /** Run-to-run standard deviation of the start, in the metric's unit; with `huge`, of what follows the large gain. */
  sd: z.number(),
  kind: kindSchema,
  /** Trials in flight at a time. */
  lanes: z.number().int(),
});
export type Scenario = z.infer<typeof scenarioSchema>;

const scenario = (mix: Scenario['mix'], sd: number, kind: Scenario['kind'], lanes: number): Scenario => ({
  name: `${mix} ${Math.round(sd * 1e4)}e-4 ${kind} ${lanes}`,
  mix,
  sd,
  kind,
  lanes,
});

export const SCENARIOS: readonly Scenario[] = [
  scenario('few', 5e-4, 'plain', 1),
  scenario('few', 2e-4, 'plain', 1),
  scenario('many', 5e-4, 'plain', 1),
  scenario('many', 2e-4, 'plain', 1),
  scenario('null', 5e-4, 'plain', 1),
  scenario('null', 2e-4, 'plain', 1),
  scenario('mid', 5e-4, 'floor', 1),
  scenario('few', 5e-4, 'huge', 1),
  scenario('many', 5e-4, 'huge', 1),
  scenario('few', 3e-4, 'family', 1),
  scenario('many', 3e-4, 'family', 1),
  scenario('few', 5e-4, 't4', 1),
  scenario('many', 5e-4, 't4', 1),
  scenario('few', 5e-4, 'hosts', 1),
  scenario('many', 5e-4, 'hosts', 1),
  scenario('few', 5e-4, 'plain', 4),
  scenario('many', 5e-4, 'plain', 4),
  scenario('many', 2e-4, 'plain', 4),
  scenario('many', 5e-4, 'huge', 4),
  scenario('mid', 5e-4, 'floor', 4),
  scenario('null', 5e-4, 'huge', 1),
  scenario('null', 3e-4, 'family', 1),
  scenario('null', 5e-4, 't4', 1),
  scenario('null', 5e-4, 'hosts', 1),
  scenario('null', 5e-4, 'plain', 4),
  scenario('null', 5e-4, 'huge', 4),
];
