import { diff3Merge } from 'node-diff3';

/** Place where two changes of the same lines meet: the line in our file, counted from 1, and both texts. */
export interface Conflict {
  line: number;
  ours: string;
  theirs: string;
}

export type MergedText = { text: string } | { conflicts: Conflict[] } | { refused: string };

/** Pairs of equal lines that may be looked at: a file of equal lines has as many as the square of their number. */
const MOST_PAIRS = 4_000_000;

/** Merges two changes of one text, line by line. */
export function mergeTexts(base: string, ours: string, theirs: string): MergedText {
  const [old, a, b] = [base, ours, theirs].map((text) => text.split('\n'));
  if (old === undefined || a === undefined || b === undefined) return { refused: 'there is no text' };
  if (equalPairs(old, a) + equalPairs(old, b) > MOST_PAIRS)
    return { refused: 'it has too many equal lines to be merged' };
  const regions = diff3Merge(a, old, b, { excludeFalseConflicts: true });
  const conflicts = regions.flatMap(({ conflict }) =>
    conflict === undefined
      ? []
      : [{ line: conflict.aIndex + 1, ours: conflict.a.join('\n'), theirs: conflict.b.join('\n') }],
  );
  if (conflicts.length > 0) return { conflicts };
  return { text: regions.flatMap(({ ok }) => ok ?? []).join('\n') };
}

function equalPairs(before: readonly string[], after: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const line of before) counts.set(line, (counts.get(line) ?? 0) + 1);
  return after.reduce((sum, line) => sum + (counts.get(line) ?? 0), 0);
}

/** How one path is merged: from one side, as in ours, or by its lines; `conflict`: one side has deleted it. */
export type MergeStep = 'ours' | 'theirs' | 'lines' | 'conflict';

/** Finds how a path is merged, by digests of its contents; undefined where a side does not have it. */
export function mergeStep(
  base: string | undefined,
  ours: string | undefined,
  theirs: string | undefined,
): MergeStep {
  if (ours === theirs || base === theirs) return 'ours';
  if (base === ours) return 'theirs';
  return ours === undefined || theirs === undefined ? 'conflict' : 'lines';
}
