import { START } from '../../domain/keys.js';
import { decisionMeasure, type Task } from '../../domain/task/task.js';
import type { Outcome } from '../../domain/trial/outcome.js';
import type { Candidate } from '../../lineage/decisions/candidate.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { Lineage } from '../../lineage/lineage.js';
import { metricsOf } from '../../lineage/trials/replicates.js';
import { changesOnlySeed } from './seed-only.js';

/** A trial that a rule is to weigh. */
export interface Measured {
  trial: TrialDocument;
  replicates: readonly ReplicateDocument[];
  outcome: Outcome;
  scores: readonly number[];
  mayRepeat: boolean;
  /** True when it meets every gate. */
  eligible: boolean;
}

/**
 * In a search of few trials to know the noise sooner is worth a run of a new frontier; in a long one its children tell
 * it for nothing (docs/decisions/0010-noise-of-a-family.md).
 */
const SHORT_SEARCH_TRIALS = 100;
const SHORT_SEARCH_NOISE_VALUE = 0.1;

/** Far above what lanes can have in flight at once. */
const MOST_IN_FLIGHT = 1000;

/** Gathers what a trial brings to its decision. */
export async function candidateOf(
  lineage: Lineage,
  { owner, frozen }: CampaignDocument,
  task: Task,
  { trial, replicates, outcome, scores, mayRepeat, eligible }: Measured,
): Promise<Candidate> {
  const { name: metric, direction } = decisionMeasure(task);
  const start = trial.number === START ? null : await lineage.trials.require(owner, START);
  const open = await lineage.trials.open(owner, MOST_IN_FLIGHT);
  const alike = outcome.labels.includes('seed-fixed');
  // a start that ignores the seed was let pass by a person, to be searched from by single runs
  const single = start?.outcome?.labels.includes('seed-fixed') ?? false;
  const deterministic = task.replicate.deterministic || single;
  // runs that were fixed in advance are neither fewer nor more, whatever the first of them say
  const fixed = start === null ? null : frozen.submissionRuns;
  const guards = task.guards.map((guard) => ({
    ...guard,
    start: start?.outcome?.metrics[guard.metric] ?? null,
    value: outcome.metrics[guard.metric] ?? null,
  }));
  return {
    owner,
    trial: trial.number,
    parent: trial.parent,
    rule: frozen.rule,
    ruleVersion: frozen.ruleVersion,
    direction,
    metric,
    scores,
    replicates: replicates.map(({ _id }) => _id),
    eligible,
    shared: await sharedScore(lineage, trial, replicates, metric),
    guards: start === null ? [] : guards,
    askedRuns: fixed,
    open: open.flatMap(({ number, parent }) => (number === trial.number ? [] : (parent ?? []))),
    noiseValue: frozen.limits.trials <= SHORT_SEARCH_TRIALS ? SHORT_SEARCH_NOISE_VALUE : 0,
    alike,
    seedOnly: (frontier) => changesOnlySeed(lineage, trial, frontier),
    deterministic,
    calibration: frozen.calibration,
    mayRepeat,
  };
}

/** Finds what the parent scored under the training that this trial took over from it. */
async function sharedScore(
  lineage: Lineage,
  { owner, parent }: TrialDocument,
  replicates: readonly ReplicateDocument[],
  metric: string,
): Promise<number | null> {
  const shared = replicates[0]?.trained?.sharesTraining ?? null;
  if (shared === null || parent === null) return null;
  const from = await lineage.trials.require(owner, parent);
  // the parent may itself have taken over what it was trained by
  const same = (await lineage.replicates.many(from.replicates)).find(
    ({ _id, trained }) => (trained?.sharesTraining ?? _id) === shared,
  );
  return same === undefined ? null : (metricsOf(same)[metric] ?? null);
}
