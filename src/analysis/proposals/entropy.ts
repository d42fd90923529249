/** Shannon entropy of a distribution by its counts, in nats. */
export function entropy(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count) => {
    const share = count / total;
    return count > 0 ? sum - share * Math.log(share) : sum;
  }, 0);
}

/** exp(H): the number of equal groups that would be as spread; 0 where nothing is counted. */
export function effectiveCount(counts: readonly number[]): number {
  return counts.some((count) => count > 0) ? Math.exp(entropy(counts)) : 0;
}
