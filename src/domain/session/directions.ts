import type { TrialStatus } from '../statuses.js';
import { clusterInOrder } from '../text/clusters.js';
import { textVectors } from '../text/text-vectors.js';

/** Ideas of one kind: those of a domain of the task, or alike in their words. */
export interface Direction {
  /** Domain, or hypothesis of its newest trial. */
  name: string;
  /** Numbers of the trials, newest first. */
  trials: number[];
  kept: number;
  /** Trials since the last that was kept. */
  sinceKept: number;
}

interface Tried {
  number: number;
  status: TrialStatus | null;
  hypothesis: string;
  changes: string;
  domain: string | null;
}

/** Trials from which ideas that are alike count as a direction. */
const FEWEST = 3;

/**
 * Directions of ended trials, given newest first. Where the task has domains these are they, those without a trial
 * too; else groups of at least three proposals that are alike in their words.
 */
export function directionsOf(trials: readonly Tried[], domains: readonly string[]): Direction[] {
  const ended = trials.filter(
    ({ status }) => status !== null && status !== 'duplicate' && status !== 'cancelled',
  );
  if (domains.length > 0)
    return domains.map((name) =>
      directionOf(
        name,
        ended.filter(({ domain }) => domain === name),
      ),
    );
  return alike(ended).map((group) => directionOf(group[0]?.hypothesis ?? '', group));
}

function alike(trials: readonly Tried[]): Tried[][] {
  const words = trials.map(({ hypothesis, changes }) => `${hypothesis}\n${changes}`);
  const clusters = clusterInOrder(textVectors(words));
  const groups = new Map<number, Tried[]>();
  for (const [at, trial] of trials.entries()) {
    const cluster = clusters[at] ?? -1;
    groups.set(cluster, [...(groups.get(cluster) ?? []), trial]);
  }
  return [...groups.values()].filter(({ length }) => length >= FEWEST).sort((a, b) => b.length - a.length);
}

function directionOf(name: string, trials: readonly Tried[]): Direction {
  const since = trials.findIndex(({ status }) => status === 'keep');
  return {
    name,
    trials: trials.map(({ number }) => number),
    kept: trials.filter(({ status }) => status === 'keep').length,
    sinceKept: since === -1 ? trials.length : since,
  };
}
