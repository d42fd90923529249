import type { FrozenCampaign } from '../src/domain/campaign/campaign.js';
import { lessonOf } from '../src/domain/decision/lesson.js';
import { AssayError } from '../src/domain/errors.js';
import { firstMiss } from '../src/domain/task/gates.js';
import { START } from '../src/domain/keys.js';
import { outcomeOfRuns } from '../src/domain/trial/outcome-of.js';
import { unmeasured, type Outcome } from '../src/domain/trial/outcome.js';
import type { TrialStatus } from '../src/domain/statuses.js';
import { decisionMeasure, decisionMetric, DETERMINISTIC, type Task } from '../src/domain/task/task.js';
import { labelsOf, labelText } from '../src/domain/trial/labels.js';
import type { Candidate } from '../src/lineage/decisions/decisions.js';
import type {
  CampaignDocument,
  ReplicateDocument,
  TrialDocument,
} from '../src/lineage/documents/documents.js';
import { lessonFacts } from '../src/lineage/decisions/lesson-facts.js';
import type { Lineage } from '../src/lineage/lineage.js';
import { metricsOf } from '../src/lineage/trials/replicates.js';
import { rowOf } from '../src/lineage/trials/view.js';
import { changesOnlySeed, isSeedFixed } from '../src/measure/trial-labels.js';

export interface TrialRef {
  owner: string;
  number: number;
}

export interface Decided {
  number: number;
  status: TrialStatus;
  score: number | null;
}

/** One more run of the trial is worth more than it costs. */
export const AGAIN = 'again';
type Again = typeof AGAIN;

/** Why the phases of a trial did not all run. */
export interface Interruption {
  reason: string;
  /** By a person: it is cancelled, whatever was measured of it. */
  withdrawn: boolean;
}

export interface DecideActivities {
  /** Gives a trial its one terminal status, or asks for one more run of it; an interrupted one gets a status. */
  decide(of: TrialRef & { interruption: Interruption | null }): Promise<Decided | Again>;
  /** Lets a start that missed a gate be searched from. */
  acceptStart(of: { owner: string }): Promise<void>;
  /** The outcome of the start, and in words for people why its noise is not known, where the search needs that. */
  outcome(of: TrialRef): Promise<Decided & { lesson: string; noiseFault: string | null }>;
}

/** Decide and record: what is stored is read, one verdict is stored, and everyone can see it. */
export function decideActivities({ lineage }: { lineage: Lineage }): DecideActivities {
  return {
    decide: async ({ owner, number, interruption }) => {
      const mayRepeat = interruption === null;
      return decideTrial(lineage, owner, number, { interruption, mayRepeat });
    },
    acceptStart: ({ owner }) => acceptStart(lineage, owner),
    outcome: async ({ owner, number }) => {
      const trial = await lineage.trials.require(owner, number);
      const { frozen } = await lineage.campaigns.byOwner(owner);
      return {
        ...decided(trial),
        lesson: trial.outcome?.lesson ?? '',
        noiseFault: noiseFault(frozen, trial),
      };
    },
  };
}

/** Settles a trial by what is stored of it; one that is settled stays as it is. */
export async function settleTrial(
  lineage: Lineage,
  owner: string,
  number: number,
  interruption: Interruption,
): Promise<Decided> {
  const settled = await decideTrial(lineage, owner, number, { interruption, mayRepeat: false });
  if (settled === AGAIN) throw new AssayError('INTERNAL', `trial ${number} was to be settled as it is`);
  return settled;
}

interface How {
  interruption: Interruption | null;
  /** Whether it can be measured once more. */
  mayRepeat: boolean;
}

async function decideTrial(
  lineage: Lineage,
  owner: string,
  number: number,
  how: How,
): Promise<Decided | Again> {
  const before = await lineage.trials.require(owner, number);
  const campaign = await lineage.campaigns.byOwner(owner);
  const { spec } = await lineage.tasks.get(campaign.frozen.task.digest);
  let trial = before;
  if (before.status === null) {
    await lineage.trials.setStage(owner, number, 'deciding');
    // an attempt that was cut off must not publish beside the decision
    if (how.interruption !== null) await lineage.replicates.giveUp(before.replicates);
    const found = await verdict(lineage, campaign, spec, before, how);
    if (found === AGAIN) return AGAIN;
    trial = await lineage.trials.settle(owner, number, found);
  }
  await lineage.heads.record(owner, await rowOf(lineage, trial), decisionMeasure(spec).direction);
  return decided(trial);
}

function decided(trial: TrialDocument): Decided {
  return { number: trial.number, status: trial.status ?? 'cancelled', score: trial.outcome?.score ?? null };
}

async function verdict(
  lineage: Lineage,
  campaign: CampaignDocument,
  task: Task,
  trial: TrialDocument,
  { interruption, mayRepeat }: How,
): Promise<Outcome | Again> {
  const twin = await twinOutcome(lineage, trial);
  if (twin !== null) return twin;
  const { replicates, outcome: measured, scores } = await measuredOf(lineage, task, trial);
  const ended = interruption?.reason ?? null;
  const cancelled = unmeasured('cancelled', ended ?? 'ended before it was measured', { cancelledBy: ended });
  if (measured === null || interruption?.withdrawn === true) return cancelled;
  const uncalibrated = trial.number === START && scores.length < campaign.frozen.calibration;
  if (interruption !== null && uncalibrated && measured.failure === null) return cancelled;
  const ineligible = firstMiss(measured.margins) !== undefined;
  if (measured.score === null || measured.failure !== null) return measured;
  // the start's noise is measured even where it misses a gate
  if (ineligible && mayRepeat && uncalibrated) return AGAIN;
  // the first version of the rules counts every run
  const alike = campaign.frozen.ruleVersion > 1 && (await isSeedFixed(lineage, task, trial, replicates));
  const outcome = { ...measured, labels: labelsOf({ alike, seedOnly: false }) };
  if (ineligible) return outcome;
  return adopt(lineage, campaign, task, { trial, replicates, outcome, scores, mayRepeat });
}

/** The runs of a trial in their order, those that were only begun left out, and what they come to. */
async function measuredOf(lineage: Lineage, task: Task, { replicates: keys, preflight }: TrialDocument) {
  const found = await lineage.replicates.many(keys);
  const replicates = found.filter(({ trained }) => trained !== null).sort((a, b) => a.index - b.index);
  return { replicates, ...outcomeOfRuns(task, replicates, { preflight, metric: decisionMetric(task) }) };
}

/** A duplicate gets the result of the trial that has the same snapshot; nothing was run for it. */
async function twinOutcome(lineage: Lineage, trial: TrialDocument): Promise<Outcome | null> {
  if (trial.twin === null) return null;
  const twin = await lineage.trials.bySubmitKey(trial.twin);
  if (twin?.outcome == null || twin.status === 'cancelled') return null;
  return {
    ...twin.outcome,
    status: 'duplicate',
    duplicateOf: twin.number,
    decision: null,
    lesson: `the same code as trial ${twin.number}, which ended as ${twin.outcome.status}: ${twin.outcome.lesson}`,
  };
}

interface Measured {
  trial: TrialDocument;
  replicates: readonly ReplicateDocument[];
  outcome: Outcome;
  scores: readonly number[];
  mayRepeat: boolean;
}

async function adopt(
  lineage: Lineage,
  campaign: CampaignDocument,
  task: Task,
  measured: Measured,
): Promise<Outcome | Again> {
  const { outcome } = measured;
  const decision = await lineage.decisions.decide(await candidateOf(lineage, campaign, task, measured, true));
  if (decision === AGAIN) return AGAIN;
  const { adopt: adopted } = decision.result;
  const facts = lessonFacts(decision);
  // by what was decided on: another frontier may tell otherwise by now
  const labels = decision.version === 1 ? [] : labelsOf(decision.inputs);
  const untold = labels.filter((label) => (label === 'seed-fixed' ? !facts.alike : facts.barred === null));
  const lesson = [lessonOf(facts, decisionMeasure(task).unit), ...untold.map(labelText)].join('; ');
  return { ...outcome, labels, status: adopted ? 'keep' : 'discard', decision: decision._id, lesson };
}

/**
 * In a search of few trials to know the noise sooner is worth a run of a new frontier; in a long one its children tell
 * it for nothing (docs/decisions/0010-noise-of-a-family.md).
 */
const SHORT_SEARCH_TRIALS = 100;
const SHORT_SEARCH_NOISE_VALUE = 0.1;

/** Far above what lanes can have in flight at once. */
const MOST_IN_FLIGHT = 1000;

async function candidateOf(
  lineage: Lineage,
  { owner, frozen }: CampaignDocument,
  task: Task,
  { trial, replicates, outcome, scores, mayRepeat }: Measured,
  eligible: boolean,
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

/** What the parent scored under the training that this trial took over from it. */
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

/** @throws AssayError INTERNAL for a start without a score */
async function acceptStart(lineage: Lineage, owner: string): Promise<void> {
  const campaign = await lineage.campaigns.byOwner(owner);
  const { spec } = await lineage.tasks.get(campaign.frozen.task.digest);
  const trial = await lineage.trials.require(owner, START);
  const { replicates, outcome, scores } = await measuredOf(lineage, spec, trial);
  if (outcome === null || scores.length === 0) throw new AssayError('INTERNAL', 'the start has no score');
  const labels = trial.outcome?.labels ?? [];
  const of = { trial, replicates, outcome: { ...outcome, labels }, scores, mayRepeat: false };
  await lineage.decisions.decide(await candidateOf(lineage, campaign, spec, of, false));
}

/** Says why a start whose runs are all the same leaves the noise unknown that the rule has to know; null where it does not. */
function noiseFault(
  { rule, ruleVersion, submission }: FrozenCampaign,
  { outcome, replicates }: TrialDocument,
): string | null {
  const weighs = rule !== 'greedy' && submission === null && ruleVersion > 1;
  if (!weighs || outcome?.labels.includes('seed-fixed') !== true) return null;
  return `the ${replicates.length} runs of the start under different seeds all scored ${outcome.score ?? ''}, so nothing is known of the noise by which the rule "${rule}" weighs trials: either no recipe depends on the seed (then declare ${DETERMINISTIC} in task.yaml and start another campaign), or training has to draw by ASSAY_SEED`;
}
