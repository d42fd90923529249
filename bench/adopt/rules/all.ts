import { z } from 'zod';
import type { SimulatedRule } from '../campaign.js';
import { Greedy } from './greedy.js';
import { PosteriorV1 } from './posterior-v1.js';
import { PosteriorV2 } from './posterior-v2.js';
import { Threshold } from './threshold.js';

/** Makes each rule for one campaign, in the order of the table. */
export const SIMULATED_RULES = {
  greedy: () => new Greedy(),
  threshold: () => new Threshold(),
  'posterior-v1': () => new PosteriorV1(),
  'posterior-v2': () => new PosteriorV2(),
} as const satisfies Record<string, () => SimulatedRule>;

export const simulatedRuleName = z.enum(['greedy', 'threshold', 'posterior-v1', 'posterior-v2']);
export type SimulatedRuleName = z.infer<typeof simulatedRuleName>;
