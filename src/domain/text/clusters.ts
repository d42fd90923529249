import type { TextVector, Vocabulary } from './text-vectors.js';

/** Similarity from which a proposal joins a cluster (arXiv 2605.05724, section 4.2). */
export const JOINS_AT = 0.3;

/**
 * Clusters texts in their order: each joins the nearest centroid if its similarity to it is at least `joinsAt`,
 * otherwise it begins a cluster. A centroid is the mean of its members, so the similarity to it is the mean of the
 * cosines to them. Returns the cluster of each text; one without words is a cluster of its own.
 */
export function clusterInOrder({ vectors, rarity }: Vocabulary, joinsAt = JOINS_AT): number[] {
  const centroids = new Centroids(rarity.length);
  return vectors.map((vector) => {
    const nearest = centroids.nearest(vector);
    const cluster = nearest !== null && nearest.similarity >= joinsAt ? nearest.cluster : centroids.begin();
    centroids.add(cluster, vector);
    return cluster;
  });
}

interface Nearest {
  cluster: number;
  similarity: number;
}

/** Clusters that have a term, with the sum of its weights in their members. */
interface TermSums {
  clusters: number[];
  sums: number[];
  /** Place of a cluster in both lists. */
  places: Map<number, number>;
}

/** Sums of the members of each cluster, by term: plain lists, since common words are in most clusters. */
class Centroids {
  private readonly byTerm: (TermSums | undefined)[];
  private readonly members: number[] = [];

  constructor(terms: number) {
    this.byTerm = new Array<TermSums | undefined>(terms);
  }

  nearest({ terms, weights }: TextVector): Nearest | null {
    const dots = new Float64Array(this.members.length);
    terms.forEach((term, at) => {
      const own = this.byTerm[term];
      if (own !== undefined) addScaled(dots, own, weights[at] ?? 0);
    });
    let best: Nearest | null = null;
    for (let cluster = 0; cluster < dots.length; cluster += 1) {
      const similarity = (dots[cluster] ?? 0) / (this.members[cluster] ?? 1);
      if (best === null || similarity > best.similarity) best = { cluster, similarity };
    }
    return best;
  }

  begin(): number {
    return this.members.push(0) - 1;
  }

  add(cluster: number, { terms, weights }: TextVector): void {
    this.members[cluster] = (this.members[cluster] ?? 0) + 1;
    terms.forEach((term, at) => {
      const own = (this.byTerm[term] ??= { clusters: [], sums: [], places: new Map<number, number>() });
      const place = own.places.get(cluster);
      if (place !== undefined) own.sums[place] = (own.sums[place] ?? 0) + (weights[at] ?? 0);
      else {
        own.places.set(cluster, own.clusters.push(cluster) - 1);
        own.sums.push(weights[at] ?? 0);
      }
    });
  }
}

function addScaled(dots: Float64Array, { clusters, sums }: TermSums, by: number): void {
  for (let place = 0; place < clusters.length; place += 1) {
    const cluster = clusters[place] ?? 0;
    dots[cluster] = (dots[cluster] ?? 0) + by * (sums[place] ?? 0);
  }
}
