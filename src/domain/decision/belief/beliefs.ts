import { pruned, sdOfLevel, type Level, type Spread } from './spread.js';

/**
 * Belief about the true scores of several recipes together, if the noise of a run is that of this level: a joint
 * normal distribution. Costs: lower is better; maximised metrics are negated.
 */
export interface Joint extends Level {
  /** In the order of {@link Beliefs.trials}. */
  means: readonly number[];
  /** Row by row, symmetric. */
  covariances: readonly (readonly number[])[];
}

/** The noise of the frontier's family and the true scores of the recipes that candidates stand on, as one belief. */
export interface Beliefs extends Spread {
  /** Trials of the recipes: the frontier, and parents of trials in flight or to come. */
  trials: readonly number[];
  levels: readonly Joint[];
}

export interface Normal {
  mean: number;
  variance: number;
}

/** Beliefs about the start alone, from its calibration. */
export function beliefsOf(
  spread: Spread,
  trial: number,
  { mean, runs }: { mean: number; runs: number },
): Beliefs {
  const levels = spread.levels.map(({ level, weight }) => ({
    level,
    weight,
    means: [mean],
    covariances: [[sdOfLevel(spread.unit, level) ** 2 / runs]],
  }));
  return { ...spread, trials: [trial], levels };
}

/** A joint normal with the moments of a mixture of joint normals. */
export function mixture(parts: readonly Omit<Joint, 'level'>[]): Omit<Joint, 'level'> {
  const weight = parts.reduce((sum, part) => sum + part.weight, 0);
  const [heaviest] = [...parts].sort((a, b) => b.weight - a.weight);
  // deviations from one of them, so that large scores with small differences keep their digits
  const origin = heaviest?.means ?? [];
  const means = origin.map(() => 0);
  for (const part of parts)
    part.means.forEach((mean, a) => {
      means[a] = at(means, a) + (part.weight / weight) * (mean - at(origin, a));
    });
  const covariances = origin.map(() => origin.map(() => 0));
  for (const part of parts) {
    const share = part.weight / weight;
    const off = part.means.map((mean, a) => mean - at(origin, a) - at(means, a));
    covariances.forEach((row, a) => {
      for (let b = 0; b < row.length; b += 1)
        row[b] = at(row, b) + share * (at(part.covariances[a], b) + at(off, a) * at(off, b));
    });
  }
  return { weight, means: means.map((mean, a) => mean + at(origin, a)), covariances };
}

/** The joint belief whatever the noise is. */
export const marginal = ({ levels }: Pick<Beliefs, 'levels'>): Omit<Joint, 'level'> => mixture(levels);

/** Returns the belief about one recipe; null where there is none. */
export function believedOf(beliefs: Beliefs, trial: number): Normal | null {
  const place = beliefs.trials.indexOf(trial);
  if (place === -1) return null;
  const { means, covariances } = marginal(beliefs);
  return { mean: at(means, place), variance: at(covariances[place], place) };
}

/** Keeps the beliefs about fewer recipes: what is believed of those that stay does not change. */
export function retained(beliefs: Beliefs, stays: (trial: number) => boolean): Beliefs {
  const places = beliefs.trials.flatMap((trial, place) => (stays(trial) ? [place] : []));
  if (places.length === beliefs.trials.length) return beliefs;
  const of = <T>(all: readonly T[]): T[] => places.flatMap((place) => all.slice(place, place + 1));
  return {
    ...beliefs,
    trials: of(beliefs.trials),
    levels: beliefs.levels.map((joint) => ({
      ...joint,
      means: of(joint.means),
      covariances: of(joint.covariances).map((row) => of(row)),
    })),
  };
}

/**
 * With one more recipe that differs from another of them by exactly so much, as under one and the same training: it
 * shares all that is not known of the other.
 */
export function withExactly(beliefs: Beliefs, from: number, trial: number, difference: number): Beliefs {
  const place = beliefs.trials.indexOf(from);
  return {
    ...beliefs,
    trials: [...beliefs.trials, trial],
    levels: beliefs.levels.map((joint) => ({
      ...joint,
      means: [...joint.means, at(joint.means, place) + difference],
      covariances: bordered(
        joint.covariances,
        joint.covariances.map((row) => at(row, place)),
        at(joint.covariances[place], place),
      ),
    })),
  };
}

/** A symmetric matrix with one more row and column. */
export function bordered(
  matrix: readonly (readonly number[])[],
  border: readonly number[],
  corner: number,
): number[][] {
  return [...matrix.map((row, a) => [...row, at(border, a)]), [...border, corner]];
}

/** Without levels of next to no weight. */
export const settled = (beliefs: Beliefs): Beliefs => ({ ...beliefs, levels: pruned(beliefs.levels) });

/** An element that is there. */
export const at = (values: readonly number[] | undefined, place: number): number => values?.[place] ?? NaN;
