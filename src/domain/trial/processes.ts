import { createHmac } from 'node:crypto';
import { seedOf } from '../digest.js';
import type { Task } from '../task/task.js';
import { secretOrder } from './secret-order.js';

/** One cold process of a measurement. */
export interface ColdProcess {
  /** Its number within the measurement, from 0. */
  process: number;
  seed: number;
}

/** Lists the processes of a measurement: one under its own seed, or several under seeds derived from it. */
export function processesOf(
  { replicate }: Pick<Task, 'replicate'>,
  { secret, seed }: { secret: string; seed: number },
): ColdProcess[] {
  if (replicate.processes === 1) return [{ process: 0, seed }];
  return Array.from({ length: replicate.processes }, (_, process) => ({
    process,
    seed: seedOf(secret, 'process', String(seed), process),
  }));
}

/** The order in which a process is shown what is revealed; null where nothing is permuted. */
export function orderOf({ data }: Pick<Task, 'data'>, secret: string, seed: number): Uint32Array | null {
  const rows = data?.reveal?.permute?.rows;
  return rows === undefined ? null : secretOrder(secret, seed, rows);
}

/**
 * Decides by lot which of a pair is measured first: start, candidate, candidate, start or the other way round for each
 * two blocks in a row, so that a host that grows slower or faster favours neither, and no recipe knows its place.
 */
export function startGoesFirst(secret: string, what: string, block: number): boolean {
  const drawn = createHmac('sha256', secret)
    .update(`first\0${what}\0${Math.floor(block / 2)}`)
    .digest();
  return ((drawn.readUInt8(0) ^ block) & 1) === 1;
}
