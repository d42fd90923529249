import { labelledLesson, noiseUnknownText } from '../../domain/decision/lesson.js';
import {
  isAlike,
  leavesNoiseUnknown,
  verdictOn,
  weighedOutcome,
  type Interruption,
  type Twin,
} from '../../domain/decision/verdict.js';
import { AssayError } from '../../domain/errors.js';
import { START, type TrialRef } from '../../domain/keys.js';
import type { TrialStatus } from '../../domain/statuses.js';
import { decisionMeasure, decisionMetric, type Task } from '../../domain/task/task.js';
import { returnsPlace } from '../../domain/trial/place.js';
import { labelsOf } from '../../domain/trial/labels.js';
import { outcomeOfRuns } from '../../domain/trial/outcome-of.js';
import type { Outcome } from '../../domain/trial/outcome.js';
import { lessonFacts } from '../../lineage/decisions/lesson-facts.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { Lineage } from '../../lineage/lineage.js';
import { onFirstClass, seededRuns } from '../../lineage/trials/replicates.js';
import { hasPlace } from '../../lineage/trials/trials.js';
import { rowOf } from '../../lineage/trials/view.js';
import { candidateOf } from './candidate.js';

export interface Decided {
  number: number;
  status: TrialStatus;
  score: number | null;
}

/** The start's end. */
export interface StartOutcome extends Decided {
  lesson: string;
  /** Reason why its runs leave the noise unknown; null where they do not. */
  noiseFault: string | null;
  /** True where it was out of time on a host that was slower than usual each time. */
  busyHost: boolean;
}

/** One more run of the trial is worth more than it costs. */
export const AGAIN = 'again';
export type Again = typeof AGAIN;

interface How {
  interruption: Interruption | null;
  /** True when it can be measured once more. */
  mayRepeat: boolean;
}

/** Gives a trial its one terminal status, or asks for one more run of it; one that has a status keeps it. */
export async function decideTrial(
  lineage: Lineage,
  { owner, number }: TrialRef,
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
    const outcome = await outcomeFor(lineage, campaign, spec, { trial: before, ...how });
    if (outcome === AGAIN) return AGAIN;
    trial = await lineage.trials.settle(owner, number, outcome);
  }
  await returnPlace(lineage, trial);
  await lineage.leaderboards.record(owner, await rowOf(lineage, trial), decisionMeasure(spec).direction);
  return decided(trial);
}

/** Gives the place of an ended trial back where it must not cost one; doing it again changes nothing. */
async function returnPlace(lineage: Lineage, trial: TrialDocument): Promise<void> {
  const { owner, number, slot, outcome, preflight } = trial;
  const begun = (await lineage.replicates.many(trial.replicates)).some(({ fence }) => fence > 0);
  const facts = { counts: hasPlace(slot), outcome, failedCheck: preflight !== null, begun };
  if (returnsPlace(facts)) await lineage.trials.returnPlace(owner, number);
}

/** Settles a trial by what is stored of it; one that is settled stays as it is. */
export async function settleTrial(
  lineage: Lineage,
  { owner, number }: TrialRef,
  interruption: Interruption,
): Promise<Decided> {
  const settled = await decideTrial(lineage, { owner, number }, { interruption, mayRepeat: false });
  if (settled === AGAIN) throw new AssayError('INTERNAL', `trial ${number} was to be settled as it is`);
  return settled;
}

/** Gives the outcome of the start, and in words for people why its noise is not known, where the search needs that. */
export async function outcomeOfStart(lineage: Lineage, { owner, number }: TrialRef): Promise<StartOutcome> {
  const trial = await lineage.trials.require(owner, number);
  const { frozen } = await lineage.campaigns.byOwner(owner);
  const { outcome, replicates } = trial;
  const noiseFault = leavesNoiseUnknown(frozen, outcome)
    ? noiseUnknownText(frozen.rule, replicates.length, outcome?.score ?? null)
    : null;
  const busyHost = outcome?.failure?.busyHost ?? false;
  return { ...decided(trial), lesson: outcome?.lesson ?? '', noiseFault, busyHost };
}

/**
 * Lets a start that missed a gate be searched from.
 * @throws AssayError INTERNAL for a start without a score
 */
export async function acceptStart(lineage: Lineage, owner: string): Promise<void> {
  const campaign = await lineage.campaigns.byOwner(owner);
  const { spec } = await lineage.tasks.get(campaign.frozen.task.digest);
  const trial = await lineage.trials.require(owner, START);
  const { replicates, outcome, scores } = await measuredOf(lineage, spec, trial);
  if (outcome === null || scores.length === 0) throw new AssayError('INTERNAL', 'the start has no score');
  const labels = trial.outcome?.labels ?? [];
  const measured = { trial, replicates, outcome: { ...outcome, labels }, scores, mayRepeat: false };
  const candidate = await candidateOf(lineage, campaign, spec, { ...measured, eligible: false });
  await lineage.decisions.decide(candidate);
}

function decided(trial: TrialDocument): Decided {
  return { number: trial.number, status: trial.status ?? 'cancelled', score: trial.outcome?.score ?? null };
}

async function outcomeFor(
  lineage: Lineage,
  campaign: CampaignDocument,
  task: Task,
  { trial, interruption, mayRepeat }: How & { trial: TrialDocument },
): Promise<Outcome | Again> {
  const { replicates, outcome: measured, scores } = await measuredOf(lineage, task, trial);
  const { calibration, ruleVersion } = campaign.frozen;
  const verdict = verdictOn({
    isStart: trial.number === START,
    twin: await twinOf(lineage, trial),
    interruption,
    measured,
    scored: scores.length,
    calibration,
    alike: isAlike({ ruleVersion, ...(await seedFacts(lineage, task, trial, replicates)) }),
    mayRepeat,
  });
  if (verdict.kind === 'again') return AGAIN;
  const { outcome } = verdict;
  if (verdict.kind === 'settled') return outcome;
  const found = { trial, replicates, outcome, scores, mayRepeat, eligible: true };
  const decision = await lineage.decisions.decide(await candidateOf(lineage, campaign, task, found));
  if (decision === AGAIN) return AGAIN;
  const { _id, result } = decision;
  // by what was decided on: another frontier may tell otherwise by now
  const labels = decision.version === 1 ? [] : labelsOf(decision.inputs);
  const lesson = labelledLesson(lessonFacts(decision), labels, decisionMeasure(task).unit);
  return weighedOutcome(outcome, { adopt: result.adopt, decision: _id, labels, lesson });
}

/** The runs of a trial in their order, those that were only begun left out, and what they come to. */
async function measuredOf(lineage: Lineage, task: Task, trial: TrialDocument) {
  const { preflight, number } = trial;
  const replicates = await replicatesOf(lineage, trial);
  const judging = {
    ...{ preflight, metric: decisionMetric(task) },
    as: number === START ? ('claim' as const) : ('screen' as const),
    start: number === START ? [] : await startRuns(lineage, task, trial.owner),
  };
  return { replicates, ...outcomeOfRuns(task, replicates.map(onFirstClass), judging) };
}

/** The trained replicates of a trial in their order. */
async function replicatesOf(lineage: Lineage, { replicates: keys }: TrialDocument) {
  const found = await lineage.replicates.many(keys);
  return oneOfEach(found.filter(({ trained }) => trained !== null));
}

/** Runs of the start, for tasks that judge by the spread between runs. */
async function startRuns(lineage: Lineage, { gates }: Task, owner: string) {
  if (gates.every(({ test }) => test === 'exact')) return [];
  return (await replicatesOf(lineage, await lineage.trials.require(owner, START))).map(onFirstClass);
}

/** One for each index, in their order: an attempt that was lost may still end on a host of another class. */
function oneOfEach(found: readonly ReplicateDocument[]): ReplicateDocument[] {
  const chosen = new Map<number, ReplicateDocument>();
  for (const one of found) {
    const other = chosen.get(one.index);
    if (other === undefined || (other.evaluated === null && one.evaluated !== null))
      chosen.set(one.index, one);
  }
  return [...chosen.values()].sort((a, b) => a.index - b.index);
}

async function twinOf(lineage: Lineage, { twin }: TrialDocument): Promise<Twin | null> {
  return twin === null ? null : lineage.trials.bySubmitKey(twin);
}

async function seedFacts(
  lineage: Lineage,
  task: Task,
  { owner, number }: TrialDocument,
  replicates: readonly ReplicateDocument[],
) {
  const metric = decisionMetric(task);
  const start = number === START ? null : await lineage.trials.require(owner, START);
  return {
    runs: seededRuns(replicates, metric),
    sharesTraining: replicates.some(({ trained }) => trained?.sharesTraining != null),
    start: start === null ? null : seededRuns(await lineage.replicates.many(start.replicates), metric),
  };
}
