import { z } from 'zod';
import { finite } from '../trial/evaluation.js';

/** A training's own report: how much of it is done (0 … 1), and the value of the declared metric then. */
export interface ProgressPoint {
  share: number;
  value: number;
}

const lineSchema = z.strictObject({
  schema: z.literal('assay.progress/1'),
  share: finite.min(0).max(1),
  value: finite,
});

/** The point of a line of progress, or null for any other line: a malformed one says nothing. */
export function readProgress(line: string): ProgressPoint | null {
  if (!line.startsWith('{')) return null;
  try {
    const parsed = lineSchema.safeParse(JSON.parse(line));
    return parsed.success ? { share: parsed.data.share, value: parsed.data.value } : null;
  } catch {
    return null;
  }
}

/** Rule for a hopeless run. */
export interface StopRule {
  direction: 'minimize' | 'maximize';
  /** Nothing is stopped before this share of the training is done. */
  after: number;
  /** Run-to-run standard deviation of the metric at the end, in its own unit. */
  spread: number;
  /** Number of spreads by which the projected end has to be worse. */
  spreads: number;
  /** Factor by which a run may still improve more than the reference did from here on. */
  catch_up: number;
}

export interface Projection {
  share: number;
  value: number;
  /** Projected end under the favourable assumption of the rule. */
  end: number;
  /** End of the reference. */
  reference: number;
}

/** Points of a reference below this share say nothing of its end. */
const COMPLETE = 0.9;
/** Points in a row that have to be hopeless. */
const IN_A_ROW = 2;

/**
 * The projection of a run that is hopeless, else null. Each of its last two points, both after `after`, would end
 * worse than the reference's end by more than `spreads` × `spread` even if it improved `catch_up` times as much as the
 * reference did from that share on. A worse value never saves a run; one that says nothing is never stopped.
 */
export function hopeless(
  rule: StopRule,
  reference: readonly ProgressPoint[],
  run: readonly ProgressPoint[],
): Projection | null {
  const last = reference.at(-1);
  if (last === undefined || reference.length < 2 || last.share < COMPLETE || run.length < IN_A_ROW)
    return null;
  const sign = rule.direction === 'minimize' ? 1 : -1;
  const bound = sign * last.value + rule.spreads * rule.spread;
  const projected = run.slice(-IN_A_ROW).map((point) => {
    const then = valueAt(reference, point.share);
    if (point.share < rule.after || then === null) return null;
    const toCome = Math.max(0, sign * (then - last.value));
    const end = sign * point.value - rule.catch_up * toCome;
    return end > bound ? { ...point, end: sign * end, reference: last.value } : null;
  });
  return projected.every((one) => one !== null) ? (projected.at(-1) ?? null) : null;
}

/** Linear between points; null before the first. */
function valueAt(curve: readonly ProgressPoint[], share: number): number | null {
  const next = curve.findIndex((point) => point.share >= share);
  if (next === -1) return curve.at(-1)?.value ?? null;
  const [before, after] = [curve[next - 1], curve[next]];
  if (after === undefined) return null;
  if (before === undefined) return after.share === share ? after.value : null;
  const part = (share - before.share) / (after.share - before.share);
  return before.value + part * (after.value - before.value);
}

const POINTS = 500;

/** Appends a new point where the share rises; a share that falls back or stands still adds nothing. */
export function withPoint(points: readonly ProgressPoint[], point: ProgressPoint): readonly ProgressPoint[] {
  const last = points.at(-1);
  return points.length >= POINTS || (last !== undefined && point.share <= last.share)
    ? points
    : [...points, point];
}
