import { effectiveCount } from './entropy.js';

export interface ClusterFigures {
  proposals: number;
  clusters: number;
  /** exp(H) of the cluster sizes. */
  effective: number;
  /** Size of the largest cluster, and the place of the text that began it. */
  largest: number;
  largestFirst: number | null;
}

/** Figures of a clustering, from the cluster of each text. */
export function clusterFigures(clusters: readonly number[]): ClusterFigures {
  const sizes: number[] = [];
  for (const cluster of clusters) sizes[cluster] = (sizes[cluster] ?? 0) + 1;
  const largest = sizes.reduce((top, size) => Math.max(top, size), 0);
  const first = clusters.indexOf(sizes.indexOf(largest));
  return {
    proposals: clusters.length,
    clusters: sizes.length,
    effective: effectiveCount(sizes),
    largest,
    largestFirst: first === -1 ? null : first,
  };
}
