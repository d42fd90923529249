/** Expected against measured changes of the trials of one role. */
export interface Expectations {
  trials: number;
  /** Median of measured gain as a share of the expected one. */
  share: number;
  /** Trials whose change has the sign that was expected. */
  sameSign: number;
}

interface Expected {
  expectedDelta: number | null;
  delta: number | null;
}

/** Compares what proposers expected with what was measured; null where no measured trial said what it expected. */
export function expectationsOf(rows: readonly Expected[]): Expectations | null {
  const shares = rows.flatMap(({ expectedDelta, delta }) =>
    expectedDelta === null || delta === null || expectedDelta === 0 ? [] : [delta / expectedDelta],
  );
  shares.sort((a, b) => a - b);
  const [low, high] = [shares[Math.floor((shares.length - 1) / 2)], shares[Math.floor(shares.length / 2)]];
  if (low === undefined || high === undefined) return null;
  return {
    trials: shares.length,
    share: (low + high) / 2,
    sameSign: shares.filter((share) => share > 0).length,
  };
}
