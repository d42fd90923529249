import type { Measure } from '../domain/task.js';
import { unifiedDiff } from '../domain/diff.js';
import { START, trialLabel } from '../domain/keys.js';
import type { Lineage } from '../lineage/lineage.js';
import { campaignHead } from './head.js';
import { linesOf, type TrialLine } from './line.js';

const NEWEST = 200;

/** One end of the way that a search has made. */
export interface Milestone {
  number: number;
  label: string;
  /** In the unit of the metric; null before it was measured. */
  score: number | null;
}

/** A campaign as its end table: the newest trials in ascending order, and what the search came to. */
export interface CampaignRows {
  rows: TrialLine[];
  metric: Measure;
  start: Milestone;
  frontier: Milestone & { diffToStart: string };
}

/** @throws AssayError CAMPAIGN_UNKNOWN */
export async function campaignRows(lineage: Lineage, name: string): Promise<CampaignRows> {
  const { campaign, metric } = await campaignHead(lineage, name);
  const { owner } = campaign;
  const [trials, adopted, start] = await Promise.all([
    lineage.trials.latest(owner, NEWEST),
    lineage.decisions.frontier(owner),
    lineage.trials.get(owner, START),
  ]);
  const number = adopted?.trial ?? START;
  return {
    rows: await linesOf(lineage, owner, trials.reverse(), new Date()),
    metric,
    start: { number: START, label: trialLabel(START), score: start?.outcome?.score ?? null },
    frontier: {
      number,
      label: trialLabel(number),
      score: adopted?.inputs.score ?? null,
      diffToStart: number === START ? '' : await diffToStart(lineage, owner, number),
    },
  };
}

async function diffToStart(lineage: Lineage, owner: string, number: number): Promise<string> {
  const [start, frontier] = await Promise.all([
    lineage.trials.require(owner, START),
    lineage.trials.require(owner, number),
  ]);
  const { blobs } = lineage;
  return unifiedDiff(await blobs.readTree(start.snapshot), await blobs.readTree(frontier.snapshot));
}
