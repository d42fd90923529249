/** A text as weights of its terms, of length 1; the terms are numbered by a vocabulary. */
export interface TextVector {
  terms: Int32Array;
  weights: Float64Array;
}

export interface Vocabulary {
  vectors: TextVector[];
  /** Rarity of each term: ln(n / df). */
  rarity: Float64Array;
}

/** Words and numbers of a text in lower case. */
export function termsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
}

/** The same with a decimal number, its sign and its exponent as one term: another value is another term. */
export function termsWithNumbers(text: string): string[] {
  return (
    text
      .toLowerCase()
      .match(/(?<![\p{L}\p{N}_.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\p{L}_])|[\p{L}\p{N}_]+/gu) ?? []
  );
}

/** How texts are cut into terms, and how rare terms are weighed. */
export interface Weighing {
  terms?: (text: string) => string[];
  /** ln((1 + n) / (1 + df)) + 1 instead of ln(n / df), so that few texts are compared by all their words. */
  smooth?: boolean;
}

/**
 * Unigram TF-IDF of texts under one vocabulary: (1 + ln count) · ln(n / df), normalised to length 1. A text whose every
 * term is in all texts is weighed by its counts alone; one without words has no terms.
 */
export function textVectors(
  texts: readonly string[],
  { terms = termsOf, smooth = false }: Weighing = {},
): Vocabulary {
  const numbers = new Map<string, number>();
  const frequencies: number[] = [];
  const counts = texts.map((text) => {
    const own = new Map<number, number>();
    for (const term of terms(text)) {
      let number = numbers.get(term);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(term, number);
        frequencies.push(0);
      }
      own.set(number, (own.get(number) ?? 0) + 1);
    }
    for (const number of own.keys()) frequencies[number] = (frequencies[number] ?? 0) + 1;
    return own;
  });
  const rarity = Float64Array.from(frequencies, (df) =>
    smooth ? Math.log((1 + texts.length) / (1 + df)) + 1 : Math.log(texts.length / df),
  );
  return { rarity, vectors: counts.map((own) => vectorOf(own, rarity)) };
}

function vectorOf(counts: ReadonlyMap<number, number>, rarity: Float64Array): TextVector {
  const terms = Int32Array.from(counts.keys());
  const plain = Float64Array.from(counts.values(), (count) => 1 + Math.log(count));
  const weighed = plain.map((weight, at) => weight * (rarity[terms[at] ?? 0] ?? 0));
  const weights = weighed.some((weight) => weight > 0) ? weighed : plain;
  const length = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0));
  return { terms, weights: weights.map((weight) => weight / length) };
}

/** Cosine of two vectors of one vocabulary, from 0 to 1. */
export function cosineOf(one: TextVector, other: TextVector): number {
  const weights = new Map(Array.from(one.terms, (term, at) => [term, one.weights[at] ?? 0]));
  return other.terms.reduce((sum, term, at) => sum + (other.weights[at] ?? 0) * (weights.get(term) ?? 0), 0);
}
