import { markedName } from '../../domain/task/marked-name.js';
import { DEFAULT_PRIORITY } from '../../domain/campaign/campaign.js';
import type { CampaignsModel } from '../../analysis/read-models/campaigns.js';
import type { LimitUse, OpenTrial } from '../../analysis/read-models/progress.js';
import type { Milestone } from '../../analysis/read-models/results-table.js';
import type { StallReason } from '../../analysis/stall/types.js';
import type { StatusModel } from '../../analysis/read-models/status.js';
import type { StatusCounts } from '../../lineage/leaderboards.js';
import { TRIAL_STATUSES, type CampaignState } from '../../domain/statuses.js';
import { besideScore } from './estimate.js';
import { renderFailure } from './failure.js';
import { duration, integer, plainNumber, score, signed, usd, withUnit } from './numbers.js';
import type { NotStartedModel } from '../follow/not-started.js';
import { stateColour, statusColour, type Paint } from './paint.js';
import { columns, fields } from './table.js';
import { cut, headAndRest, oneLine, plural, taskText } from './text.js';

/** The campaigns of a store, newest first. */
export function renderCampaigns({ campaigns, asOf }: CampaignsModel, paint: Paint): string {
  const now = Date.parse(asOf);
  return columns(
    [
      { title: 'CAMPAIGN' },
      { title: 'STATE' },
      { title: 'TASK' },
      { title: 'TRIALS', right: true },
      { title: 'BEST', right: true },
      { title: 'AGE', right: true },
      { title: 'REASON' },
    ],
    campaigns.map((row) => [
      row.campaign,
      paint(stateColour(row.state), row.state),
      row.task,
      `${row.counted}/${row.trialsLimit}`,
      withUnit(score(row.frontier?.score ?? null), row.metric),
      duration(now - Date.parse(row.createdAt)),
      cut(oneLine(row.reason ?? ''), 48),
    ]),
  );
}

/** Only where it is not the usual one. */
function priorityLine(priority: number): [string, string][] {
  if (priority === DEFAULT_PRIORITY) return [];
  const order = priority < DEFAULT_PRIORITY ? 'before' : 'after';
  return [['priority', `${priority}: its work comes ${order} that of campaigns without one`]];
}

/** One campaign. `priced` says whether the price of its model is known, so that dollars mean something. */
export function renderStatus(status: StatusModel, paint: Paint, priced: boolean): string {
  const { metric, start, frontier } = status;
  const { head, rest } = headAndRest(status.reason ?? '');
  const reason = head === '' ? '' : ` (${head})`;
  const lines: [string, string][] = [
    ['state', `${paint(stateColour(status.state), status.state)}${reason}${controlText(status)}`],
    ['task', `${taskText(status.task)}, ${oneLine(status.task.title)}`],
    [
      'model',
      `${status.model.id}${status.model.offline ? ' (offline: turns numeric knobs, no language model)' : ''}`,
    ],
    ...priorityLine(status.priority),
    [
      status.endedAt === null ? 'running for' : 'ran for',
      `${duration(status.runningMs)}${status.pausedMs > 0 ? `, pauses of ${duration(status.pausedMs)} left out` : ''}`,
    ],
    [
      'trials',
      `${countsText(status.counts, paint)}${status.open.length === 0 ? '' : `, ${status.open.length} open`}`,
    ],
    ['start', milestoneText(start, status)],
    ['best', `${milestoneText(frontier, status)}${gainText(status)}`],
    ['', paint('dim', `${markedName(metric)}, ${metric.direction}`)],
    ['claim', status.remark],
    ...(status.claim.note === null ? [] : [['', status.claim.note] satisfies [string, string]]),
    ...limitLines(status.limits),
    ...spendingLines(status, priced),
    ['faults', faultText(status)],
    ['workflow', status.workflowId],
  ];
  const sections = [paint('bold', status.campaign), fields(lines)];
  if (rest !== '') sections.push('', rest);
  if (status.startFailure !== null)
    sections.push('', `the start ${renderFailure(status.startFailure, paint)}`);
  const busy = new Set(status.open.map(({ lane }) => lane));
  const idle = status.lanes.filter(({ lane }) => !busy.has(lane)).map(({ lane }) => lane);
  if (status.stall.length > 0) sections.push('', renderStall(status, paint));
  if (status.open.length > 0) sections.push('', openTable(status.open, paint));
  if (idle.length > 0 && status.endedAt === null)
    sections.push('', `lanes without an open trial: ${idle.join(', ')}`);
  return sections.join('\n');
}

/** A campaign that no worker has taken up yet. */
export function renderNotStarted(model: NotStartedModel, paint: Paint): string {
  const state = 'started, and not taken up by a worker yet';
  const waits = model.stall.length === 0 ? [] : ['', renderStall(model, paint)];
  return [paint('bold', model.campaign), fields([['state', state]]), ...waits].join('\n');
}

/** The reasons, a line each, with what ends them. */
export function renderStall({ state, stall }: StalledStatus, paint: Paint): string {
  const none = state !== 'calibrating' && state !== 'running' && state !== 'draining';
  return [
    paint('yellow', none ? 'why nothing moves' : 'what waits, and why'),
    ...stall.map((reason) => `  ${reasonText(reason)}`),
  ].join('\n');
}

interface StalledStatus {
  state: CampaignState;
  stall: readonly StallReason[];
}

/** One reason on one line. */
export function reasonText({ text, remedy }: StallReason): string {
  return oneLine(remedy === null ? text : `${text.replace(/\.$/, '')}. ${remedy}`);
}

function controlText({ state, control }: StatusModel): string {
  const expected = { paused: 'paused', draining: 'draining', stopped: 'stopping', finished: 'stopping' };
  const usual = Object.entries(expected).find(([key]) => key === state)?.[1] ?? 'running';
  const ended = state === 'failed';
  return control === usual || ended ? '' : `, work is ${control}`;
}

/** A measured mean with what is known of the true score beside it. */
function milestoneText(of: Milestone | null, { metric }: StatusModel): string {
  if (of === null) return 'not measured yet';
  const beside = besideScore(of.estimate);
  return `${withUnit(score(of.score), metric)} (${of.label}${beside === '' ? '' : `; ${beside}`})`;
}

function gainText({ gain, metric }: StatusModel): string {
  return gain === null || gain === 0 ? '' : `, ${withUnit(signed(gain), metric)} against the start`;
}

/** Counts ended trials by status; statuses without a trial are left out. */
export function countsText(counts: StatusCounts, paint: Paint): string {
  const parts = TRIAL_STATUSES.filter((status) => counts[status] > 0).map((status) =>
    paint(statusColour(status), `${counts[status]} ${status}`),
  );
  return parts.length === 0 ? 'none ended' : parts.join(', ');
}

const LIMIT_NAMES: Record<LimitUse['limit'], string> = {
  trials: 'trials',
  submissions: 'submissions',
  hours: 'hours',
  hoursWithoutGain: 'without gain',
  dollars: 'money',
  acceleratorSeconds: 'accelerator',
};

function limitLines(limits: readonly LimitUse[]): [string, string][] {
  const set = limits.filter(({ allowed }) => allowed !== null);
  return set.map((use, index) => {
    const used = use.unit === 'USD' ? `$${use.used.toFixed(4)}` : plainNumber(use.used);
    const allowed =
      use.unit === 'USD'
        ? `$${(use.allowed ?? 0).toFixed(2)}`
        : `${plainNumber(use.allowed ?? 0)}${use.unit === 'h' || use.unit === 's' ? ` ${use.unit}` : ''}`;
    return [
      index === 0 ? 'limits' : '',
      `${LIMIT_NAMES[use.limit]}: ${used} of ${allowed}, then it ${use.then}`,
    ];
  });
}

function spendingLines({ spending }: StatusModel, priced: boolean): [string, string][] {
  const { settled, open, openReservations, unknown, savedMs } = spending;
  const held =
    openReservations === 0
      ? ''
      : `, ${usd(open.microUsd)} held for ${plural(openReservations, 'open reservation')}`;
  const money = priced ? `${usd(settled.microUsd)} settled${held}` : 'the price of this model is not known';
  const lines: [string, string][] = [
    ['spent', `${integer(settled.tokens)} tokens, ${money}`],
    [
      '',
      `${(settled.acceleratorMs / 1000).toFixed(1)} s of accelerator${open.acceleratorMs > 0 ? `, ${(open.acceleratorMs / 1000).toFixed(1)} s held` : ''}`,
    ],
  ];
  if (savedMs > 0)
    lines.push(['', `${(savedMs / 1000).toFixed(1)} s of accelerator saved by reuse and early stops`]);
  if (unknown.rows > 0)
    lines.push([
      '',
      `of it unknown, at its upper bound: ${plural(unknown.rows, 'row')}, ${integer(unknown.spent.tokens)} tokens, ${usd(unknown.spent.microUsd)}, ${(unknown.spent.acceleratorMs / 1000).toFixed(1)} s`,
    ]);
  return lines;
}

function faultText({ infrastructure }: StatusModel): string {
  const { faults, interrupted, ofTrials, last } = infrastructure;
  const scope = `in the newest ${plural(ofTrials, 'trial')}`;
  const cutShort = interrupted === 0 ? '' : `, ${interrupted} cut short on request`;
  if (faults === 0) return `none of the infrastructure${cutShort}, ${scope}`;
  const latest =
    last === null ? '' : `; last: ${last.what} on ${last.host}: ${cut(oneLine(last.reason), 80)}`;
  return `${faults} of the infrastructure, tried again${cutShort}, ${scope}${latest}`;
}

/** Renders what runs now. */
export function openTable(open: readonly OpenTrial[], paint: Paint): string {
  return columns(
    [
      { title: 'OPEN' },
      { title: 'LANE' },
      { title: 'STAGE' },
      { title: 'FOR', right: true },
      { title: 'HOST' },
      { title: 'HYPOTHESIS' },
    ],
    open.map((trial) => [
      trial.trial,
      trial.lane,
      paint('cyan', trial.stage),
      duration(trial.elapsedMs),
      trial.host ?? '',
      cut(oneLine(trial.hypothesis), 56),
    ]),
  );
}
