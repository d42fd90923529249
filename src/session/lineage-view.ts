import { START } from '../domain/keys.js';
import { directionsOf } from '../domain/session/directions.js';
import { expectationsOf } from '../domain/session/expectations.js';
import { failureGroups } from '../domain/session/failure-groups.js';
import type { FrontierRow, LineageView, SeenRow } from '../domain/session/view.js';
import { decisionMeasure, isBetter, type Task } from '../domain/task/task.js';
import { withChanges } from '../domain/text/table-changes.js';
import { believedNow } from '../lineage/decisions/believed.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { DecisionDocument } from '../lineage/documents/decision.js';
import type { TrialDocument } from '../lineage/documents/trial.js';
import type { Lineage } from '../lineage/lineage.js';
import { rowOf, rowsOf } from '../lineage/trials/view.js';
import { leftOf } from './left.js';
import { lastMeasured, phaseTimes, sizesOf } from './measured-facts.js';
import { VisibleTrials } from './visible-trials.js';

/** Adopted ancestors of the frontier that are shown. */
const CHAIN = 8;
/** Newest trials among which those that run, failures and directions are sought. */
const WINDOW = 64;
const NOTES = 3;
const DIFF_LINES = 120;
const REPORT_LINES = 40;

/** The session that a view is made for. */
export interface Viewer {
  campaign: CampaignDocument;
  task: Task;
  role: string;
  session: string;
  /** Roles whose trials it is shown besides its own; null: all. */
  neighbours: readonly string[] | null;
}

/** Builds the view that a session is opened with, from a bounded number of documents. */
export async function lineageView(
  lineage: Lineage,
  viewer: Viewer,
  frontier: DecisionDocument,
): Promise<LineageView> {
  const { campaign, task, session } = viewer;
  const { owner, frozen } = campaign;
  const trials = new VisibleTrials(lineage, { owner, session, mode: frozen.lineage });
  const [left, newest, start] = await Promise.all([
    leftOf(lineage, campaign),
    trials.latest(WINDOW),
    lineage.trials.require(owner, START),
  ]);
  const [startRow] = await trials.rows([start]);
  if (startRow === undefined) throw new RangeError('the start has a row');
  const common = { campaign: frozen.name, metric: decisionMeasure(task), left, start: startRow };
  return frozen.lineage === 'on'
    ? {
        ...common,
        ...(await seenOfOthers(lineage, viewer, frontier, newest)),
        ...(await notesFor(trials, viewer)),
      }
    : {
        ...common,
        ...NOTHING_OF_OTHERS,
        own: await trials.rows(newest.filter(({ number }) => number !== START)),
      };
}

const NOTHING_OF_OTHERS = {
  base: START,
  frontier: null,
  ...{ chain: [], neighbours: [], nearMisses: [], running: [], failures: [], directions: [], notes: [] },
  expectations: null,
};

type OfOthers = Pick<
  LineageView,
  | 'base'
  | 'frontier'
  | 'chain'
  | 'own'
  | 'neighbours'
  | 'nearMisses'
  | 'running'
  | 'failures'
  | 'directions'
  | 'expectations'
>;

async function seenOfOthers(
  lineage: Lineage,
  viewer: Viewer,
  frontier: DecisionDocument,
  newest: readonly TrialDocument[],
): Promise<OfOthers> {
  const { campaign, task, role } = viewer;
  const { owner } = campaign;
  const [frontierRow, chain, own, neighbours, missed] = await Promise.all([
    frontierOf(lineage, viewer, frontier),
    chainOf(lineage, frontier),
    lineage.leaderboards.recent(owner, role),
    neighbourRows(lineage, viewer),
    lineage.leaderboards.nearMisses(owner),
  ]);
  const { direction } = decisionMeasure(task);
  const others = newest.filter(({ number }) => number !== START);
  return {
    base: frontier.trial,
    frontier: frontierRow,
    chain,
    own,
    neighbours,
    nearMisses: betterThan(missed, frontier.inputs.score, direction),
    running: others
      .filter(({ status }) => status === null)
      .map(({ number, role: of, stage, hypothesis }) => ({ trial: number, role: of, stage, hypothesis })),
    failures: failureGroups(others),
    directions: directionsOf(others, Object.keys(task.recipe.domains)),
    expectations: expectationsOf(own),
  };
}

/** Trials that were better than the frontier, best first. */
function betterThan(
  rows: readonly SeenRow[],
  score: number,
  direction: Task['metric']['direction'],
): SeenRow[] {
  return rows
    .filter((row) => row.score !== null && isBetter(direction, row.score, score))
    .sort((a, b) => (isBetter(direction, a.score ?? 0, b.score ?? 0) ? -1 : 1));
}

async function chainOf(lineage: Lineage, frontier: DecisionDocument): Promise<SeenRow[]> {
  const [, ...before] = await lineage.decisions.chain(frontier, CHAIN + 1);
  const numbers = before.map(({ trial }) => trial);
  const rows = await rowsOf(lineage, await lineage.trials.many(frontier.owner, numbers));
  return rows.sort((a, b) => numbers.indexOf(a.trial) - numbers.indexOf(b.trial));
}

/** Recent trials of other roles that run in the campaign, and of people, newest first. */
async function neighbourRows(
  lineage: Lineage,
  { campaign: { frozen }, role, neighbours }: Viewer,
): Promise<SeenRow[]> {
  const roles = new Set(frozen.lanes.map((lane) => lane.role));
  roles.delete(role);
  const shown = [...roles].filter((other) => neighbours === null || neighbours.includes(other));
  const rows = await Promise.all(shown.map((other) => lineage.leaderboards.recent(frozen.owner, other)));
  return rows.flat().sort((a, b) => b.trial - a.trial);
}

async function frontierOf(
  lineage: Lineage,
  { campaign, task }: Viewer,
  frontier: DecisionDocument,
): Promise<FrontierRow> {
  const trial = await lineage.trials.require(frontier.owner, frontier.trial);
  const [row, believed, replicate, diff, parent] = await Promise.all([
    rowOf(lineage, trial),
    believedNow(lineage, frontier),
    lastMeasured(lineage, trial),
    lineage.blobs.text(trial.diff),
    trial.parent === null ? null : lineage.trials.get(trial.owner, trial.parent),
  ]);
  const report = withChanges(trial.outcome?.feedback ?? '', parent?.outcome?.feedback ?? null);
  return {
    ...row,
    believed,
    sizes: sizesOf(task, trial, replicate),
    phases: phaseTimes(task, campaign.frozen.trainSeconds, replicate),
    report: report.slice(0, REPORT_LINES),
    diff: diff.split('\n', DIFF_LINES).filter((line) => line !== ''),
  };
}

async function notesFor(trials: VisibleTrials, { role }: Viewer): Promise<Pick<LineageView, 'notes'>> {
  const notes = await trials.notes(role, NOTES);
  return { notes: notes.map(({ session, text }) => ({ session, text })) };
}
