import type { Measure } from '../../domain/task/task.js';
import type { TrialStatus } from '../../domain/statuses.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { Lineage } from '../../lineage/lineage.js';
import { campaignHeader, type CampaignHeader } from './campaign-header.js';
import { trialSummaries, type TrialSummary } from './trial-summary.js';

export interface TrialFilter {
  /** A status, or `running` for trials that have none yet. */
  status?: TrialStatus | 'running' | undefined;
  role?: string | undefined;
  /** Number of the trial that they were proposed on top of. */
  parent?: number | undefined;
  /** Bounds of the score, both within; trials without a score are left out where there is one. */
  scoreFrom?: number | undefined;
  scoreTo?: number | undefined;
  /** Text that the hypothesis or the lesson holds, in upper or lower case. */
  text?: string | undefined;
  limit: number;
  /** Best first, of the measured trials that met every gate, instead of newest first. */
  best: boolean;
}

/** `assay.trials/1`. */
export interface TrialsModel {
  schema: 'assay.trials/1';
  campaign: string;
  metric: Measure;
  trials: TrialSummary[];
  submitted: number;
  /** The lowest number that was looked at; more may match below it when it is above 0. */
  searchedDownTo: number;
  remark: string;
}

const PAGE = 200;
const SEARCHED_AT_MOST = 50_000;

/**
 * The trials of a campaign, newest first. A filter looks at no more than the newest 50,000.
 * @throws AssayError CAMPAIGN_UNKNOWN
 */
export async function trialsModel(lineage: Lineage, name: string, filter: TrialFilter): Promise<TrialsModel> {
  const head = await campaignHeader(lineage, name);
  const { owner } = head.campaign;
  const { submitted } = await lineage.trials.totals(owner);
  const found = filter.best
    ? await bestOf(lineage, owner, filter)
    : await newest(lineage, head, filter, submitted);
  return {
    schema: 'assay.trials/1',
    campaign: name,
    metric: head.metric,
    trials: await trialSummaries(lineage, owner, found.trials, new Date()),
    submitted,
    searchedDownTo: found.searchedDownTo,
    remark: head.remark,
  };
}

interface Found {
  trials: TrialDocument[];
  searchedDownTo: number;
}

async function newest(
  lineage: Lineage,
  { campaign }: CampaignHeader,
  filter: TrialFilter,
  submitted: number,
): Promise<Found> {
  const trials: TrialDocument[] = [];
  const lowest = Math.max(0, submitted + 1 - SEARCHED_AT_MOST);
  const page = isFiltered(filter) ? PAGE : Math.min(PAGE, filter.limit);
  let below = submitted + 1;
  while (trials.length < filter.limit && below > lowest) {
    const found = await lineage.trials.latest(campaign.owner, Math.min(page, below - lowest), below);
    trials.push(...found.filter((trial) => matches(trial, filter)));
    below = Math.max(lowest, below - page);
  }
  const last = trials.length > filter.limit ? trials[filter.limit - 1] : undefined;
  return { trials: trials.slice(0, filter.limit), searchedDownTo: last?.number ?? below };
}

async function bestOf(lineage: Lineage, owner: string, filter: TrialFilter): Promise<Found> {
  const rows = await lineage.leaderboards.best(owner);
  const order = new Map(rows.map((row, place) => [row.trial, place]));
  const trials = (await lineage.trials.many(owner, [...order.keys()])).filter((trial) =>
    matches(trial, filter),
  );
  trials.sort((a, b) => (order.get(a.number) ?? 0) - (order.get(b.number) ?? 0));
  return { trials: trials.slice(0, filter.limit), searchedDownTo: 0 };
}

const isFiltered = ({ limit: _, best: __, ...wanted }: TrialFilter): boolean =>
  Object.values(wanted).some((value) => value !== undefined);

function matches(trial: TrialDocument, filter: TrialFilter): boolean {
  const { status, role, parent, scoreFrom, scoreTo, text } = filter;
  const score = trial.outcome?.score ?? null;
  return (
    (status === undefined || (status === 'running' ? trial.status === null : trial.status === status)) &&
    (role === undefined || trial.role === role) &&
    (parent === undefined || trial.parent === parent) &&
    (scoreFrom === undefined || (score !== null && score >= scoreFrom)) &&
    (scoreTo === undefined || (score !== null && score <= scoreTo)) &&
    (text === undefined || holds(trial, text))
  );
}

const holds = ({ hypothesis, outcome }: TrialDocument, text: string): boolean =>
  [hypothesis, outcome?.lesson ?? ''].some((part) => part.toLowerCase().includes(text.toLowerCase()));
