import { at, bordered, mixture, settled, type Beliefs, type Joint } from './beliefs.js';
import { candidateUnder, CHANGES_NOISE, type Scores, type Seen } from './look.js';
import type { Verdict } from './posterior.js';
import { driftFrom, jumpsFrom, LEVELS, windowAround } from './spread.js';

/**
 * Beliefs after a candidate that was not adopted: all recipes move together, so that a worse sibling lowers what is
 * believed of every recipe on the same parent, and the noise of the family follows how closely children that do nothing
 * lie together. What an edit that changed the noise scored says little of either.
 */
export function afterRefusal(beliefs: Beliefs, { look: { seen }, places }: Verdict): Beliefs {
  const changed = new Map(
    seen.filter(({ hypothesis }) => hypothesis.changed).map((one) => [one.hypothesis.level, one]),
  );
  const levels = seen
    .filter(({ hypothesis }) => !hypothesis.changed)
    .flatMap((one, k) => {
      const joint = beliefs.levels[k];
      if (joint === undefined) return [];
      const jumped = CHANGES_NOISE * joint.weight * likelihoodOfJump(joint.level, beliefs.lowest, changed);
      const weight = one.p + jumped;
      const stayed = weight === 0 ? 1 : one.p / weight;
      return [{ ...moved(joint, one, places.parent, stayed), level: joint.level, weight }];
    });
  return settled({ ...beliefs, levels });
}

/** How likely the scores are if the edit led from a level to any other. */
function likelihoodOfJump(level: number, lowest: number, changed: ReadonlyMap<number, Seen>): number {
  return jumpsFrom(level, lowest).reduce((sum, share, i) => {
    const to = changed.get(lowest + i);
    return to === undefined || to.hypothesis.weight === 0 ? sum : sum + (share * to.p) / to.hypothesis.weight;
  }, 0);
}

/** The recipes under one level of noise, after scores that with probability `stayed` say something of them. */
function moved(
  joint: Pick<Joint, 'means' | 'covariances'>,
  { innovation, secondMoment, known, variance }: Seen,
  parent: number,
  stayed: number,
): Pick<Joint, 'means' | 'covariances'> {
  const gains = joint.covariances.map((row) => at(row, parent) / variance);
  const step = stayed * innovation;
  const narrower = stayed * secondMoment - step ** 2 - stayed * known * variance;
  return {
    means: joint.means.map((mean, a) => mean + at(gains, a) * step),
    covariances: joint.covariances.map((row, a) =>
      row.map((value, b) => value + at(gains, a) * at(gains, b) * narrower),
    ),
  };
}

/**
 * Beliefs after an adoption: the candidate is one more recipe, and the family's noise is now that of its runs, half an
 * octave more or less.
 */
export function afterAdoption(
  beliefs: Beliefs,
  trial: number,
  { look: { seen }, places, scores }: Verdict,
): Beliefs {
  const parts = new Map<number, Omit<Joint, 'level'>[]>();
  for (const one of seen) {
    if (one.p === 0) continue;
    const withNext = withCandidate(one, places.parent, scores);
    for (const { level, weight } of driftFrom(one.hypothesis.level, beliefs.lowest)) {
      const found = parts.get(level) ?? [];
      found.push({ ...withNext, weight: weight * one.p });
      parts.set(level, found);
    }
  }
  const levels = [...parts].sort(([a], [b]) => a - b).map(([level, found]) => ({ level, ...mixture(found) }));
  const lowest = windowAround({ lowest: beliefs.lowest, levels });
  const inside = levels.filter(({ level }) => level >= lowest && level < lowest + LEVELS);
  return settled({ ...beliefs, trials: [...beliefs.trials, trial], lowest, levels: inside });
}

function withCandidate(one: Seen, parent: number, scores: Scores): Pick<Joint, 'means' | 'covariances'> {
  const { hypothesis, gain, known, variance, innovation, secondMoment } = one;
  const candidate = candidateUnder(one, scores);
  const { means, covariances } = moved(hypothesis.joint, one, parent, 1);
  // what the candidate shares with the others it shares with its parent
  const own = variance * (1 - gain) * known - (1 - gain) * (secondMoment - innovation ** 2);
  const border = hypothesis.joint.covariances.map((row) => (at(row, parent) / variance) * own);
  return {
    means: [...means, candidate.mean],
    covariances: bordered(covariances, border, candidate.variance),
  };
}

/** Probability that the edit changed the noise of its recipe. */
export const changedNoise = (seen: readonly Seen[]): number =>
  seen.reduce((sum, { hypothesis, p }) => (hypothesis.changed ? sum + p : sum), 0);
