import type { LineageView, TrialRow } from '../../domain/session/view.js';
import type { FrozenCampaign } from '../../domain/campaign/campaign.js';
import { START } from '../../domain/keys.js';
import { decisionMeasure, type Task } from '../../domain/task/task.js';
import { believedNow, believedThen } from '../decisions/believed.js';
import type { DecisionDocument } from '../documents/decision.js';
import type { TrialDocument } from '../documents/trial.js';
import type { Lineage } from '../lineage.js';

const CHAIN = 8;

/** Builds the row of a trial; its delta is against its parent's score. */
export async function rowOf(lineage: Lineage, trial: TrialDocument): Promise<TrialRow> {
  const score = trial.outcome?.score ?? null;
  const parent = trial.parent === null ? null : await lineage.trials.get(trial.owner, trial.parent);
  const parentScore = parent?.outcome?.score ?? null;
  const decision = trial.outcome?.decision ?? null;
  const believed = await believedThen(lineage, [decision]);
  return {
    trial: trial.number,
    role: trial.role,
    parent: trial.parent,
    hypothesis: trial.hypothesis,
    status: trial.status,
    labels: trial.outcome?.labels ?? [],
    score,
    delta: score === null || parentScore === null ? null : score - parentScore,
    believed: believed.get(decision ?? '') ?? null,
    margins: trial.outcome?.margins ?? [],
    changes: trial.changes,
    lesson: trial.outcome?.lesson ?? '',
  };
}

async function rowAt(lineage: Lineage, owner: string, number: number): Promise<TrialRow> {
  return rowOf(lineage, await lineage.trials.require(owner, number));
}

/** Builds the view that a session of `role` is opened with, from a bounded number of documents. */
export async function lineageView(
  lineage: Lineage,
  frozen: FrozenCampaign,
  task: Task,
  role: string,
  frontier: DecisionDocument,
): Promise<LineageView> {
  const { owner } = frozen;
  const others = [...new Set(frozen.lanes.map((lane) => lane.role))].filter((other) => other !== role);
  const [limits, totals, chain, own, nearMisses] = await Promise.all([
    lineage.budgets.limits(owner),
    lineage.trials.totals(owner),
    lineage.decisions.chain(frontier, CHAIN + 1),
    lineage.leaderboards.recent(owner, role),
    lineage.leaderboards.nearMisses(owner),
  ]);
  const neighbours = (
    await Promise.all(others.map((other) => lineage.leaderboards.recent(owner, other)))
  ).flat();
  return {
    campaign: frozen.name,
    metric: decisionMeasure(task),
    trialsLeft: Math.max(0, limits.trials - totals.counted),
    start: await rowAt(lineage, owner, START),
    frontier: {
      ...(await rowAt(lineage, owner, frontier.trial)),
      believed: await believedNow(lineage, frontier),
    },
    chain: await Promise.all(chain.slice(1).map((adopted) => rowAt(lineage, owner, adopted.trial))),
    own,
    neighbours: neighbours.sort((a, b) => b.trial - a.trial),
    nearMisses,
  };
}
