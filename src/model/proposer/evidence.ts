import { knobsOf } from '../../domain/text/knobs.js';
import { readView, type RowReading, type ViewReading } from '../view/read-view.js';
import { pointOf, type ConversationState, type Point } from './conversation-state.js';

/** Effect of turning some knobs together. */
export interface Turn {
  /** Old and new values by knob. */
  changes: ReadonlyMap<string, { from: number; to: number }>;
  /** null while it is not known, because the trial still runs. */
  helped: boolean | null;
}

/** Evidence from the lineage and this conversation. */
export interface Evidence {
  /** Oldest first. */
  turns: Turn[];
  /** Every point known to have been tried. */
  tried: Point[];
  /** Score differences of trials that helped. */
  gains: number[];
  frontierScore: number | null;
  minimize: boolean;
  trialsLeft: number | null;
}

/** Gathers what is known from the view in the opening and from the submissions of this conversation. */
export function evidenceOf(opening: string, desk: ConversationState): Evidence {
  const view = readView(opening);
  const minimize = view?.direction !== 'maximize';
  const better = (delta: number | null): boolean => delta !== null && (minimize ? delta < 0 : delta > 0);
  const rows = [...(view?.rows ?? [])].sort((a, b) => a.trial - b.trial);
  const own = desk.attempts.map(({ point, from, result }) => ({
    changes: difference(from, point),
    helped: result !== null && (result.status === 'keep' || better(result.delta)),
  }));
  const deltas = [...rows, ...desk.attempts.flatMap(({ result }) => result ?? [])].map(({ delta }) => delta);
  const last = desk.attempts.findLast(({ result }) => result !== null)?.result ?? null;
  return {
    turns: [
      ...rows.map((row) => ({
        changes: changesOf(row),
        helped: row.status === null ? null : row.status === 'keep' || better(row.delta),
      })),
      ...own,
    ].filter(({ changes }) => changes.size > 0),
    tried: [...pointsOf(view, desk), pointOf(desk.clean), ...desk.attempts.map(({ point }) => point)],
    gains: deltas.flatMap((delta) => (delta !== null && better(delta) ? [Math.abs(delta)] : [])),
    frontierScore: rows.find(({ trial }) => trial === view?.frontier)?.score ?? null,
    minimize,
    trialsLeft: last?.trialsLeft ?? view?.trialsLeft ?? null,
  };
}

function difference(from: Point, to: Point): Map<string, { from: number; to: number }> {
  const changes = new Map<string, { from: number; to: number }>();
  for (const [name, value] of to) {
    const before = from.get(name);
    if (before !== undefined && before !== value) changes.set(name, { from: before, to: value });
  }
  return changes;
}

/** The knobs that a trial turned, from its changed lines; from its hypothesis where it was shown in brief. */
function changesOf(row: RowReading): Map<string, { from: number; to: number }> {
  const side = (sign: string): Point =>
    new Map(
      row.changes
        .filter((line) => line.startsWith(sign))
        .flatMap((line) => knobsOf(line.slice(1)).map(({ name, value }) => [name, value] as const)),
    );
  if (row.changes.length > 0) return difference(side('-'), side('+'));
  const said = row.hypothesis.matchAll(/([A-Za-z_]\w*) (-?[\d.e+-]+) → (-?[\d.e+-]*\d)(?=;|$|,)/g);
  return new Map(
    [...said]
      .map(([, name = '', from, to]) => [name, { from: Number(from), to: Number(to) }] as const)
      .filter(([, { from, to }]) => Number.isFinite(from) && Number.isFinite(to)),
  );
}

/** The points of trials whose distance from the frontier is known change by change. */
function pointsOf(view: ViewReading | null, desk: ConversationState): Point[] {
  const files = view?.frontier == null ? undefined : desk.known.get(view.frontier);
  if (view?.frontier == null || files === undefined) return [];
  const points = new Map<number, Point>([[view.frontier, pointOf(files)]]);
  for (let grown = true; grown;) {
    grown = false;
    for (const row of view.rows) {
      const changes = changesOf(row);
      if (row.parent === null || changes.size === 0) continue;
      const parent = points.get(row.parent);
      const child = points.get(row.trial);
      if (parent !== undefined && child === undefined) {
        points.set(row.trial, moved(parent, changes, 'to'));
        grown = true;
      } else if (child !== undefined && parent === undefined) {
        points.set(row.parent, moved(child, changes, 'from'));
        grown = true;
      }
    }
  }
  return [...points.values()];
}

function moved(
  point: Point,
  changes: ReadonlyMap<string, { from: number; to: number }>,
  end: 'from' | 'to',
): Point {
  return new Map([...point].map(([name, value]) => [name, changes.get(name)?.[end] ?? value]));
}
