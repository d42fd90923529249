import type { GuardValue, Rule, RuleVersion } from '../../domain/decision/records/record.js';
import type { Task } from '../../domain/task/task.js';

/** Facts of a candidate for its decision. */
export interface Candidate {
  owner: string;
  trial: number;
  /** null for the start. */
  parent: number | null;
  rule: Rule;
  ruleVersion: RuleVersion;
  direction: Task['metric']['direction'];
  metric: string;
  /** One per replicate, in order. */
  scores: readonly number[];
  replicates: readonly string[];
  eligible: boolean;
  /** The parent's score under the training that this trial shares with it; null if it trained itself. */
  shared: number | null;
  /** True when its runs are equal to rounding where the start's were not. */
  alike: boolean;
  /** Tells whether it differs in nothing but seeds from its parent, or from the frontier of the moment. */
  seedOnly: (frontier: number | null) => Promise<boolean>;
  deterministic: boolean;
  guards: readonly GuardValue[];
  /** Runs of the start before the search. */
  calibration: number;
  /** Runs that a person asked for; null: as many as are worth their price. */
  askedRuns: number | null;
  /** Parents of the other trials in flight. */
  open: readonly number[];
  /** Value of knowing the noise better by itself; see the inputs of a decision. */
  noiseValue: number;
  /** True when it can be run once more. */
  mayRepeat: boolean;
}
