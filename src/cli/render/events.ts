import type { Estimate } from '../../domain/decision/claim/estimate.js';
import type { Measure } from '../../domain/task/task.js';
import type { CampaignEvent } from '../../analysis/read-models/events.js';
import type { StallReason } from '../../analysis/stall/types.js';
import { besideScore } from './estimate.js';
import { renderFailure } from './failure.js';
import { duration, score, signed, withUnit } from './numbers.js';
import { stateColour, statusColour, type Paint } from './paint.js';
import { reasonText } from './status.js';
import { cut, headAndRest, oneLine } from './text.js';
import { deltaText } from './trials.js';

const TEXT_WIDTH = 140;
/** A lesson ends with the verdict, which must not be cut off. */
const LESSON_WIDTH = 480;

/** One event as one line. */
export function renderEvent(event: CampaignEvent, metric: Measure, paint: Paint): string {
  switch (event.event) {
    case 'state':
      return `campaign ${paint(stateColour(event.state), event.state)}${because(event.reason)}`;
    case 'submitted':
      return `${event.trial} ${event.role} submitted: ${cut(oneLine(event.hypothesis), TEXT_WIDTH)}`;
    case 'stage':
      return `${event.trial} ${event.role} ${event.stage}${event.host === null ? '' : ` on ${event.host}`}`;
    case 'parked':
      return `${event.trial} ${event.role} ${paint('yellow', 'parked')}, a person decides (assay resume or cancel ${event.trial}): ${cut(oneLine(event.reason), TEXT_WIDTH)}`;
    case 'ended':
      return `${event.trial} ${event.role} ${paint(statusColour(event.status), event.status)}${scoreText(event, metric, paint)} after ${duration(event.elapsedMs)}: ${cut(oneLine(event.lesson), LESSON_WIDTH)}`;
    case 'adopted':
      return `frontier ${paint('green', event.trial)} at ${withUnit(score(event.score), metric)}${besideText(event.estimate)}${gainText(event.gain, metric)}`;
    case 'stall':
      return stallText(event.reasons, event.moves, paint);
    case 'done':
      return `campaign ${paint(stateColour(event.state), event.state)}${because(event.reason)}${bestText(event, metric)}${startText(event, paint)}`;
  }
}

function startText({ startFailure }: Extract<CampaignEvent, { event: 'done' }>, paint: Paint): string {
  return startFailure === null ? '' : `\nthe start ${renderFailure(startFailure, paint)}`;
}

function stallText(reasons: readonly StallReason[], moves: boolean | null, paint: Paint): string {
  if (reasons.length === 0) return 'nothing waits any more';
  const what = moves === true ? 'waits' : 'stands still';
  return reasons.map((reason) => `${paint('yellow', what)}: ${reasonText(reason)}`).join('\n');
}

function because(reason: string | null): string {
  if (reason === null) return '';
  const { head, rest } = headAndRest(reason);
  return ` (${head})${rest === '' ? '' : `\n${rest}`}`;
}

function scoreText(
  { score: value, delta }: { score: number | null; delta: number | null },
  metric: Measure,
  paint: Paint,
): string {
  if (value === null) return '';
  return ` ${withUnit(score(value), metric)}${delta === null ? '' : ` (${deltaText(delta, metric, paint)})`}`;
}

function bestText(
  { frontier, score: value, estimate, gain }: Extract<CampaignEvent, { event: 'done' }>,
  metric: Measure,
): string {
  return frontier === null
    ? ''
    : `: best ${withUnit(score(value), metric)} (${frontier})${besideText(estimate)}${gainText(gain, metric)}`;
}

function besideText(estimate: Estimate | null): string {
  const beside = besideScore(estimate);
  return beside === '' ? '' : ` (${beside})`;
}

function gainText(gain: number | null, metric: Measure): string {
  return gain === null || gain === 0 ? '' : `, ${withUnit(signed(gain), metric)} against the start`;
}
