import type { ProgressPoint } from '../task/progress.js';

/** One row of curves side by side: the value of each at that share of its training, null where it has none yet. */
export interface CurveRow {
  share: number;
  values: (number | null)[];
}

/**
 * Lays curves side by side over equal steps of the share, up to the end of the longest. A value is the last one that
 * was reported by then; where a curve has ended it has none.
 */
export function curveRows(curves: readonly (readonly ProgressPoint[])[], rows: number): CurveRow[] {
  const ends = curves.map((points) => points.reduce((most, { share }) => Math.max(most, share), 0));
  const end = Math.max(0, ...ends);
  if (curves.every((points) => points.length === 0)) return [];
  return Array.from({ length: rows }, (_, at) => {
    const share = (end * (at + 1)) / rows;
    const values = curves.map((points, of) => {
      const isOver = share - end / rows >= (ends[of] ?? 0);
      return isOver ? null : (points.findLast((point) => point.share <= share + 1e-9)?.value ?? null);
    });
    return { share, values };
  }).filter(({ values }) => values.some((value) => value !== null));
}
