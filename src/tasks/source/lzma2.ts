import { ChunkDecoder } from './lzma-chunk.js';

/** Bytes that are no LZMA2 stream, or one that is larger than allowed. */
export class Lzma2Fault extends Error {}

/** Control bytes of chunks. */
const [END, PLAIN_RESET, PLAIN] = [0, 1, 2];
const COMPRESSED = 0x80;

/**
 * Decodes a raw LZMA2 stream, as `lzma.FORMAT_RAW` with `FILTER_LZMA2` of Python writes it.
 * @param most bytes that it may decode to
 * @throws Lzma2Fault
 */
export function decodeLzma2(stream: Uint8Array, most: number): Uint8Array {
  const decoder = new ChunkDecoder(most);
  let at = 0;
  const take = (count: number): Uint8Array => {
    const taken = stream.subarray(at, at + count);
    if (taken.length < count) throw new Lzma2Fault('it ends in the middle');
    at += count;
    return taken;
  };
  const number = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  for (;;) {
    const control = number(take(1));
    if (control === END) break;
    if (control > PLAIN && control < COMPRESSED)
      throw new Lzma2Fault(`a chunk of the unknown kind ${control}`);
    const high = control < COMPRESSED ? 0 : control & 0x1f;
    const size = high * 0x10000 + number(take(2)) + 1;
    if (decoder.size + size > most) throw new Lzma2Fault(`it decodes to more than ${most} bytes`);
    if (control < COMPRESSED) {
      decoder.copy(take(size), { resets: control === PLAIN_RESET });
      continue;
    }
    const packed = number(take(2)) + 1;
    // 0: goes on, 1: new state, 2: and other properties, 3: and nothing before it is referred to
    const reset = (control >> 5) & 3;
    if (reset >= 2 && !decoder.setProperties(number(take(1))))
      throw new Lzma2Fault('its properties are none');
    if (reset >= 1) decoder.resetState();
    if (reset === 3) decoder.forget();
    if (!decoder.decode(take(packed), size)) throw new Lzma2Fault('a chunk of it is damaged');
  }
  if (at < stream.length) throw new Lzma2Fault(`${stream.length - at} bytes follow its end`);
  return decoder.content();
}
