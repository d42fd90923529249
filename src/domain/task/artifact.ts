import type { DeclaredArray, Dtype } from './schema/artifact.js';
import type { Task } from './task.js';

/** Bytes of one number of each type. */
export const BYTES_OF: Readonly<Record<Dtype, number>> = {
  f2: 2,
  bf16: 2,
  f4: 4,
  f8: 8,
  i1: 1,
  i2: 2,
  i4: 4,
  i8: 8,
  u1: 1,
  u2: 2,
  u4: 4,
  u8: 8,
};

/** The bytes of a declared file. */
export const bytesOf = ({ dtype, shape }: Pick<DeclaredArray, 'dtype' | 'shape'>): number =>
  shape.reduce((all, one) => all * one, BYTES_OF[dtype]);

/** A declared file in words: `10000×10 of f4`. */
export const shapeText = ({ dtype, shape }: Pick<DeclaredArray, 'dtype' | 'shape'>): string =>
  `${shape.join('×')} of ${dtype}`;

/** File that an artifact must have: its glob, and for a file of numbers their type and shape. */
export interface RequiredFile {
  glob: string;
  declared: DeclaredArray | null;
}

/** Lists the files that an artifact of a task must have; that of each of several processes. */
export const requiredFiles = ({ evaluate }: Pick<Task, 'evaluate'>): RequiredFile[] =>
  (evaluate.artifact ?? []).map((entry) =>
    typeof entry === 'string' ? { glob: entry, declared: null } : { glob: entry.path, declared: entry },
  );

/** Position of a number in words, such as `[12, 3]`. */
export function positionText(shape: readonly number[], index: number): string {
  const at: number[] = [];
  let rest = index;
  for (const length of [...shape].reverse()) {
    at.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return `[${at.join(', ')}]`;
}
