/**
 * Comparison of two reports of an evaluator, line by line: lines are the same where they differ in their numbers only.
 */

/** A row of a table whose number changed. */
export interface MovedRow {
  label: string;
  from: number;
  to: number;
}

interface Line {
  text: string;
  /** Label, or text without numbers, by which lines of two reports are matched. */
  key: string;
  numbers: Figure[];
}

interface Figure {
  value: number;
  decimals: number;
}

/** A number that stands by itself: not a part of a name such as `conv1`, nor of a version. */
const NUMBER = /(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]*\w)/gi;
const MOST_LINES = 200;

/** Lines of a report; rows that stand in an earlier report too end with the change of each of their numbers. */
export function withChanges(report: string, before: string | null): string[] {
  const lines = linesOf(report);
  const earlier = before === null ? [] : matched(lines, linesOf(before));
  return lines.map((line, at) => {
    const changes = changesOf(line, earlier[at]);
    return changes === null ? line.text : `${line.text}  [${changes.join(' ')}]`;
  });
}

/**
 * Finds the row that changed most; null where none did. Rows are indented, and compared by the last column in which any
 * of them changed: before it stand shares and parts of what it adds up.
 */
export function mostMoved(report: string, before: string): MovedRow | null {
  const lines = linesOf(report);
  const earlier = matched(lines, linesOf(before));
  const rows = lines.flatMap(({ text, key, numbers }, at) => {
    const other = earlier[at]?.numbers ?? [];
    const isRow = /^\s/.test(text) && key !== '' && other.length === numbers.length;
    return isRow ? [{ label: key, to: valuesOf(numbers), from: valuesOf(other) }] : [];
  });
  const column = Math.max(
    -1,
    ...rows.map(({ to, from }) => to.findLastIndex((value, at) => value !== from[at])),
  );
  let most: MovedRow | null = null;
  for (const row of rows) {
    const [to, from] = [row.to[column], row.from[column]];
    if (to === undefined || from === undefined || to === from) continue;
    if (most === null || Math.abs(to - from) > Math.abs(most.to - most.from))
      most = { label: row.label, from, to };
  }
  return most;
}

const valuesOf = (numbers: readonly Figure[]): number[] => numbers.map(({ value }) => value);

function linesOf(report: string): Line[] {
  return report
    .split('\n')
    .slice(0, MOST_LINES)
    .map((text) => text.trimEnd())
    .filter((text) => text !== '')
    .map((text) => ({ text, ...columnsOf(text) }));
}

/** Label of a row before a colon or a gap, and the numbers after it; of any other line all numbers, and the rest. */
function columnsOf(text: string): Pick<Line, 'key' | 'numbers'> {
  const [, label, rest] = /^(\s+\S.*?)(?::\s|\s{2,}|\t|\s\|)(.*\d.*)$/.exec(text) ?? [];
  if (label !== undefined && rest !== undefined) return { key: label.trim(), numbers: figuresIn(rest) };
  return { key: text.replace(NUMBER, ' ').replace(/\s+/g, ' ').trim(), numbers: figuresIn(text) };
}

function figuresIn(text: string): Figure[] {
  return [...text.matchAll(NUMBER)].map(([digits]) => ({
    value: Number(digits),
    decimals: /e/i.test(digits) ? 6 : (digits.split('.')[1]?.length ?? 0),
  }));
}

/** For each line the line of the earlier report with the same key; of several the one in the same place among them. */
function matched(lines: readonly Line[], before: readonly Line[]): (Line | undefined)[] {
  const byKey = new Map<string, Line[]>();
  for (const line of before) byKey.set(line.key, [...(byKey.get(line.key) ?? []), line]);
  return lines.map(({ key }) => byKey.get(key)?.shift());
}

/** The change of each number, `=` where there is none; null where nothing can be compared. */
function changesOf({ numbers }: Line, before: Line | undefined): string[] | null {
  if (numbers.length === 0 || before?.numbers.length !== numbers.length) return null;
  return numbers.map(({ value, decimals }, at) => {
    const other = before.numbers[at] ?? { value, decimals };
    const change = (value - other.value).toFixed(Math.min(12, Math.max(decimals, other.decimals)));
    if (Number(change) === 0) return '=';
    return Number(change) > 0 ? `+${change}` : change;
  });
}
