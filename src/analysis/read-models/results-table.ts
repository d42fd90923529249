import type { Measure } from '../../domain/task/task.js';
import type { Estimate } from '../../domain/decision/claim/estimate.js';
import { START, trialLabel } from '../../domain/keys.js';
import { treeDiff } from '../../lineage/blob-store/tree-diff.js';
import type { Lineage } from '../../lineage/lineage.js';
import { trialEstimate } from '../statistics/trial-estimate.js';
import { campaignHeader } from './campaign-header.js';
import { trialSummaries, type TrialSummary } from './trial-summary.js';

const NEWEST = 200;

/** One end of the way that a search has made. */
export interface Milestone {
  number: number;
  label: string;
  /** In the unit of the metric; null before it was measured. */
  score: number | null;
  /** The best estimate of its true score by now; null before it was decided on. */
  estimate: Estimate | null;
}

/** A campaign as its end table: the newest trials in ascending order, and what the search came to. */
export interface ResultsTable {
  rows: TrialSummary[];
  metric: Measure;
  start: Milestone;
  frontier: Milestone & { diffToStart: string };
}

/** @throws AssayError CAMPAIGN_UNKNOWN */
export async function resultsTable(lineage: Lineage, name: string): Promise<ResultsTable> {
  const { campaign, metric } = await campaignHeader(lineage, name);
  const { owner } = campaign;
  const [trials, adopted, start, began] = await Promise.all([
    lineage.trials.latest(owner, NEWEST),
    lineage.decisions.frontier(owner),
    lineage.trials.get(owner, START),
    lineage.decisions.of(owner, START),
  ]);
  const number = adopted?.trial ?? START;
  return {
    rows: await trialSummaries(lineage, owner, trials.reverse(), new Date()),
    metric,
    start: {
      number: START,
      label: trialLabel(START),
      score: start?.outcome?.score ?? null,
      estimate: await trialEstimate(lineage, began),
    },
    frontier: {
      number,
      label: trialLabel(number),
      score: adopted?.inputs.score ?? null,
      estimate: await trialEstimate(lineage, adopted),
      diffToStart: number === START ? '' : await diffToStart(lineage, owner, number),
    },
  };
}

async function diffToStart(lineage: Lineage, owner: string, number: number): Promise<string> {
  const [start, frontier] = await Promise.all([
    lineage.trials.require(owner, START),
    lineage.trials.require(owner, number),
  ]);
  return (await treeDiff(lineage.blobs, start.snapshot, frontier.snapshot)).diff;
}
