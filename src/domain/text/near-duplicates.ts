import { cosineOf, termsWithNumbers, textVectors, type TextVector, type Vocabulary } from './text-vectors.js';

/** Similarity from which a text says again what an earlier one said. The paper gives no figure: this one is ours. */
export const SAME_AT = 0.9;

/** Returns, for each text, the earlier text that it nearly repeats; null where there is none. */
export function nearDuplicates({ vectors, rarity }: Vocabulary, sameAt = SAME_AT): (number | null)[] {
  const seen: number[][] = [];
  return vectors.map((vector, at) => {
    let found: { earlier: number; cosine: number } | null = null;
    for (const earlier of candidates(vector, { rarity, seen, sameAt })) {
      const other = vectors[earlier];
      const cosine = other === undefined ? 0 : cosineOf(vector, other);
      if (cosine >= sameAt && (found === null || cosine > found.cosine)) found = { earlier, cosine };
    }
    for (const term of vector.terms) (seen[term] ??= []).push(at);
    return found?.earlier ?? null;
  });
}

interface Search {
  rarity: Float64Array;
  /** Texts that have a term. */
  seen: readonly (readonly number[] | undefined)[];
  sameAt: number;
}

/**
 * Lists the texts that share one of the rarest terms. The others are too short, as vectors, to be as similar: two
 * vectors of length 1 that share terms of length r at most have a cosine of r at most.
 */
function candidates({ terms, weights }: TextVector, { rarity, seen, sameAt }: Search): Set<number> {
  const byRarity = Array.from(terms, (term, at) => ({ term, square: (weights[at] ?? 0) ** 2 }));
  byRarity.sort((a, b) => (rarity[b.term] ?? 0) - (rarity[a.term] ?? 0));
  const found = new Set<number>();
  let left = byRarity.reduce((sum, { square }) => sum + square, 0);
  for (const { term, square } of byRarity) {
    if (left < sameAt * sameAt) break;
    for (const earlier of seen[term] ?? []) found.add(earlier);
    left -= square;
  }
  return found;
}

/** Finds the earlier text that is most like a new one; null where no word is shared. */
export function mostSimilar(text: string, earlier: readonly string[]): { at: number; cosine: number } | null {
  const { vectors } = textVectors([...earlier, text], { terms: termsWithNumbers, smooth: true });
  const own = vectors.at(-1);
  if (own === undefined) return null;
  let found: { at: number; cosine: number } | null = null;
  for (const [at, other] of vectors.slice(0, -1).entries()) {
    const cosine = cosineOf(own, other);
    if (cosine > (found?.cosine ?? 0)) found = { at, cosine };
  }
  return found;
}
