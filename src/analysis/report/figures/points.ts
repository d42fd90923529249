import { quantile } from '../../noise/quantile.js';
import type { CalibrationFigure, PlateauFigure, RateFigure } from '../blocks.js';
import { escape } from '../escape.js';
import { number, signed } from '../format.js';
import { at, axes, extent, frameScales, FRAME, svg } from './axes.js';

const FLOOR = FRAME.height - FRAME.bottom;

/** Trials an hour as bars, one a window. */
export function ratesFigure({ windows }: RateFigure): string {
  const last = windows.at(-1)?.to ?? 1;
  const highest = windows.reduce((most, { rate }) => Math.max(most, rate), 0);
  const { x, y } = frameScales([0, last], [0, highest * 1.08 || 1]);
  const bars = windows.map(
    ({ from, to, rate }) =>
      `<rect class="bar" x="${at(x(from - 1) + 1)}" y="${at(y(rate))}" width="${at(Math.max(1, x(to) - x(from - 1) - 2))}" height="${at(FLOOR - y(rate))}"><title>trials ${from} to ${to}: ${number(rate)} an hour</title></rect>`,
  );
  return svg('trials an hour', axes(x, y, { x: 'trial', y: 'trials an hour' }) + bars.join(''));
}

/** Share on each side that may lie outside the picture. */
const CUT = 0.1;

/** Expected against measured gains; on the line they agree. */
export function calibrationFigure({ unit, points }: CalibrationFigure): string {
  if (points.length === 0) return '';
  const expected = points.map((point) => point.expected);
  const measured = points.map((point) => point.measured);
  const domain = extent([
    quantile(measured, CUT),
    quantile(measured, 1 - CUT),
    0,
    quantile(expected, 1 - CUT),
  ]);
  const across = extent([quantile(expected, CUT), quantile(expected, 1 - CUT), 0]);
  const { x, y } = frameScales(across, domain);
  const inside = (value: number, [low, high]: readonly [number, number]): boolean =>
    value >= low && value <= high;
  const marks = points
    .filter((point) => inside(point.expected, across) && inside(point.measured, domain))
    .map(
      (point) =>
        `<circle class="valid" cx="${at(x(point.expected))}" cy="${at(y(point.measured))}" r="2.5"><title>${escape(point.role)}: ${signed(point.expected)} expected, ${signed(point.measured)} measured</title></circle>`,
    );
  const [low, high] = [Math.max(across[0], domain[0]), Math.min(across[1], domain[1])];
  const lines =
    `<line class="zero" x1="${FRAME.left}" x2="${FRAME.width - FRAME.right}" y1="${at(y(0))}" y2="${at(y(0))}"/>` +
    `<line class="best" x1="${at(x(low))}" y1="${at(y(low))}" x2="${at(x(high))}" y2="${at(y(high))}"/>`;
  const name = escape(unit);
  return svg(
    'expected against measured gain',
    axes(x, y, { x: `expected gain in ${name}`, y: 'measured' }) + lines + marks.join(''),
  );
}

const BINS = 16;

/** Scores that should be equal draws, counted in bins. */
export function plateauFigure({ metric, scores, mean, expectedBest, best }: PlateauFigure): string {
  const across = extent([...scores, expectedBest]);
  const width = (across[1] - across[0]) / BINS;
  const counts = Array.from({ length: BINS }, () => 0);
  for (const score of scores) {
    const bin = Math.min(BINS - 1, Math.floor((score - across[0]) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const { x, y } = frameScales(across, [0, Math.max(1, ...counts) * 1.1]);
  const bars = counts.map((trials, bin) => {
    const from = x(across[0] + bin * width);
    const to = x(across[0] + (bin + 1) * width);
    return trials === 0
      ? ''
      : `<rect class="bar" x="${at(from + 0.5)}" y="${at(y(trials))}" width="${at(to - from - 1)}" height="${at(FLOOR - y(trials))}"/>`;
  });
  const upright = (kind: string, value: number): string =>
    `<line class="${kind}" x1="${at(x(value))}" x2="${at(x(value))}" y1="${FRAME.top}" y2="${FLOOR}"/>`;
  const mark = `<circle class="kept" cx="${at(x(best))}" cy="${at(FLOOR - 6)}" r="4"><title>best: ${number(best)}</title></circle>`;
  return svg(
    `scores of the plateau`,
    `${axes(x, y, { x: escape(metric), y: 'trials' })}${bars.join('')}${upright('best', mean)}${upright('bound', expectedBest)}${mark}`,
  );
}
