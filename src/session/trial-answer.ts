import { AssayError } from '../domain/errors.js';
import { maySee } from '../domain/session/lineage-mode.js';
import { isCompared, ownLesson } from '../domain/session/own-lesson.js';
import { decisionMeasure, type Task } from '../domain/task/task.js';
import { mostMoved, withChanges } from '../domain/text/table-changes.js';
import { believedNow } from '../lineage/decisions/believed.js';
import { lessonFacts } from '../lineage/decisions/lesson-facts.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { DecisionDocument } from '../lineage/documents/decision.js';
import type { TrialDocument } from '../lineage/documents/trial.js';
import type { Lineage } from '../lineage/lineage.js';
import {
  submitAnswer,
  type FrontierNow,
  type OtherTrial,
  type SubmitAnswer,
} from '../model/trial-text/submit-answer.js';
import { leftOf } from './left.js';
import { cutProgress, failureOf, lastMeasured, logTails, phaseTimes, sizesOf } from './measured-facts.js';

/** Newest trials among which those are sought that ended or run meanwhile. */
const LOOKED_AT = 40;
const MOST_TOLD = 8;
const REPORT_LINES = 40;

/** Answers a submit whose trial has ended, with what its conversation may know. */
export async function trialAnswer(lineage: Lineage, owner: string, number: number): Promise<string> {
  const [campaign, trial] = await Promise.all([
    lineage.campaigns.byOwner(owner),
    lineage.trials.require(owner, number),
  ]);
  const { spec } = await lineage.tasks.get(campaign.frozen.task.digest);
  return submitAnswer(await trialFacts(lineage, campaign, spec, trial));
}

/** Gathers what is known of an ended trial. */
async function trialFacts(
  lineage: Lineage,
  campaign: CampaignDocument,
  task: Task,
  trial: TrialDocument,
): Promise<SubmitAnswer> {
  const { owner, number, outcome, expectedDelta } = trial;
  if (outcome === null) throw new AssayError('INTERNAL', `trial ${number} has not ended`);
  const isOn = campaign.frozen.lineage === 'on';
  const [parent, replicate, decision, left] = await Promise.all([
    parentOf(lineage, campaign, trial),
    lastMeasured(lineage, trial),
    lineage.decisions.of(owner, number),
    leftOf(lineage, campaign),
  ]);
  const parentScore = parent?.outcome?.score ?? null;
  const report = parent?.outcome?.feedback ?? null;
  const sizes = sizesOf(task, trial, replicate);
  const isAlone = !isOn && isCompared(outcome.status);
  const delta = outcome.score === null || parentScore === null ? null : outcome.score - parentScore;
  return {
    trial: number,
    status: isAlone ? 'measured' : outcome.status,
    score: outcome.score,
    unit: decisionMeasure(task).unit,
    runs: decision?.inputs.scores.length ?? 1,
    noise: isOn && decision !== null ? noiseOf(decision) : null,
    parent: parent?.number ?? null,
    parentScore,
    delta,
    expectedDelta,
    believed: isOn && decision !== null ? await believedNow(lineage, decision) : null,
    frontier: isOn ? await frontierNow(lineage, trial) : null,
    sizes,
    phases: phaseTimes(task, campaign.frozen.trainSeconds, replicate),
    margins: outcome.margins.filter(({ metric }) => metric !== 'bytes' || sizes === null),
    limit: outcome.failure?.limit ?? null,
    projection: replicate?.evaluated == null ? trial.projection : null,
    failure: await failureOf(lineage, trial, replicate),
    progress: cutProgress(replicate),
    report: withChanges(outcome.feedback, report).slice(0, REPORT_LINES),
    moved: report === null ? null : mostMoved(outcome.feedback, report),
    logs: await logTails(lineage, trial, replicate),
    lesson: isAlone ? ownLesson({ delta, parent: parent?.number ?? null }) : outcome.lesson,
    meanwhile: isOn ? await meanwhileOf(lineage, trial) : null,
    left,
  };
}

/** The parent, where the conversation may see it. */
async function parentOf(
  lineage: Lineage,
  { frozen }: CampaignDocument,
  { owner, parent: number, session }: TrialDocument,
): Promise<TrialDocument | null> {
  const parent = number === null ? null : await lineage.trials.get(owner, number);
  return parent !== null && maySee(frozen.lineage, session ?? '', parent) ? parent : null;
}

function noiseOf(decision: DecisionDocument): SubmitAnswer['noise'] {
  const { spread } = lessonFacts(decision);
  return spread === null ? null : { sd: spread.sd, runs: spread.runs };
}

async function frontierNow(lineage: Lineage, { owner, number }: TrialDocument): Promise<FrontierNow | null> {
  const frontier = await lineage.decisions.frontier(owner);
  if (frontier === null) return null;
  const { trial, inputs } = frontier;
  const { score, frontier: before } = inputs;
  return {
    trial,
    score,
    believed: await believedNow(lineage, frontier),
    before: trial === number && before !== null ? { trial: before.trial, score: before.score } : null,
  };
}

/** Trials of others that ended since a trial was submitted, or run: those that run first. */
async function meanwhileOf(lineage: Lineage, own: TrialDocument): Promise<OtherTrial[]> {
  const newest = await lineage.trials.latest(own.owner, LOOKED_AT);
  const since = newest.filter(
    ({ number, status, endedAt }) =>
      number !== own.number && (status === null || (endedAt !== null && endedAt > own.submittedAt)),
  );
  const running = since.filter(({ status }) => status === null);
  return [...running, ...since.filter(({ status }) => status !== null)]
    .slice(0, MOST_TOLD)
    .map(({ number, role, status, outcome, hypothesis }) => ({
      trial: number,
      role,
      status,
      score: outcome?.score ?? null,
      hypothesis,
    }));
}
