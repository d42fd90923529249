import type { Believed } from '../domain/decision/lesson.js';
import { isMissed, type Margin, type ToldMargin } from '../domain/task/gates.js';
import { secondsOver, type Projection } from '../domain/task/rehearsal.js';

/**
 * Texts of the tools' answers, written and read in one place: activities write them, the offline proposer reads them.
 * The answer to a submit is in trial-text/submit-answer.ts.
 */

export interface CheckAnswer {
  ok: boolean;
  margins: readonly ToldMargin[];
  /** Projected duration of the evaluation, where the task rehearses it. */
  projection: Projection | null;
  /** Last lines of the check's own output. */
  log: string;
}

export function checkAnswer(answer: CheckAnswer): string {
  const log = answer.log.trim();
  return [
    `check: ${answer.ok ? 'ok' : 'failed'}`,
    ...answer.margins.map((margin) => `${marginText(margin)} (${margin.projected ? 'projected' : 'exact'})`),
    ...(answer.projection === null ? [] : [projectionText(answer.projection)]),
    ...(log === '' ? [] : ['log:', ...log.split('\n').map((line) => `  ${line}`)]),
  ].join('\n');
}

/**
 * Reads whether the check passed, and whether any gate is missed; null where the text is no answer to a check.
 */
export function readCheckAnswer(text: string): { ok: boolean; over: boolean } | null {
  const head = /^check: (ok|failed)$/m.exec(text);
  if (head?.index !== 0) return null;
  return { ok: head[1] === 'ok', over: text.split('\n').some((line) => /^\S.*: .* OVER by /.test(line)) };
}

/** `size: 14000 of 24000 bytes, margin 10000`; a missed gate has `OVER by 12 bytes` instead of the margin. */
export function marginText(margin: Margin): string {
  const { gate, metric, value, limit, side, over, doubt } = margin;
  const unit = metric === gate ? '' : ` ${metric}`;
  const bound = side === 'max' ? `of ${amount(limit)}` : `of at least ${amount(limit)}`;
  const error = doubt === undefined ? '' : ` ± ${amount(doubt.standardError)}`;
  return `${gate}: ${amount(value)}${error} ${bound}${unit}, ${restText(margin, over, unit)}`;
}

function restText(margin: Margin, over: number, unit: string): string {
  if (over <= 0) return `margin ${amount(-over)}`;
  const by = `OVER by ${amount(over)}${unit}`;
  return isMissed(margin) ? by : `${by}, which may be chance: a claim has to keep it surely`;
}

/** `evaluation: 31 of 25 s, OVER by 6 s (projected from 10 % of it)`. */
export function projectionText(projection: Projection): string {
  const { seconds, limitS, share } = projection;
  const over = secondsOver(projection);
  const rest = over > 0 ? `OVER by ${amount(over)} s` : `margin ${amount(-over)}`;
  return `evaluation: ${amount(seconds)} of ${amount(limitS)} s, ${rest} (projected from ${amount(share * 100)} % of it)`;
}

/** A submitted trial that waits for a person, which may take longer than its session. */
export const parkedAnswer = (trial: number, reason: string): string =>
  `trial ${trial}: parked\nlesson: ${oneLine(reason)}; a person decides what happens to it, and its result is shown in the lineage if it has one. Do not wait for it: continue with another idea.`;

/** A proposal that nearly repeats an earlier trial, with that trial's row. */
export const repeatAnswer = (
  { trial, similarity }: { trial: number; similarity: number },
  row: string,
): string =>
  [
    refusedAnswer(
      `this nearly repeats trial ${trial} (similarity ${amount(similarity)}), so nothing was measured and nothing spent`,
    ),
    row,
    'If it differs in what matters, submit it again: it is measured then. Else try something else.',
  ].join('\n');

export const refusedAnswer = (reason: string): string => `refused: ${oneLine(reason)}`;
export const rebaseAnswer = (trial: number): string => `rebased onto trial ${trial}`;

/** The reason of a refused submit, or null. */
export function readRefusedAnswer(text: string): string | null {
  return /^refused: (.*)/.exec(text)?.[1] ?? null;
}

/** The trial that the workspace now stands on, or null. */
export function readRebaseAnswer(text: string): number | null {
  return numberIn(/^rebased onto trial (\d+)$/, text);
}

/** A number as agents read it: six significant digits, whole numbers whole. */
export function amount(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(6)));
}

/** `believed 0.9382 ± 0.0016`: of a true score, beside what was measured. */
export const believedText = ({ mean, sd }: Believed): string =>
  `believed ${amount(mean)} ± ${Number(sd.toPrecision(2))}`;

export function signed(value: number): string {
  return value > 0 ? `+${amount(value)}` : amount(value);
}

export function withUnit(value: number, unit: string): string {
  return unit === '' ? amount(value) : `${amount(value)} ${oneLine(unit)}`;
}

/** Text of others as one line, so that it cannot pass for lines of ours. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

/** One line of at most so many characters. */
export function clip(text: string, most: number): string {
  const line = oneLine(text.slice(0, READ * most));
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}

/** White space that is still read past, as a multiple of what is shown. */
const READ = 10;

/** Lines of others with their indentation, each behind a margin so that it cannot pass for a line of ours. */
export function quoted(lines: readonly string[], most = LONGEST_LINE): string[] {
  return lines.map((line) => {
    const text = line.replaceAll('\t', '    ').replace(UNPRINTABLE, ' ').trimEnd();
    return `  ${text.length <= most ? text : `${text.slice(0, most - 1)}…`}`;
  });
}

const LONGEST_LINE = 240;
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

export function numberIn(pattern: RegExp, text: string): number | null {
  const found = pattern.exec(text)?.[1];
  const value = found === undefined ? NaN : Number(found);
  return Number.isFinite(value) ? value : null;
}
