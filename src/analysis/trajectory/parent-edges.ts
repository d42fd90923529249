import type { TrajectoryTrial } from './trajectory.js';

/** Edges from trials to the proposals that they were made from. */
export interface EdgeCounts {
  /** Edges to another proposal of the window. */
  edges: number;
  /** Those to a proposal of another role. */
  across: number;
}

export interface ParentEdges {
  trials: number;
  all: EdgeCounts;
  /** Edges of kept trials alone. */
  keeps: EdgeCounts & { trials: number };
  /** Edges by the role of the child and of the parent. */
  pairs: { from: string; to: string; edges: number }[];
}

/**
 * Counts parent edges within and across roles among the first `window` trials; edges to the start, which has no role,
 * and to anything outside the window are left out (arXiv 2605.05724, section 4.2).
 */
export function parentEdges(trials: readonly TrajectoryTrial[], window = Infinity): ParentEdges {
  const shown = trials.slice(0, window);
  const roles = new Map(shown.map(({ number, role }) => [number, role]));
  const pairs = new Map<string, { from: string; to: string; edges: number }>();
  const all = { edges: 0, across: 0 };
  const keeps = { trials: 0, edges: 0, across: 0 };
  for (const { parent, role, ending } of shown) {
    if (ending === 'keep') keeps.trials += 1;
    const to = parent === null ? undefined : roles.get(parent);
    if (to === undefined) continue;
    for (const counts of ending === 'keep' ? [all, keeps] : [all]) {
      counts.edges += 1;
      if (to !== role) counts.across += 1;
    }
    const key = JSON.stringify([role, to]);
    const pair = pairs.get(key) ?? { from: role, to, edges: 0 };
    pair.edges += 1;
    pairs.set(key, pair);
  }
  return { trials: shown.length, all, keeps, pairs: [...pairs.values()].sort((a, b) => b.edges - a.edges) };
}
