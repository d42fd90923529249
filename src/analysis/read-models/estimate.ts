import { CLAIM_RUNS, type FrozenCampaign } from '../../domain/campaign/campaign.js';
import { START } from '../../domain/keys.js';
import { referenceOf } from '../../domain/task/profiles.js';
import type { Task } from '../../domain/task/task.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import type { Lineage } from '../../lineage/lineage.js';
import { estimateOf, type CampaignEstimate, type MeasuredRuns, type Plan } from '../statistics/estimate.js';
import { divided } from '../statistics/costs.js';

/** Newest campaigns that are looked through for runs of the task. */
const LOOKED_THROUGH = 200;
/** Campaigns of the task whose runs are read. */
const READ = 10;

/** `assay.estimate/1`: what a campaign would take, by runs of its task in this store. */
export interface EstimateModel extends CampaignEstimate {
  schema: 'assay.estimate/1';
  task: { name: string; digest: string; profile: string | null };
  plan: Plan;
  /** Campaigns whose runs it rests on, the newest first. */
  from: string[];
  /** Whole runs that it rests on. */
  measuredRuns: number;
  /** True where none of them is of the task as it is now. */
  ofAnotherVersion: boolean;
}

/** A task that an estimate is about. */
export interface EstimatedTask {
  spec: Task;
  digest: string;
}

/** Settings of a campaign that differ from what it would have by itself. */
export interface PlanSettings {
  trials?: number | undefined;
  leases: number;
  hourMicroUsd: number | null;
}

/**
 * Estimates a campaign on a task by runs that are in the store: of the task as it is, else of its other versions in the
 * same profile. `like` gives the numbers of a campaign there is.
 */
export async function estimateModel(
  lineage: Lineage,
  { spec, digest }: EstimatedTask,
  settings: PlanSettings,
  like: FrozenCampaign | null,
): Promise<EstimateModel> {
  const reference = (of: { name: string; profile?: string | undefined }): string =>
    referenceOf(of.name, of.profile ?? null);
  const named = (await lineage.campaigns.list(LOOKED_THROUGH)).filter(
    ({ frozen: { task } }) => reference(task) === reference(spec),
  );
  const same = named.filter(({ frozen }) => frozen.task.digest === digest);
  const chosen = (same.length > 0 ? same : named).slice(0, READ);
  const measured = pooled(await Promise.all(chosen.map((campaign) => measuredIn(lineage, campaign))));
  const plan: Plan = {
    trials: settings.trials ?? like?.limits.trials ?? 24,
    calibration: like?.calibration ?? (spec.replicate.deterministic ? 1 : spec.calibration.replicates),
    claimRuns: like?.claim.runs ?? (spec.replicate.deterministic ? 1 : CLAIM_RUNS),
    leases: settings.leases,
    hourMicroUsd: settings.hourMicroUsd,
  };
  return {
    schema: 'assay.estimate/1',
    task: { name: spec.name, digest, profile: spec.profile ?? null },
    plan,
    from: chosen.map(({ _id }) => _id),
    measuredRuns: measured.runs.length,
    ofAnotherVersion: chosen.length > 0 && same.length === 0,
    ...estimateOf(spec, measured, plan),
  };
}

async function measuredIn(lineage: Lineage, { owner }: CampaignDocument): Promise<MeasuredRuns> {
  const [{ documents: replicates }, { documents: ledger }, { documents: trials }, start] = await Promise.all([
    lineage.records.replicates(owner),
    lineage.records.ledger(owner),
    lineage.records.trials(owner),
    lineage.trials.get(owner, START),
  ]);
  const { total } = divided(ledger, []);
  const ofSearch = replicates.filter(({ purpose }) => purpose === 'search').length;
  return {
    runs: replicates.flatMap(wholeRun),
    searchRuns: ofSearch - (start?.replicates.length ?? 0),
    trials: trials.filter(
      ({ number, status }) => number !== START && status !== null && status !== 'duplicate',
    ).length,
    begun: replicates.filter(({ trained }) => trained !== null).length,
    acceleratorMs: total.spent.acceleratorMs,
    microUsd: total.spent.microUsd,
  };
}

/**
 * Seconds by phase of a run that was measured in whole, and took nothing from another but a cache that was filled
 * before: runs share those.
 */
function wholeRun({ trained, evaluated }: ReplicateDocument): Record<string, number>[] {
  if (trained?.failure !== null || evaluated?.failure !== null) return [];
  const runs = [...trained.runs, ...evaluated.runs];
  if (runs.some(({ phase, reusedFrom }) => phase !== 'prewarm' && reusedFrom !== null)) return [];
  const seconds: Record<string, number> = {};
  for (const { phase, wallMs, startMs, reusedFrom } of runs)
    if (reusedFrom === null) seconds[phase] = (seconds[phase] ?? 0) + (wallMs + (startMs ?? 0)) / 1000;
  return [seconds];
}

function pooled(all: readonly MeasuredRuns[]): MeasuredRuns {
  const sum = (of: (each: MeasuredRuns) => number): number => all.reduce((so, each) => so + of(each), 0);
  return {
    runs: all.flatMap(({ runs }) => runs),
    searchRuns: sum(({ searchRuns }) => searchRuns),
    trials: sum(({ trials }) => trials),
    begun: sum(({ begun }) => begun),
    acceleratorMs: sum(({ acceleratorMs }) => acceleratorMs),
    microUsd: sum(({ microUsd }) => microUsd),
  };
}
