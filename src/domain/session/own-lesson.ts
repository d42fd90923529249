import { START } from '../keys.js';
import type { SeenRow, TrialRow } from './view.js';

/** The lesson of a measured trial for a conversation without lineage: against its own parent, and nothing else. */
export function ownLesson({ delta, parent }: Pick<TrialRow, 'delta' | 'parent'>): string {
  if (delta === null || parent === null) return 'measured';
  const change = delta === 0 ? 'equal to' : delta < 0 ? 'lower than' : 'higher than';
  return `measured, ${change} its parent, trial ${parent}`;
}

/** Returns true where the end of a trial tells how it compares with the frontier. */
export const isCompared = (status: SeenRow['status']): boolean => status === 'keep' || status === 'discard';

/** A row as a conversation without lineage may read it: nothing in it rests on trials of others. */
export function withoutLineage(row: TrialRow): SeenRow {
  const alone = { ...row, believed: null, noise: null };
  if (row.trial === START || !isCompared(row.status)) return alone;
  return { ...alone, status: 'measured', lesson: ownLesson(row) };
}
