import type { Comparison } from '../../domain/decision/claim/comparison.js';
import type { Estimate } from '../../domain/decision/claim/estimate.js';
import type { Measure } from '../../domain/task/task.js';
import { AssayError } from '../../domain/errors.js';
import { CHANNELS, type Isolation } from '../../domain/task/isolation.js';
import { trialLabel, trialWorkflowId } from '../../domain/keys.js';
import type { Outcome } from '../../domain/trial/outcome.js';
import type { Projection } from '../../domain/task/rehearsal.js';
import { isEnded } from '../../domain/statuses.js';
import type { DecisionDocument, DecisionV2Document } from '../../lineage/documents/decision.js';
import { lessonFacts } from '../../lineage/decisions/lesson-facts.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import type { Saving } from '../../lineage/documents/saving.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { Lineage } from '../../lineage/lineage.js';
import { metricsOf } from '../../lineage/trials/replicates.js';
import { comparisonOf } from '../statistics/comparison.js';
import { trialEstimate } from '../statistics/trial-estimate.js';
import { measurementsOf } from './measurements.js';
import { campaignHeader, labelOrNull } from './campaign-header.js';
import { failureOfTrial } from './trial-failure.js';
import { trialSummaries, type TrialSummary } from './trial-summary.js';
import { wasInterrupted } from './status.js';

/** A phase that ran, as the harness measured it. */
export type PhaseView = Omit<PhaseRun, 'log'>;

export interface AttemptView {
  attempt: number;
  what: string;
  reason: string;
  host: string;
  at: string;
  /** Cut short on request; otherwise the infrastructure failed. */
  interrupted: boolean;
}

/** One measurement under one seed on one host class. */
export interface ReplicateView {
  purpose: ReplicateDocument['purpose'];
  index: number;
  hostClass: string;
  /** Hidden (null) while the campaign can still use it. */
  seed: number | null;
  /** Number of attempts that were begun. */
  attempts: number;
  worksNow: { host: string; what: string; since: string } | null;
  /**
   * `bytes` with names; `stored`: false where it missed a gate, after which only its digest and sizes are kept; `host`:
   * the host that keeps it, null where the store does; `gone`: true where that host has it no more.
   */
  artifact: {
    digest: string;
    files: number;
    bytes: number;
    stored: boolean;
    host: string | null;
    gone: boolean;
  } | null;
  phases: PhaseView[];
  metrics: Record<string, number>;
  /** Of metrics that the evaluator estimates from a sample, or that are means over several processes; a part of the noise between replicates. */
  standardErrors: Record<string, number>;
  /** The replicate whose training, and so whose noise, this one shares. */
  sharesTraining: string | null;
  /** Compute that this measurement did not need. */
  saved: Saving[];
  /** Attempts that were not the recipe's to answer for; they never count against a trial. */
  infra: AttemptView[];
}

export interface DecisionView {
  rule: DecisionDocument['rule'];
  /** Version of the rules. */
  version: DecisionDocument['version'];
  adopt: boolean;
  /** Version of the frontier that it was compared with. */
  frontierVersion: number;
  against: string | null;
  frontierScore: number | null;
  /** One for each run. */
  scores: number[];
  /** Mean of the scores. */
  score: number;
  metric: string;
  direction: Measure['direction'];
  delta: number | null;
  /** Run-to-run standard deviation that it was judged by; null where nothing was known of it. */
  noise: number | null;
  /**
   * Range of that noise (`low` to `high` hold nine tenths of its probability), and the runs it is known from; null in
   * version 1.
   */
  spread: DecisionV2Document['result']['spread'];
  /** By how much better than the frontier it is expected to be; null under rules without belief, and with no noise. */
  gain: number | null;
  /** Belief about its true score; null as `gain` is. */
  believed: { mean: number; sd: number } | null;
  /** The guard that forbade an adoption, in words. */
  veto: string | null;
  at: string;
}

/** `assay.trial/1`: everything about one trial. */
export interface TrialRecord extends TrialSummary {
  schema: 'assay.trial/1';
  asOf: string;
  campaign: string;
  workflowId: string;
  task: { name: string; digest: string; title: string; profile?: string | undefined };
  metric: Measure;
  session: { id: string; index: number | null; turn: number | null } | null;
  snapshot: string;
  parentSnapshot: string | null;
  metrics: Record<string, number>;
  /** Those of them that the recipe reports of itself. */
  recipeReported: string[];
  margins: Outcome['margins'];
  failure: Outcome['failure'];
  /** Projected duration of its evaluation, made before training; null where there was none. */
  projection: Projection | null;
  feedback: string;
  cancelledBy: string | null;
  replicates: ReplicateView[];
  /** The weakest isolation that any of its processes of the recipe ran under; null before one ran. */
  isolation: Isolation | null;
  decision: DecisionView | null;
  /** The best estimate of its true score by now; null before it was decided on. */
  estimate: Estimate | null;
  /** Against the start, where a person has fixed in advance how often both are measured; else null. */
  comparison: Comparison | null;
  /** Unified diff against the stored snapshot of its parent. */
  diff: string;
  remark: string;
}

/** @throws AssayError CAMPAIGN_UNKNOWN, TRIAL_UNKNOWN */
export async function trialRecord(lineage: Lineage, campaign: string, number: number): Promise<TrialRecord> {
  const now = new Date();
  const head = await campaignHeader(lineage, campaign);
  const { owner, frozen, state } = head.campaign;
  const trial = await lineage.trials.get(owner, number);
  if (trial === null)
    throw new AssayError('TRIAL_UNKNOWN', `campaign "${campaign}" has no trial ${trialLabel(number)}`);
  const [[line], replicates, decision, diff] = await Promise.all([
    trialSummaries(lineage, owner, [trial], now),
    measurementsOf(lineage, trial),
    lineage.decisions.of(owner, number),
    lineage.blobs.text(trial.diff),
  ]);
  if (line === undefined) throw new AssayError('INTERNAL', `${trial._id} has no line`);
  const { outcome } = trial;
  return {
    schema: 'assay.trial/1',
    asOf: now.toISOString(),
    campaign,
    workflowId: trialWorkflowId(campaign, number),
    task: frozen.task,
    metric: head.metric,
    ...line,
    session: sessionOf(trial),
    snapshot: trial.snapshot,
    parentSnapshot: trial.parentSnapshot,
    metrics: outcome?.metrics ?? {},
    recipeReported: head.spec.recipe_reported,
    margins: outcome?.margins ?? [],
    failure: failureOfTrial(trial),
    projection: trial.projection,
    feedback: outcome?.feedback ?? '',
    cancelledBy: outcome?.cancelledBy ?? null,
    replicates: replicates.map((replicate) => replicateView(replicate, isEnded(state))),
    isolation: weakest(replicates.flatMap((replicate) => runsOf(replicate))),
    decision: decision === null ? null : decisionView(decision),
    estimate: await trialEstimate(lineage, decision),
    comparison: await comparisonOf(lineage, head.campaign, decision),
    diff,
    remark: head.remark,
  };
}

function sessionOf({ session, turn }: TrialDocument): TrialRecord['session'] {
  if (session === null) return null;
  const index = Number(session.split('/').at(-1));
  return { id: session, index: Number.isInteger(index) ? index : null, turn };
}

/** All phases of a measurement, in the order in which they ran. */
export function runsOf({ trained, evaluated }: ReplicateDocument): PhaseRun[] {
  return [...(trained?.runs ?? []), ...(evaluated?.runs ?? [])];
}

function replicateView(replicate: ReplicateDocument, seedIsOpen: boolean): ReplicateView {
  const { holder, trained } = replicate;
  const artifact = trained?.artifact ?? null;
  return {
    purpose: replicate.purpose,
    index: replicate.index,
    hostClass: replicate.hostClass,
    seed: seedIsOpen ? replicate.seed : null,
    attempts: replicate.fence,
    worksNow:
      holder === null ? null : { host: holder.host, what: holder.what, since: holder.since.toISOString() },
    artifact:
      artifact === null
        ? null
        : {
            digest: artifact.digest,
            files: artifact.files.length,
            bytes: artifact.bytes,
            stored: trained?.failure === null,
            host: artifact.onHost?.host ?? null,
            gone: artifact.onHost?.gone != null,
          },
    phases: runsOf(replicate).map(({ log: _, ...run }) => run),
    metrics: metricsOf(replicate),
    standardErrors: { ...trained?.standardErrors, ...replicate.evaluated?.standardErrors },
    sharesTraining: trained?.sharesTraining ?? null,
    saved: trained?.saved ?? [],
    infra: replicate.faults.map((fault) => ({
      attempt: fault.fence,
      what: fault.what,
      reason: fault.reason,
      host: fault.host,
      at: fault.at.toISOString(),
      interrupted: wasInterrupted(fault),
    })),
  };
}

/**
 * The evaluator is the task's own program: only phases that run code of the recipe count, and for its channels only
 * those that see held-out data.
 */
function weakest(runs: readonly PhaseRun[]): Isolation | null {
  const isolations = (which: (phase: string) => boolean): Isolation[] =>
    runs.filter(({ phase }) => which(phase)).map(({ isolation }) => isolation);
  const [held] = isolations((phase) => phase !== 'evaluate').sort((a, b) => (a.tier < b.tier ? 1 : -1));
  if (held === undefined) return null;
  const [widest] = isolations((phase) => phase === 'serve')
    .map(({ channels }) => channels)
    .sort((a, b) => CHANNELS.indexOf(b) - CHANNELS.indexOf(a));
  return { ...held, channels: widest ?? held.channels };
}

function decisionView(decision: DecisionDocument): DecisionView {
  const { rule, inputs, result, at } = decision;
  const { frontier } = inputs;
  const { spread, gain, believedOwn } = lessonFacts(decision);
  return {
    rule,
    version: decision.version,
    adopt: result.adopt,
    frontierVersion: frontier?.version ?? 0,
    against: labelOrNull(frontier?.trial ?? null),
    frontierScore: frontier?.score ?? null,
    scores: inputs.scores,
    score: inputs.score,
    metric: inputs.metric,
    direction: inputs.direction,
    delta: result.delta,
    noise: spread?.sd ?? null,
    spread: decision.version === 1 ? null : decision.result.spread,
    gain,
    believed: believedOwn,
    veto: result.veto,
    at: at.toISOString(),
  };
}
