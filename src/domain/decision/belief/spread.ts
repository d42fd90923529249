import { meanOf, squaresOf } from '../noise.js';

/**
 * What the run-to-run standard deviation of a family of recipes may be is not a number but a distribution over levels,
 * half an octave (a factor of √2) apart. Level 0 is the standard deviation that the calibration measured (`unit`).
 */
export interface Level {
  level: number;
  /** Probability, > 0; those of a spread sum to 1. */
  weight: number;
}

/** Levels that can be told apart: recipes may become far quieter than the start, and somewhat noisier. */
const LEVELS_BELOW = 22;
export const LEVELS = 33;

/** Levels of a smaller share of the most likely one are dropped: a decision document keeps few of them. */
export const LEAST_SHARE = 1e-7;

/** The standard deviation of a level, in the metric's unit. */
export const sdOfLevel = (unit: number, level: number): number => unit * 2 ** (level / 2);

export interface Spread {
  /** Standard deviation of the calibration's runs, > 0, in the metric's unit. */
  unit: number;
  /** The lowest level of the window in which recipes are looked for; {@link LEVELS} of them. */
  lowest: number;
  levels: readonly Level[];
}

/**
 * What the runs of a start say of their family's noise; null where they differ by nothing, or are fewer than two.
 * The prior is flat in the logarithm: the weight of a standard deviation s is s^−(n−1) exp(−q / 2s²).
 */
export function spreadOf(scores: readonly number[]): Spread | null {
  const degrees = scores.length - 1;
  if (degrees < 1) return null;
  const squares = squaresOf(scores);
  const unit = Math.sqrt(squares / degrees);
  if (!(unit > LEAST_SPREAD * Math.abs(meanOf(scores)) && unit > 1 / MOST_UNIT && unit < MOST_UNIT))
    return null;
  const lowest = -LEVELS_BELOW;
  const logs = Array.from({ length: LEVELS }, (_, i) => {
    const sd = sdOfLevel(unit, lowest + i);
    return -degrees * Math.log(sd) - squares / (2 * sd ** 2);
  });
  const most = Math.max(...logs);
  const levels = logs.map((log, i) => ({ level: lowest + i, weight: Math.exp(log - most) }));
  return { unit, lowest, levels: pruned(levels) };
}

/** Below this share of the score, differences are rounding. */
const LEAST_SPREAD = 1e-9;

/** Beyond this, or below its inverse, squares of differences leave what a double can hold. */
const MOST_UNIT = 1e100;

/** Without levels of next to no weight; the rest sum to 1. */
export function pruned<T extends Level>(levels: readonly T[]): T[] {
  const least = LEAST_SHARE * Math.max(...levels.map(({ weight }) => weight));
  const kept = levels.filter(({ weight }) => weight > least);
  const total = kept.reduce((sum, { weight }) => sum + weight, 0);
  return kept.map((level) => ({ ...level, weight: level.weight / total }));
}

/** The geometric mean of the standard deviations, in the metric's unit. */
export function typicalSd({ unit, levels }: Pick<Spread, 'unit' | 'levels'>): number {
  return sdOfLevel(
    unit,
    levels.reduce((sum, { level, weight }) => sum + weight * level, 0),
  );
}

/** The standard deviations below which a twentieth, and above which a twentieth, of the probability lies. */
export function spreadRange({ unit, levels }: Pick<Spread, 'unit' | 'levels'>): [number, number] {
  const rising = [...levels].sort((a, b) => a.level - b.level);
  const first = (from: readonly Level[]): number => {
    let sum = 0;
    for (const { level, weight } of from) {
      sum += weight;
      if (sum >= 0.05) return level;
    }
    return from.at(-1)?.level ?? 0;
  };
  return [sdOfLevel(unit, first(rising)), sdOfLevel(unit, first(rising.toReversed()))];
}

/**
 * How the noise of a family moves when an edit changes it: a Cauchy step, half of them within 2 octaves. Heavy tails
 * make a gain of hundreds of standard deviations widen the belief by itself.
 */
const JUMP_LEVELS = 4;

const JUMPS: readonly (readonly number[])[] = Array.from({ length: LEVELS }, (_, from) => {
  const shares = Array.from({ length: LEVELS }, (_, to) => 1 / (1 + ((to - from) / JUMP_LEVELS) ** 2));
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / total);
});

/** Probability of each level of the window, from its lowest on, after a jump from one of them. */
export const jumpsFrom = (level: number, lowest: number): readonly number[] => JUMPS[level - lowest] ?? [];

/** Probability that the noise of an adopted child is half an octave more than its parent's, and as much that it is less. */
const DRIFT = 0.05;

/** The levels at which the noise of an adopted recipe may be, from where it was estimated: noise drifts with the score. */
export function driftFrom(level: number, lowest: number): Level[] {
  const inside = (to: number): boolean => to >= lowest && to < lowest + LEVELS;
  const steps = [
    { level: level - 1, weight: DRIFT },
    { level, weight: 1 - 2 * DRIFT },
    { level: level + 1, weight: DRIFT },
  ].filter((step) => inside(step.level));
  const total = steps.reduce((sum, { weight }) => sum + weight, 0);
  return steps.map((step) => ({ ...step, weight: step.weight / total }));
}

/** The window moves when the family comes nearer than this to one of its ends, in levels. */
const MARGIN = 6;

/** The lowest level of a window that has room around where the noise is now. */
export function windowAround({ lowest, levels }: Pick<Spread, 'lowest' | 'levels'>): number {
  const middle = Math.round(levels.reduce((sum, { level, weight }) => sum + weight * level, 0));
  const near = middle - lowest < MARGIN || lowest + LEVELS - 1 - middle < MARGIN;
  return near ? middle - LEVELS_BELOW : lowest;
}
