import { firstMiss } from '../task/gates.js';
import { labelsOf, type Label } from '../trial/labels.js';
import { unmeasured, type Outcome } from '../trial/outcome.js';
import { duplicateText, NOT_MEASURED } from '../trial/outcome-words.js';
import { ignoresSeed, withoutNoise, type SeededRun } from './alike.js';
import type { Rule, RuleVersion } from './records/record.js';

/** Why the phases of a trial did not all run. */
export interface Interruption {
  reason: string;
  /** By a person: it is cancelled, whatever was measured of it. */
  withdrawn: boolean;
}

/** An earlier trial with the same snapshot. */
export interface Twin {
  number: number;
  outcome: Outcome | null;
}

/** Everything that is known of a trial when it gets its status, before a rule weighs it. */
export interface TrialFacts {
  isStart: boolean;
  twin: Twin | null;
  interruption: Interruption | null;
  /** What its runs come to; null where its phases have not all run. */
  measured: Outcome | null;
  /** Its runs that have a score. */
  scored: number;
  /** Runs that the start needs before the search. */
  calibration: number;
  /** True when its runs do not depend on their seeds. */
  alike: boolean;
  /** True when it can be measured once more. */
  mayRepeat: boolean;
}

/** `settled`: no rule has to weigh it. `weigh`: the rule decides whether it is adopted. */
export type TrialVerdict =
  { kind: 'settled'; outcome: Outcome } | { kind: 'again' } | { kind: 'weigh'; outcome: Outcome };

/** Finds how a trial ends, whether one more run of it is needed, or that a rule has to weigh it. */
export function verdictOn(facts: TrialFacts): TrialVerdict {
  const { twin, interruption, measured, mayRepeat } = facts;
  const duplicate = duplicateOf(twin);
  if (duplicate !== null) return settled(duplicate);
  if (measured === null || interruption?.withdrawn === true) return settled(cancelled(interruption));
  const uncalibrated = facts.isStart && facts.scored < facts.calibration;
  if (interruption !== null && uncalibrated && measured.failure === null)
    return settled(cancelled(interruption));
  if (measured.score === null || measured.failure !== null) return settled(measured);
  const ineligible = firstMiss(measured.margins) !== undefined;
  // the start's noise is measured even where it misses a gate
  if (ineligible && mayRepeat && uncalibrated) return { kind: 'again' };
  const outcome = { ...measured, labels: labelsOf({ alike: facts.alike, seedOnly: false }) };
  return ineligible ? settled(outcome) : { kind: 'weigh', outcome };
}

const settled = (outcome: Outcome): TrialVerdict => ({ kind: 'settled', outcome });

function cancelled(interruption: Interruption | null): Outcome {
  const cancelledBy = interruption?.reason ?? null;
  return unmeasured('cancelled', cancelledBy ?? NOT_MEASURED, { cancelledBy });
}

/** Gives a duplicate the result of the trial that has the same snapshot; null where that has none to give. */
function duplicateOf(twin: Twin | null): Outcome | null {
  if (twin?.outcome == null || twin.outcome.status === 'cancelled') return null;
  const { number, outcome } = twin;
  const lesson = duplicateText(number, outcome);
  return { ...outcome, status: 'duplicate', duplicateOf: number, decision: null, lesson };
}

/** Gives a trial that a rule has weighed its outcome. */
export function weighedOutcome(
  outcome: Outcome,
  decided: { adopt: boolean; decision: string; labels: Label[]; lesson: string },
): Outcome {
  const { adopt, decision, labels, lesson } = decided;
  return { ...outcome, labels, status: adopt ? 'keep' : 'discard', decision, lesson };
}

/** What shows whether the runs of a trial depend on their seeds. */
export interface SeedFacts {
  ruleVersion: RuleVersion;
  runs: readonly SeededRun[];
  /** True when one of the runs takes over the training of another trial. */
  sharesTraining: boolean;
  /** Runs of the start; null for the start itself. */
  start: readonly SeededRun[] | null;
}

/** Tells whether the runs of a trial do not depend on their seeds; of a start, whether they show no noise. */
export function isAlike({ ruleVersion, runs, sharesTraining, start }: SeedFacts): boolean {
  // the first version of the rules counts every run
  if (ruleVersion === 1) return false;
  if (start === null) return withoutNoise(runs);
  // runs that take over one training are equal for that reason
  return runs.length >= 2 && !sharesTraining && ignoresSeed(runs, start);
}

/** Tells whether a search has to know the noise by which its rule weighs, and its start leaves it unknown. */
export function leavesNoiseUnknown(
  { rule, ruleVersion, submission }: { rule: Rule; ruleVersion: RuleVersion; submission: unknown },
  start: Pick<Outcome, 'labels'> | null,
): boolean {
  const weighs = rule !== 'greedy' && submission === null && ruleVersion > 1;
  return weighs && start?.labels.includes('seed-fixed') === true;
}
