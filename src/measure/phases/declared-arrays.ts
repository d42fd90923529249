import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { BYTES_OF, bytesOf, positionText, shapeText } from '../../domain/task/artifact.js';
import type { DeclaredArray, Dtype } from '../../domain/task/schema/artifact.js';
import type { Sealed } from '../../sandbox/sealing/seal.js';

const CHUNK = 4 * 1024 * 1024;

/**
 * Says in words how a sealed file is not what the task declares of it: another size, or a number that is none. Null
 * where it is. No more than a few megabytes of it are in memory at a time.
 */
export async function arrayFault(
  folder: string,
  { files }: Sealed,
  declared: DeclaredArray,
): Promise<string | null> {
  const { path, dtype, shape } = declared;
  const found = files.find((file) => file.path === path);
  const wanted = bytesOf(declared);
  if (found !== undefined && found.bytes !== wanted)
    return `${path} has ${found.bytes} bytes, and ${shapeText(declared)} are ${wanted}`;
  const index = await firstNotFinite(join(folder, path), dtype);
  if (index === null) return null;
  return `${path} has NaN or infinity at ${positionText(shape, index)}`;
}

/** The index of the first number of a file that is NaN or infinite; null where there is none. */
async function firstNotFinite(path: string, dtype: Dtype): Promise<number | null> {
  const isFinite = FINITE[dtype];
  if (isFinite === undefined) return null;
  const size = BYTES_OF[dtype];
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const buffer = Buffer.alloc(CHUNK);
    let [held, index] = [0, 0];
    for (;;) {
      const { bytesRead } = await file.read(buffer, held, CHUNK - held);
      if (bytesRead === 0) return null;
      held += bytesRead;
      const whole = held - (held % size);
      const view = new DataView(buffer.buffer, buffer.byteOffset, whole);
      for (let at = 0; at < whole; at += size) if (!isFinite(view, at)) return index + at / size;
      index += whole / size;
      buffer.copyWithin(0, whole, held);
      held -= whole;
    }
  } finally {
    await file.close();
  }
}

/** An exponent of ones alone is NaN or infinity. */
const FINITE: Partial<Record<Dtype, (view: DataView, at: number) => boolean>> = {
  f2: (view, at) => (view.getUint16(at, true) & 0x7c00) !== 0x7c00,
  bf16: (view, at) => (view.getUint16(at, true) & 0x7f80) !== 0x7f80,
  f4: (view, at) => (view.getUint32(at, true) & 0x7f800000) !== 0x7f800000,
  f8: (view, at) => (view.getUint32(at + 4, true) & 0x7ff00000) !== 0x7ff00000,
};
