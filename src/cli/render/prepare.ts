import type { PrepareProgress } from '../../tasks/prepare-progress.js';
import { bytes } from './numbers.js';
import { cut, oneLine } from './text.js';

/** A file that a preparation brings, in a line: `train.bin 12.0 MiB of 96.0 MiB (12 %), 3.4 MiB/s`. */
export function prepareLine({ file, bytes: have, total, done, perSecond, note }: PrepareProgress): string {
  const share = total === null || total === 0 ? '' : ` (${Math.floor((100 * have) / total)} %)`;
  const of = total === null ? '' : ` of ${bytes(total)}${share}`;
  const speed = perSecond === 0 ? '' : `, ${bytes(perSecond)}/s`;
  const told = note === undefined ? '' : `; ${oneLine(note)}`;
  return `${cut(oneLine(file), 60)} ${done ? bytes(have) : `${bytes(have)}${of}`}${speed}${told}`;
}
