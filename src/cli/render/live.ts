import { gainOf } from '../../analysis/read-models/events.js';
import type { Frontier, OpenTrial } from '../../analysis/read-models/progress.js';
import type { Snapshot } from '../../analysis/read-models/snapshot.js';
import type { StallReport } from '../../analysis/stall/types.js';
import { shownState, waitedFor } from '../../analysis/stall/diagnose.js';
import { besideScore } from './estimate.js';
import { duration, integer, score, signed, usd, withUnit } from './numbers.js';
import { stateColour, type Paint } from './paint.js';
import { countsText, reasonText } from './status.js';
import { cut, oneLine } from './text.js';

/** Below a terminal of this height, lanes beyond the first few are only counted. */
const LANES_SHOWN = 12;

/** Reasons beyond the first few are only counted. */
const REASONS_SHOWN = 4;

/** A campaign as a few lines that are drawn again and again; none is wider than `width`. */
export function renderLive(
  snapshot: Snapshot,
  name: string,
  paint: Paint,
  width: number,
  stallReport: StallReport = { reasons: [], moves: null },
): string {
  const { metric, frontier, spending } = snapshot;
  const state = shownState(snapshot.state, stallReport);
  const reason = state === 'waiting' ? waitedFor(stallReport) : snapshot.reason;
  const gain = gainOf(snapshot);
  const because = reason === null ? '' : ` (${oneLine(reason)})`;
  const best =
    frontier === null
      ? 'the start is being measured'
      : `best ${withUnit(score(frontier.score), metric)} (${frontier.label}${besideText(frontier)})${gain === null || gain === 0 ? '' : `, ${signed(gain)} against the start`}`;
  const { settled } = spending;
  return [
    `${paint('bold', name)} ${paint(stateColour(state), state)}${cut(because, Math.max(10, width - name.length - 40))}  ${duration(snapshot.runningMs)}  ${snapshot.counted} of ${snapshot.trialsLimit} trials`,
    ...laneLines(snapshot, paint, width),
    cut(best, width),
    countsText(snapshot.counts, paint),
    cut(
      `spent ${integer(settled.tokens)} tokens, ${usd(settled.microUsd)}, ${(settled.acceleratorMs / 1000).toFixed(0)} s of accelerator`,
      width,
    ),
    ...reasonLines(stallReport, paint, width),
  ].join('\n');
}

const besideText = ({ estimate }: Frontier): string => {
  const beside = besideScore(estimate);
  return beside === '' ? '' : `; ${beside}`;
};

function reasonLines({ reasons }: StallReport, paint: Paint, width: number): string[] {
  const shown = reasons.slice(0, REASONS_SHOWN).map((reason) => cut(reasonText(reason), width));
  const more = reasons.length - shown.length;
  return [...shown.map((line) => paint('yellow', line)), ...(more > 0 ? [`and ${more} more reasons`] : [])];
}

function laneLines({ lanes, open, campaign }: Snapshot, paint: Paint, width: number): string[] {
  const inLanes = new Set(lanes.map(({ lane }) => lane));
  const rows: [string, OpenTrial | null][] = [
    ...open.filter(({ lane }) => !inLanes.has(lane)).map((trial): [string, OpenTrial] => [trial.lane, trial]),
    ...lanes.flatMap(({ lane }): [string, OpenTrial | null][] => {
      const own = open.filter((trial) => trial.lane === lane);
      return own.length === 0 ? [[lane, null]] : own.map((trial) => [lane, trial]);
    }),
  ];
  const widest = Math.max(0, ...rows.map(([lane]) => lane.length));
  const idle = campaign.control === 'running' ? 'proposing' : campaign.control;
  const shown = rows
    .slice(0, LANES_SHOWN)
    .map(([lane, trial]) => laneLine(lane.padEnd(widest), trial, idle, paint, width));
  const more = rows.length - shown.length;
  return more === 0 ? shown : [...shown, `  and ${more} more`];
}

function laneLine(lane: string, trial: OpenTrial | null, idle: string, paint: Paint, width: number): string {
  if (trial === null) return `  ${lane}  ${paint('dim', idle)}`;
  const head = `  ${lane}  ${trial.trial}  ${trial.stage.padEnd(10)} ${duration(trial.elapsedMs).padStart(9)}  `;
  const text = cut(oneLine(trial.hypothesis), Math.max(0, width - head.length));
  return head.replace(trial.stage, paint('cyan', trial.stage)) + text;
}
