import type { SeenRow } from '../../domain/session/view.js';
import { amount, believedText, clip, marginText, quoted, signed, withUnit } from '../answers.js';
import { expectationText, movedText } from '../trial-text/lesson-text.js';

/** Characters of a hypothesis that are shown: it is told in full unless it is longer than any should be. */
const HYPOTHESIS = 1200;
const LESSON = 600;
const NAME = 48;

/** First words of a row: number, role, status and figures. */
export function headOf(row: SeenRow, unit: string): string {
  const parent = row.parent === null ? '' : `, parent ${row.parent}`;
  const score = row.score === null ? '' : `, score ${withUnit(row.score, clip(unit, 40))}${knownText(row)}`;
  const delta = row.delta === null ? '' : `, delta ${signed(row.delta)}`;
  const labels = row.labels.map((label) => `, ${label}`).join('');
  return `trial ${row.trial} [${clip(row.role, NAME).replace(/[[\]]/g, '')}] ${row.status ?? 'running'}${parent}${score}${delta}${labels}`;
}

/** ` (3 runs that differ by about 0.002; believed 2.653 ± 0.004)`. */
function knownText({ runs, noise, believed }: SeenRow): string {
  const differ = noise === null ? '' : ` that differ by about ${Number(noise.sd.toPrecision(2))}`;
  const known = [
    ...(runs === null
      ? []
      : [`${runs} run${runs === 1 ? '' : 's'}${runs === 1 && differ !== '' ? `, runs${differ}` : differ}`]),
    ...(believed === null ? [] : [believedText(believed)]),
  ];
  return known.length === 0 ? '' : ` (${known.join('; ')})`;
}

/** A row in one line, with its hypothesis in full. */
export function briefRow(row: SeenRow, unit: string): string {
  return `${headOf(row, unit)}: ${clip(row.hypothesis, HYPOTHESIS)}`;
}

/** A row with its gates, changed lines and lesson. */
export function fullRow(row: SeenRow, unit: string): string {
  return [briefRow(row, unit), ...gateLines(row), ...changeLines(row), ...lessonLines(row)].join('\n');
}

export const gateLines = ({ margins }: SeenRow): string[] =>
  margins.map((margin) => `  gate ${clip(marginText(margin), 160)}`);

function changeLines({ changes }: SeenRow): string[] {
  const lines = changes.split('\n').filter((line) => /^[-+…]/.test(line));
  return lines.length === 0 ? [] : ['  changes:', ...quoted(quoted(lines))];
}

/** The lesson with what was expected and what moved. */
export function lessonLines({ lesson, expectedDelta, delta, moved }: SeenRow): string[] {
  const facts = [
    ...(lesson.trim() === '' ? [] : [clip(lesson, LESSON)]),
    ...(expectedDelta === null || delta === null ? [] : [expectationText(expectedDelta, delta)]),
    ...(moved === null ? [] : [movedText(moved)]),
  ];
  return facts.length === 0 ? [] : [`  lesson: ${facts.join('; ')}`];
}

/** Rows in full, as the lineage tools answer them. */
export function renderRows(rows: readonly SeenRow[], { unit }: { unit: string }): string {
  return rows.map((row) => fullRow(row, unit)).join('\n');
}

/** `median 40 % of what you expected`, with the sign. */
export const shareText = (share: number): string => `${amount(Math.round(share * 100))} %`;
