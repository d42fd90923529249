import type { Candidate } from '../../src/lineage/decisions/candidate.js';

/** A candidate of one run under the rule `greedy`; trial 0 is the start, and every other one's parent. */
export function candidate(
  owner: string,
  trial: number,
  score: number,
  more: Partial<Candidate> = {},
): Candidate {
  return {
    owner,
    trial,
    parent: trial === 0 ? null : 0,
    rule: 'greedy',
    ruleVersion: 2,
    direction: 'minimize',
    metric: 'loss',
    scores: [score],
    replicates: [],
    eligible: true,
    shared: null,
    alike: false,
    seedOnly: () => Promise.resolve(false),
    deterministic: false,
    guards: [],
    askedRuns: null,
    open: [],
    noiseValue: 0,
    calibration: 1,
    mayRepeat: false,
    ...more,
  };
}
