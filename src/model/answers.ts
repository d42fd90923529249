import type { Believed } from '../domain/decision/lesson.js';
import { isMissed, type Margin, type ToldMargin } from '../domain/task/gates.js';
import type { Failure } from '../domain/trial/outcome.js';
import { secondsOver, type Projection } from '../domain/task/rehearsal.js';
import { trialStatusSchema, type TrialStatus } from '../domain/statuses.js';

/**
 * Texts of the tools' answers, written and read in one place: activities write them, the offline proposer reads them.
 */

/** The end of a submitted trial. Scores are in `unit`; `delta` is score − parent's score. */
export interface SubmitAnswer {
  trial: number;
  status: TrialStatus;
  score: number | null;
  unit: string;
  parent: number | null;
  parentScore: number | null;
  delta: number | null;
  frontier: number;
  frontierScore: number | null;
  /** Belief about the true scores by now; null where there is none. */
  believed: Believed | null;
  frontierBelieved: Believed | null;
  /** Exact: of what was measured. */
  margins: readonly Margin[];
  /** The limit that ended it. */
  limit: Failure['limit'];
  /**
   * Part of its budget that training used, and the speed of a slow host: `9.6 of 10 s`; null without a budget.
   */
  train: string | null;
  /** Projected duration of its evaluation; null where none was projected. */
  projection: Projection | null;
  lesson: string;
  /** null when the campaign has no limit on trials. */
  trialsLeft: number | null;
}

export function submitAnswer(answer: SubmitAnswer): string {
  const parent = answer.parentScore === null ? 'none' : amount(answer.parentScore);
  const delta = answer.delta === null ? 'unknown' : signed(answer.delta);
  const believed = (of: Believed | null): string => (of === null ? '' : `${believedText(of)}, `);
  const frontierBelieved =
    answer.frontierBelieved === null ? '' : ` (${believedText(answer.frontierBelieved)})`;
  return [
    `trial ${answer.trial}: ${answer.status}`,
    ...(answer.score === null
      ? []
      : [
          `score: ${withUnit(answer.score, answer.unit)} (${believed(answer.believed)}parent ${parent}, delta ${delta})`,
        ]),
    ...(answer.parent === null ? [] : [`parent: trial ${answer.parent}`]),
    `frontier: trial ${answer.frontier}${answer.frontierScore === null ? '' : `, score ${amount(answer.frontierScore)}${frontierBelieved}`}`,
    ...answer.margins.map((margin) => `gate ${marginText(margin)} (exact)`),
    ...(answer.limit === null ? [] : [limitText(answer.limit)]),
    ...(answer.train === null ? [] : [`train ${answer.train}`]),
    ...(answer.projection === null ? [] : [projectionText(answer.projection)]),
    `lesson: ${oneLine(answer.lesson)}`,
    ...(answer.trialsLeft === null ? [] : [`trials left: ${answer.trialsLeft}`]),
  ].join('\n');
}

/** Facts that a reader of `submitAnswer` can rely on. */
export interface SubmitReading {
  trial: number;
  status: TrialStatus;
  score: number | null;
  delta: number | null;
  frontier: number;
  trialsLeft: number | null;
}

/** null where the text is no answer to a submit. */
export function readSubmitAnswer(text: string): SubmitReading | null {
  const head = /^trial (\d+): ([a-z_]+)$/m.exec(text);
  const status = trialStatusSchema.safeParse(head?.[2]);
  const frontier = /^frontier: trial (\d+)/m.exec(text)?.[1];
  if (!head || head.index !== 0 || !status.success || frontier === undefined) return null;
  return {
    trial: Number(head[1]),
    status: status.data,
    score: numberIn(/^score: (\S+)/m, text),
    delta: numberIn(/^score: .*, delta (\S+)\)$/m, text),
    frontier: Number(frontier),
    trialsLeft: numberIn(/^trials left: (\d+)$/m, text),
  };
}

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

/** `limit wall: 15.2 of 15 s, 0.2 over`. */
function limitText({ name, used, allowed, unit }: NonNullable<Failure['limit']>): string {
  const over = used > allowed ? `, ${amount(used - allowed)} over` : '';
  return `limit ${oneLine(name)}: ${amount(used)} of ${amount(allowed)} ${oneLine(unit)}${over}`;
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

function numberIn(pattern: RegExp, text: string): number | null {
  const found = pattern.exec(text)?.[1];
  const value = found === undefined ? NaN : Number(found);
  return Number.isFinite(value) ? value : null;
}
