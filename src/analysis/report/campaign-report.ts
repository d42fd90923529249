import { isEnded } from '../../domain/statuses.js';
import { textOfReason } from '../../domain/campaign/reasons.js';
import { START, trialLabel } from '../../domain/keys.js';
import { treeDiff } from '../../lineage/blob-store/tree-diff.js';
import type { BudgetDocument } from '../../lineage/documents/budget.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { Lineage } from '../../lineage/lineage.js';
import { campaignHeader } from '../read-models/campaign-header.js';
import { storedTrajectory } from '../trajectory/from-store.js';
import type { Trajectory } from '../trajectory/trajectory.js';
import { list, table, text, type Block, type Section } from './blocks.js';
import { count, plural } from './format.js';
import { runFacts } from './run-facts.js';
import { runReport, type FinishedReport } from './run-report.js';

/**
 * Report on a stored campaign.
 * @throws AssayError CAMPAIGN_UNKNOWN
 */
export async function campaignReport(lineage: Lineage, name: string): Promise<FinishedReport> {
  const { campaign, metric, remark } = await campaignHeader(lineage, name);
  const { owner } = campaign;
  const trajectory = await storedTrajectory(lineage, name);
  const facts = runFacts(trajectory);
  const [budget, adopted, cancelled] = await Promise.all([
    lineage.budgets.get(owner),
    lineage.trials.many(
      owner,
      facts.steps.map(({ number }) => number),
    ),
    lineage.records.trials(owner),
  ]);
  const person = [...unreadText(trajectory), ...waiting(campaign, cancelled.documents)];
  const front = { claimed: remark, person };
  const more = [
    await chainSection(lineage, adopted),
    interventions(budget, cancelled.documents),
    settings(campaign),
  ];
  const state = isEnded(campaign.state)
    ? `It is ${campaign.state}.`
    : `It is ${campaign.state}; its figures still move.`;
  const document = runReport(
    trajectory,
    { facts, front, archive: null, more },
    `A campaign of task ${campaign.frozen.task.name}, ranked by ${metric.name}, which is ${metric.direction}d. ${state}`,
  );
  return {
    document,
    trajectory,
    claimed: remark,
    facts: { name, source: 'campaign', metric, archive: null, ...facts },
  };
}

/** Documents named of those that cannot be read. */
const MOST_NAMED = 3;

function unreadText({ unread }: Trajectory): string[] {
  if (unread.length === 0) return [];
  const named = unread.slice(0, MOST_NAMED).map(({ what, why }) => `${what} (${why})`);
  const more = unread.length > MOST_NAMED ? ', …' : '';
  return [
    `${plural(unread.length, 'stored document')} cannot be read and ${unread.length === 1 ? 'is' : 'are'} in no figure: ${named.join(', ')}${more}`,
  ];
}

function waiting({ state, reason }: CampaignDocument, trials: readonly TrialDocument[]): string[] {
  const parked = trials.flatMap(({ number, parked: is }) =>
    is === null ? [] : [`${trialLabel(number)} waits: ${is.reason}`],
  );
  const held =
    state === 'blocked' || state === 'paused'
      ? [`the campaign is ${state}${reason === null ? '' : `: ${textOfReason(reason) ?? ''}`}`]
      : [];
  return [...held, ...parked];
}

const LONGEST_DIFF = 6000;

/** Each adoption with its change to the adoption before it. */
async function chainSection(lineage: Lineage, adopted: readonly TrialDocument[]): Promise<Section> {
  const blocks: Block[] = [];
  let before: TrialDocument | null = null;
  for (const trial of [...adopted].sort((a, b) => a.number - b.number)) {
    const from = before ?? (await lineage.trials.require(trial.owner, START));
    const { diff } = await treeDiff(lineage.blobs, from.snapshot, trial.snapshot);
    blocks.push(
      text(`${trialLabel(trial.number)}, against ${trialLabel(from.number)}: ${trial.hypothesis}`),
      {
        kind: 'code',
        text:
          diff.length > LONGEST_DIFF
            ? `${diff.slice(0, LONGEST_DIFF)}\n… ${count(diff.length - LONGEST_DIFF)} characters more`
            : diff,
      },
    );
    before = trial;
  }
  return {
    title: 'The chain of adoptions',
    blocks: blocks.length === 0 ? [text('The start is still the frontier.')] : blocks,
  };
}

/** Interventions of people while it ran. */
function interventions({ changes }: BudgetDocument, trials: readonly TrialDocument[]): Section {
  const items = [
    ...changes.map(({ at, by }) => `${at.toISOString()}: limits changed${by === null ? '' : ` by ${by}`}`),
    ...trials.flatMap(({ number, outcome }) =>
      outcome?.cancelledBy == null ? [] : [`${trialLabel(number)} cancelled: ${outcome.cancelledBy}`],
    ),
    ...trials.flatMap(({ number, pardoned }) =>
      pardoned === 0 ? [] : [`${trialLabel(number)} retried after ${plural(pardoned, 'lost worker')}`],
    ),
  ];
  return {
    title: 'What people did',
    blocks: [items.length === 0 ? text('Nobody intervened.') : list(items)],
  };
}

/** Settings that the campaign was frozen with, and digests of what it ran. */
function settings({ frozen, createdAt, endedAt }: CampaignDocument): Section {
  return {
    title: 'Settings and digests',
    blocks: [
      table(
        ['setting', 'value'],
        [
          ['task', `${frozen.task.name}, ${frozen.task.digest}`],
          ['model', frozen.model.id],
          ['rule', `${frozen.rule}, version ${frozen.ruleVersion}`],
          ['lanes', frozen.lanes.map(({ lane }) => lane).join(', ')],
          ['claim', `${plural(frozen.claim.runs, 'run')} of each, confidence ${frozen.claim.confidence}`],
          ['created', createdAt.toISOString()],
          ['ended', endedAt?.toISOString() ?? 'not yet'],
        ],
      ),
    ],
  };
}
