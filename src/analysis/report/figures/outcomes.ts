import { ENDINGS } from '../../trajectory/trajectory.js';
import type { OutcomeFigure } from '../blocks.js';
import { escape } from '../escape.js';
import { at, FRAME, svg } from './axes.js';

const ROW = 24;
const LEGEND = 20;
const COLUMNS = 4;
const COLUMN = 165;
const LEFT = 90;

/** Trials of each role, divided by how they ended. */
export function outcomesFigure({ rows }: OutcomeFigure): string {
  const roles = [...new Set(rows.map(({ role }) => role))];
  const endings = ENDINGS.filter((ending) => rows.some((row) => row.ending === ending));
  const legend = endings.map((ending, place) => {
    const x = LEFT + (place % COLUMNS) * COLUMN;
    const y = Math.floor(place / COLUMNS) * LEGEND;
    return `<rect class="${ending}" x="${x}" y="${y + 3}" width="11" height="11"/><text class="tick" x="${x + 15}" y="${y + 13}">${ending}</text>`;
  });
  const top = Math.ceil(endings.length / COLUMNS) * LEGEND + 10;
  const total = (role: string): number =>
    rows.reduce((sum, row) => (row.role === role ? sum + row.trials : sum), 0);
  const most = Math.max(1, ...roles.map(total));
  const unit = (FRAME.width - LEFT - 50) / most;
  const bars = roles.map((role, place) => {
    const y = top + place * ROW;
    let from = LEFT;
    const parts = endings.map((ending) => {
      const trials = rows.find((row) => row.role === role && row.ending === ending)?.trials ?? 0;
      const x = from;
      from += trials * unit;
      return trials === 0
        ? ''
        : `<rect class="${ending}" x="${at(x)}" y="${y}" width="${at(trials * unit)}" height="${ROW - 6}"><title>${escape(role)}: ${trials} ${ending}</title></rect>`;
    });
    return (
      `<text class="name" x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${escape(role.slice(0, 12))}</text>` +
      `${parts.join('')}<text class="tick" x="${at(from + 6)}" y="${y + 13}">${total(role)}</text>`
    );
  });
  return svg('trials by role and ending', legend.join('') + bars.join(''), top + roles.length * ROW + 4);
}
