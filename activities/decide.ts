import { firstMiss } from '../src/domain/gates.js';
import { outcomeOf, type Evidence } from '../src/domain/outcome-of.js';
import { unmeasured, type Outcome } from '../src/domain/outcome.js';
import type { TrialStatus } from '../src/domain/statuses.js';
import { decisionMetric, type Task } from '../src/domain/task.js';
import type { CampaignDocument, TrialDocument } from '../src/lineage/documents.js';
import type { Lineage } from '../src/lineage/lineage.js';
import { rowOf } from '../src/lineage/view.js';

export interface TrialRef {
  owner: string;
  number: number;
}

export interface Decided {
  number: number;
  status: TrialStatus;
  score: number | null;
}

export interface DecideActivities {
  /** Gives a trial its one terminal status; `interruption` says why its phases did not all run. */
  decide(of: TrialRef & { interruption: string | null }): Promise<Decided>;
  outcome(of: TrialRef): Promise<Decided & { lesson: string }>;
}

/** Decide and record: what is stored is read, one verdict is stored, and everyone can see it. */
export function decideActivities({ lineage }: { lineage: Lineage }): DecideActivities {
  return {
    decide: ({ owner, number, interruption }) => decideTrial(lineage, owner, number, interruption),
    outcome: async ({ owner, number }) => {
      const trial = await lineage.trials.require(owner, number);
      return { ...decided(trial), lesson: trial.outcome?.lesson ?? '' };
    },
  };
}

/** Settles a trial by what is stored of it; one that is settled stays as it is. */
export async function decideTrial(
  lineage: Lineage,
  owner: string,
  number: number,
  interruption: string | null,
): Promise<Decided> {
  const before = await lineage.trials.require(owner, number);
  const campaign = await lineage.campaigns.byOwner(owner);
  const { spec } = await lineage.tasks.get(campaign.frozen.task.digest);
  let trial = before;
  if (before.status === null) {
    await lineage.trials.setStage(owner, number, 'deciding');
    trial = await lineage.trials.settle(
      owner,
      number,
      await verdict(lineage, campaign, spec, before, interruption),
    );
  }
  await lineage.heads.record(owner, await rowOf(lineage, trial), spec.metric.direction);
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
  interruption: string | null,
): Promise<Outcome> {
  const twin = await twinOutcome(lineage, trial);
  if (twin !== null) return twin;
  const evidence = await evidenceOf(lineage, trial, task);
  const outcome = outcomeOf(task, evidence);
  if (outcome === null)
    return unmeasured('cancelled', interruption ?? 'ended before it was measured', {
      cancelledBy: interruption,
    });
  if (outcome.score === null || outcome.failure !== null || firstMiss(outcome.margins) !== undefined)
    return outcome;
  return adopt(lineage, campaign, task, trial, outcome, outcome.score);
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

async function evidenceOf(lineage: Lineage, trial: TrialDocument, task: Task): Promise<Evidence> {
  const replicates = await lineage.replicates.many(trial.replicates);
  const measured =
    replicates.find((replicate) => replicate.evaluated !== null) ??
    replicates.find((replicate) => replicate.trained !== null) ??
    null;
  const { trained, evaluated } = measured ?? { trained: null, evaluated: null };
  return {
    preflight: trial.preflight,
    trained: trained === null ? null : { failure: trained.failure, metrics: trained.metrics },
    evaluated:
      evaluated === null
        ? null
        : { failure: evaluated.failure, metrics: evaluated.metrics, feedback: evaluated.feedback },
    metric: decisionMetric(task),
  };
}

async function adopt(
  lineage: Lineage,
  { owner }: CampaignDocument,
  task: Task,
  trial: TrialDocument,
  outcome: Outcome,
  score: number,
): Promise<Outcome> {
  const decision = await lineage.decisions.decide({
    owner,
    trial: trial.number,
    direction: task.metric.direction,
    metric: decisionMetric(task),
    score,
    replicates: trial.replicates,
  });
  const against = decision.inputs.frontierTrial;
  const difference =
    decision.delta === null ? '' : ` by ${Math.abs(decision.delta).toPrecision(4)} ${task.metric.unit}`;
  const lesson =
    against === null
      ? 'the start of the search'
      : decision.adopt
        ? `better than trial ${against}${difference}: adopted on a single run, nothing is claimed`
        : `not better than trial ${against}: worse${difference}`;
  return { ...outcome, status: decision.adopt ? 'keep' : 'discard', decision: decision._id, lesson };
}
