import { effectiveCount } from './entropy.js';
import type { TextVector, Vocabulary } from './text-vectors.js';

/** Similarity from which a proposal joins a cluster (arXiv 2605.05724, section 4.2). */
export const JOINS_AT = 0.3;

/**
 * Clusters texts in their order: each joins the nearest centroid if its similarity to it is at least `joinsAt`,
 * otherwise it begins a cluster. A centroid is the mean of its members, so the similarity to it is the mean of the
 * cosines to them. Returns the cluster of each text; one without words is a cluster of its own.
 */
export function clusterInOrder({ vectors, size }: Vocabulary, joinsAt = JOINS_AT): number[] {
  const centroids = new Centroids(size);
  return vectors.map((vector) => {
    const nearest = centroids.nearest(vector);
    const cluster = nearest !== null && nearest.similarity >= joinsAt ? nearest.cluster : centroids.begin();
    centroids.add(cluster, vector);
    return cluster;
  });
}

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

interface Nearest {
  cluster: number;
  similarity: number;
}

/** Sums of the members of each cluster, by term, so that a text is compared only with what shares a term with it. */
class Centroids {
  private readonly byTerm: (Map<number, number> | undefined)[];
  private readonly sizes: number[] = [];

  constructor(terms: number) {
    this.byTerm = new Array<Map<number, number> | undefined>(terms);
  }

  nearest({ terms, weights }: TextVector): Nearest | null {
    const dots = new Float64Array(this.sizes.length);
    terms.forEach((term, at) => {
      const weight = weights[at] ?? 0;
      if (weight === 0) return;
      for (const [cluster, sum] of this.byTerm[term] ?? [])
        dots[cluster] = (dots[cluster] ?? 0) + weight * sum;
    });
    let best: Nearest | null = null;
    this.sizes.forEach((members, cluster) => {
      const similarity = (dots[cluster] ?? 0) / members;
      if (best === null || similarity > best.similarity) best = { cluster, similarity };
    });
    return best;
  }

  begin(): number {
    return this.sizes.push(0) - 1;
  }

  add(cluster: number, { terms, weights }: TextVector): void {
    this.sizes[cluster] = (this.sizes[cluster] ?? 0) + 1;
    terms.forEach((term, at) => {
      const sums = (this.byTerm[term] ??= new Map<number, number>());
      sums.set(cluster, (sums.get(cluster) ?? 0) + (weights[at] ?? 0));
    });
  }
}
