import { groupBy, isValid, type Trajectory } from '../trajectory/trajectory.js';
import type { Plateau } from './plateau.js';
import { median } from './quantile.js';

/** Run-to-run noise of a score, with the way it was found. */
export interface NoiseEstimate {
  /** Standard deviation of one run, in the metric's unit. */
  sd: number;
  /**
   * repeated: of repeated measurements; plateau: of trials that a quieter metric cannot tell apart; siblings: of the
   * nearest half of trials made from one parent, which differ by their edits too.
   */
  by: 'repeated' | 'plateau' | 'siblings';
  /** Measurements or trials behind it. */
  degrees: number;
}

/** Estimates the noise from the best evidence that a search has; null where it has none. */
export function estimateNoise(trajectory: Trajectory, plateau: Plateau | null): NoiseEstimate | null {
  const { noise } = trajectory;
  if (noise !== null && noise.degrees > 0) return { ...noise, by: 'repeated' };
  if (plateau !== null) return { sd: plateau.sd, by: 'plateau', degrees: plateau.ids.length - 1 };
  return siblingNoise(trajectory);
}

/** Fewer siblings have no nearest half worth the name. */
const FEWEST = 8;
/** Width of the middle half of a normal distribution, in standard deviations. */
const HALF_WIDTH = 1.349;

/**
 * Noise from trials that were made from one parent: most edits change little, so the nearest half of their scores
 * differ by little but noise. What they differ by besides makes it an upper bound, roughly; so the middle one of the
 * families is taken, each as often as it has members.
 */
export function siblingNoise({ trials }: Trajectory): NoiseEstimate | null {
  const families = groupBy(
    trials.filter((trial) => isValid(trial) && trial.parent !== null),
    ({ parent }) => parent,
  );
  const found: number[] = [];
  for (const family of families.values())
    if (family.length >= FEWEST) {
      const sd = nearestHalf(family.flatMap(({ score }) => score ?? [])) / HALF_WIDTH;
      found.push(...family.slice(1).map(() => sd));
    }
  const sd = found.length === 0 ? 0 : median(found);
  return sd === 0 ? null : { sd, by: 'siblings', degrees: found.length };
}

/** Width of the narrowest interval that holds half of the values. */
function nearestHalf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const half = Math.ceil((sorted.length + 1) / 2);
  let least = Infinity;
  for (let at = 0; at + half <= sorted.length; at += 1)
    least = Math.min(least, (sorted[at + half - 1] ?? Infinity) - (sorted[at] ?? 0));
  return least;
}
