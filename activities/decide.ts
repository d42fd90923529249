import type { Interruption } from '../src/domain/decision/verdict.js';
import type { TrialRef } from '../src/domain/keys.js';
import type { Lineage } from '../src/lineage/lineage.js';
import {
  type StartOutcome,
  acceptStart,
  decideTrial,
  outcomeOfStart,
  type Again,
  type Decided,
} from '../src/measure/decision/decide-trial.js';

export interface DecideActivities {
  /** Gives a trial its one terminal status, or asks for one more run of it; an interrupted one gets a status. */
  decide(of: TrialRef & { interruption: Interruption | null }): Promise<Decided | Again>;
  /** Accepts a start that missed a gate as one to search from. */
  acceptStart(of: { owner: string }): Promise<void>;
  /**
   * Outcome of the start and, if the search needs to know its noise and cannot, why not, in words for people.
   */
  outcome(of: TrialRef): Promise<StartOutcome>;
}

export function decideActivities({ lineage }: { lineage: Lineage }): DecideActivities {
  return {
    decide: ({ interruption, ...of }) =>
      decideTrial(lineage, of, { interruption, mayRepeat: interruption === null }),
    acceptStart: ({ owner }) => acceptStart(lineage, owner),
    outcome: (of) => outcomeOfStart(lineage, of),
  };
}
