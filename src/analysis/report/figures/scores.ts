import { quantile } from '../../noise/quantile.js';
import type { ScoreFigure } from '../blocks.js';
import { escape } from '../escape.js';
import { score } from '../format.js';
import { at, axes, extent, frameScales, FRAME, svg } from './axes.js';

/** Share of the scores on the worse side that may lie outside the picture: a few diverge. */
const CUT = 0.05;

/** The best score so far with every scored trial, those far on the worse side at the edge. */
export function scoresFigure({ metric, unit, minimize, points, best, sd }: ScoreFigure): string {
  if (points.length === 0) return '';
  const scores = points.map((point) => point.score);
  const bound = quantile(scores, minimize ? 1 - CUT : CUT);
  const keptScores = points.filter(({ kept }) => kept).map((point) => point.score);
  const inside = scores.filter((value) => (minimize ? value <= bound : value >= bound));
  const last = points.reduce((most, { number }) => Math.max(most, number), 1);
  const { x, y } = frameScales([0, last], extent([...inside, ...keptScores]));
  const held = (value: number): number =>
    Math.min(Math.max(y(value), FRAME.top), FRAME.height - FRAME.bottom);
  // adopted trials lie on top
  const marks = [...points]
    .sort((a, b) => Number(a.kept) - Number(b.kept))
    .map((point) => {
      const kind = point.kept ? 'kept' : point.valid ? 'valid' : 'ineligible';
      const title = `<title>trial ${point.number}: ${score(point.score)}</title>`;
      return `<circle class="${kind}" cx="${at(x(point.number))}" cy="${at(held(point.score))}" r="${point.kept ? 4 : 2}">${title}</circle>`;
    });
  const steps = stepsOf(best, last);
  const line = steps.map(([number, value]) => `${at(x(number))},${at(held(value))}`).join(' ');
  const band =
    sd === null
      ? ''
      : `<polygon class="band" points="${[
          ...steps.map(([number, value]) => `${at(x(number))},${at(held(value + sd))}`),
          ...steps.toReversed().map(([number, value]) => `${at(x(number))},${at(held(value - sd))}`),
        ].join(' ')}"/>`;
  const name = escape(unit === '' ? metric : `${metric} (${unit})`);
  return svg(
    `best ${escape(metric)} so far`,
    `${axes(x, y, { x: 'trial', y: name })}${band}${marks.join('')}<polyline class="best" points="${line}"/>`,
  );
}

/** Corners of the line of the best so far. */
export function stepsOf(best: ScoreFigure['best'], last: number): [number, number][] {
  const corners: [number, number][] = [];
  for (const { number, score: value } of best) {
    const before = corners.at(-1);
    if (before !== undefined) corners.push([number, before[1]]);
    corners.push([number, value]);
  }
  const end = corners.at(-1);
  if (end !== undefined) corners.push([last, end[1]]);
  return corners;
}
