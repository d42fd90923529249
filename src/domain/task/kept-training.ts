import type { Task } from './task.js';

const MB = 1024 * 1024;
/** Factor by which what training leaves may be larger than the gate on what is made of it. */
const TIMES = 256;
const [LEAST, MOST] = [MB, 64 * MB];

/**
 * Bytes that a finished training may have left to be kept in the store, for an attempt that is lost while packing and
 * for trials that train the same, those after a size miss above all. Bounded by the size gate, so that a store does
 * not grow by more than a multiple of what could be adopted.
 */
export function keptTrainingBytes({ gates }: Pick<Task, 'gates'>): number {
  const limits = gates.flatMap(({ metric, max }) => (metric === 'bytes' && max !== undefined ? [max] : []));
  return Math.min(MOST, Math.max(LEAST, TIMES * Math.min(MOST, ...limits)));
}
