import type { CoursesFigure } from '../blocks.js';
import { escape } from '../escape.js';
import { at, axes, extent, frameScales, FRAME, svg } from './axes.js';
import { stepsOf } from './scores.js';

/** The best score so far of several searches, each with its name at its end. */
export function coursesFigure({ metric, unit, courses }: CoursesFigure): string {
  const scores = courses.flatMap(({ best }) => best.map(({ score }) => score));
  if (scores.length === 0) return '';
  const last = Math.max(1, ...courses.map((course) => course.last));
  const { x, y } = frameScales([0, last], extent(scores));
  const lines = courses.map(({ best, last: end }, place) => {
    const points = stepsOf(best, end).map(([number, score]) => `${at(x(number))},${at(y(score))}`);
    return `<polyline class="course c${place}" points="${points.join(' ')}"/>`;
  });
  const legend = courses.map(({ name }, place) => {
    const top = FRAME.top + 14 + place * 16;
    const right = FRAME.width - FRAME.right - 4;
    return `<line class="course c${place}" x1="${right - 22}" x2="${right}" y1="${top - 4}" y2="${top - 4}"/><text class="tick" x="${right - 28}" y="${top}" text-anchor="end">${escape(name)}</text>`;
  });
  const title = escape(unit === '' ? metric : `${metric} (${unit})`);
  return svg(
    `best ${escape(metric)} so far of each search`,
    `${axes(x, y, { x: 'trial', y: title })}${lines.join('')}${legend.join('')}`,
  );
}
