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

/**
 * Unigram TF-IDF of texts under one vocabulary: (1 + ln count) · ln(n / df), normalised to length 1. A text whose every
 * term is in all texts is weighed by its counts alone; one without words has no terms.
 */
export function textVectors(texts: readonly string[]): Vocabulary {
  const numbers = new Map<string, number>();
  const frequencies: number[] = [];
  const counts = texts.map((text) => {
    const own = new Map<number, number>();
    for (const term of termsOf(text)) {
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
  const rarity = Float64Array.from(frequencies, (df) => Math.log(texts.length / df));
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
