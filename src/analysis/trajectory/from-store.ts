import { NO_NOISE, sdOf, withRuns } from '../../domain/decision/noise.js';
import { START, trialLabel } from '../../domain/keys.js';
import type { Measure } from '../../domain/task/task.js';
import type { AnswerPlace } from '../../lineage/audit-reader.js';
import type { DecisionDocument } from '../../lineage/documents/decision.js';
import type { LedgerDocument } from '../../lineage/documents/ledger.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import type { SessionDocument } from '../../lineage/documents/session.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { Lineage } from '../../lineage/lineage.js';
import { campaignHeader } from '../read-models/campaign-header.js';
import { failureOfTrial } from '../read-models/trial-failure.js';
import { trialsOfRows } from '../statistics/row-trial.js';
import { groupBy, type MeasuredNoise, type ToolCalls, type Trajectory } from './trajectory.js';
import type { TrajectoryTrial, TrialCosts, TrialTimes } from './trajectory.js';

/**
 * Reads a stored campaign as a trajectory: whole collections, once each.
 * @throws AssayError CAMPAIGN_UNKNOWN
 */
export async function storedTrajectory(lineage: Lineage, name: string): Promise<Trajectory> {
  const { campaign, metric } = await campaignHeader(lineage, name);
  const { owner, frozen } = campaign;
  const { records } = lineage;
  const [trials, replicates, decisions, ledger, sessions, answers] = await Promise.all([
    records.trials(owner),
    records.replicates(owner),
    records.decisions(owner),
    records.ledger(owner),
    records.sessions(owner),
    records.answers(owner),
  ]);
  const facts = {
    metric,
    model: frozen.model.id,
    replicates: new Map(replicates.documents.map((one) => [one._id, one])),
    decisions: new Map(decisions.documents.map((one) => [one.trial, one])),
    costs: costsOf(ledger.documents, trials.documents),
  };
  const all = trials.documents
    .sort((a, b) => a.number - b.number)
    .map((trial) => trajectoryTrialOf(trial, facts));
  return {
    name,
    source: 'campaign',
    metric,
    start: all.find(({ number }) => number === START) ?? null,
    trials: all.filter(({ number }) => number !== START),
    noise: noiseOf(decisions.documents),
    toolCalls: toolCallsOf(answers.documents, sessions.documents),
    unread: [trials, replicates, decisions, ledger, sessions, answers].flatMap(({ malformed }) =>
      malformed.map(({ collection, id, why }) => ({ what: `${collection} ${id}`, why })),
    ),
  };
}

interface Facts {
  metric: Measure;
  model: string;
  replicates: ReadonlyMap<string, ReplicateDocument>;
  decisions: ReadonlyMap<number, DecisionDocument>;
  costs: ReadonlyMap<number, TrialCosts>;
}

function trajectoryTrialOf(trial: TrialDocument, facts: Facts): TrajectoryTrial {
  const { outcome, number, role } = trial;
  const replicates = trial.replicates.flatMap((key) => facts.replicates.get(key) ?? []);
  const decision = facts.decisions.get(number);
  const failure = failureOfTrial(trial);
  const score = outcome?.score ?? null;
  const { [facts.metric.name]: _own, ...metrics } = outcome?.metrics ?? {};
  return {
    ...{ number, role, score, metrics },
    id: trialLabel(number),
    domain: trial.domain,
    edit: trial.edit,
    model: number === START || trial.session === null ? null : facts.model,
    ending: trial.status ?? 'running',
    stage: failure?.phase ?? null,
    cause: failure?.reason ?? '',
    runs: decision?.inputs.scores ?? (score === null ? [] : [score]),
    artifactBytes: replicates.map(({ trained }) => trained?.artifact?.bytes ?? null).find(isKnown) ?? null,
    parent: trial.parent,
    hypothesis: trial.hypothesis,
    expectedDelta: trial.expectedDelta,
    believedGain: trial.status === 'keep' ? (decision?.result.gain ?? null) : null,
    startedAt: trial.submittedAt.getTime(),
    endedAt: trial.endedAt?.getTime() ?? null,
    times: timesOf(trial, replicates),
    costs: facts.costs.get(number) ?? { microUsd: 0, acceleratorMs: 0, savedMs: 0 },
  };
}

const isKnown = (value: number | null): value is number => value !== null;

/** Times of all its measurements together; what was reused took none. */
function timesOf(trial: TrialDocument, replicates: readonly ReplicateDocument[]): TrialTimes {
  const trained = replicates.flatMap((one) => one.trained?.runs ?? []);
  const evaluated = replicates.flatMap((one) => one.evaluated?.runs ?? []);
  const own = [...trained, ...evaluated].filter(({ reusedFrom }) => reusedFrom === null);
  const first = own.reduce((least, run) => Math.min(least, run.startedAt.getTime()), Infinity);
  const wall = (runs: typeof own): number | null =>
    runs.length === 0 ? null : runs.reduce((sum, run) => sum + run.wallMs, 0);
  const submitted = trial.submittedAt.getTime();
  return {
    queueMs: Number.isFinite(first) ? Math.max(0, first - submitted) : null,
    trainMs: wall(trained.filter((run) => run.phase === 'train' && run.reusedFrom === null)),
    evaluateMs: wall(evaluated.filter(({ reusedFrom }) => reusedFrom === null)),
    totalMs: trial.endedAt === null ? null : trial.endedAt.getTime() - submitted,
  };
}

function costsOf(
  ledger: readonly LedgerDocument[],
  trials: readonly TrialDocument[],
): ReadonlyMap<number, TrialCosts> {
  const trialOf = trialsOfRows(trials);
  const costs = new Map<number, { microUsd: number; acceleratorMs: number; savedMs: number }>();
  for (const row of ledger) {
    const number = trialOf(row);
    if (number === null) continue;
    const sum = costs.get(number) ?? { microUsd: 0, acceleratorMs: 0, savedMs: 0 };
    costs.set(number, sum);
    sum.savedMs += row.saved?.acceleratorMs ?? 0;
    if (row.what === 'saved' || row.certainty === 'unpaid') continue;
    sum.microUsd += row.spent.microUsd;
    sum.acceleratorMs += row.spent.acceleratorMs;
  }
  return costs;
}

/** Spread of the runs of each recipe about its own mean, pooled over all that were measured more than once. */
function noiseOf(decisions: readonly DecisionDocument[]): MeasuredNoise | null {
  const noise = decisions.reduce((sum, { inputs }) => withRuns(sum, inputs.scores), NO_NOISE);
  const typical = decisions.at(0)?.inputs.score ?? 0;
  return noise.degrees === 0 ? null : { sd: sdOf(noise, typical), degrees: noise.degrees };
}

function toolCallsOf(answers: readonly AnswerPlace[], sessions: readonly SessionDocument[]): ToolCalls[] {
  const roles = new Map(sessions.map(({ _id, role }) => [_id, role]));
  const named = answers.map(({ session, tool, isError }) => ({
    role: roles.get(session) ?? '',
    tool,
    isError,
  }));
  return [...groupBy(named, ({ role, tool }) => JSON.stringify([role, tool])).values()].flatMap((own) => {
    const [first] = own;
    if (first === undefined) return [];
    const errors = own.filter(({ isError }) => isError).length;
    return [{ role: first.role, tool: first.tool, calls: own.length, errors }];
  });
}
