import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameReader } from '../../src/sandbox/scoring/frames.js';
import { byteByByte, cutUp, hostileBytes, RUNS } from './runs.js';

const LONGEST_HEADER = 64 * 1024;

const framed = (header: string, payload = ''): Buffer => {
  const text = Buffer.from(header);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, Buffer.from(payload)]);
};

const goodFrame = fc
  .record({ type: fc.string({ maxLength: 8 }), payload: fc.string({ maxLength: 40 }) })
  .map(({ type, payload }) => ({
    type,
    bytes: framed(JSON.stringify({ type, bytes: Buffer.byteLength(payload) }), payload),
  }));

/** Frames, bytes with a length before them, and bytes that are neither. */
const stream = fc
  .array(
    fc.oneof(
      goodFrame.map(({ bytes }) => bytes),
      hostileBytes(200).map((bytes) => framed(bytes.toString('latin1'))),
      hostileBytes(64),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Buffer.concat(parts));

/** Reads a stream, and counts the steps; each step must have moved it on. */
function readIn(chunks: readonly Buffer[]): { types: string[]; broken: boolean; steps: number } {
  const types: string[] = [];
  const reader = new FrameReader((type) => types.push(type));
  let steps = 0;
  for (const chunk of chunks)
    for (let at = 0; at < chunk.length && !reader.broken;) {
      const taken = reader.take(chunk.subarray(at));
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThanOrEqual(chunk.length - at);
      at += taken;
      steps += 1;
    }
  return { types, broken: reader.broken, steps };
}

it('moves on with every step, whatever comes, and sees the same however it is cut', () => {
  fc.assert(
    fc.property(
      stream.chain((bytes) => fc.record({ bytes: fc.constant(bytes), chunks: cutUp(bytes) })),
      ({ bytes, chunks }) => {
        const whole = readIn([bytes]);
        for (const cut of [chunks, byteByByte(bytes)]) {
          const { types, broken, steps } = readIn(cut);
          expect(steps).toBeLessThanOrEqual(bytes.length);
          expect({ types, broken }).toEqual({ types: whole.types, broken: whole.broken });
        }
      },
    ),
    RUNS,
  );
});

it('counts every frame of an honest stream, one byte at a time', () => {
  fc.assert(
    fc.property(fc.array(goodFrame, { maxLength: 6 }), (frames) => {
      const bytes = Buffer.concat(frames.map((frame) => frame.bytes));
      const { types, broken } = readIn(byteByByte(bytes));
      expect({ types, broken }).toEqual({ types: frames.map(({ type }) => type), broken: false });
    }),
    RUNS,
  );
});

it.each([
  ['a length of 0 and a byte', Buffer.from('\0\0\0\0A')],
  ['a length of 0', Buffer.alloc(4)],
  ['a length of 0, again and again', Buffer.alloc(4096)],
  ['a length of 1', Buffer.concat([Buffer.from([1, 0, 0, 0]), Buffer.from('{')])],
  ['a length over the longest', Buffer.concat([Buffer.from([1, 0, 1, 0]), Buffer.alloc(LONGEST_HEADER, 32)])],
  ['a length of 4 GiB', Buffer.from([255, 255, 255, 255, 65])],
  ['a header nested as deep as it may be long', framed('['.repeat(LONGEST_HEADER))],
  ['a header that is no object', framed('[]')],
  ['a payload of less than nothing', framed('{"bytes":-1}')],
  ['a payload of half a byte', framed('{"bytes":0.5}')],
  ['a payload beyond all numbers', framed('{"bytes":1e999}')],
])('refuses %s', (_what, bytes) => {
  for (const chunks of [[bytes], byteByByte(bytes)])
    expect(readIn(chunks)).toMatchObject({ types: [], broken: true });
});

it('a header cannot reach beyond itself', () => {
  const bytes = framed('{"__proto__":{"type":"bye","bytes":5},"constructor":{"prototype":{"bytes":7}}}');
  expect(readIn([bytes])).toMatchObject({ types: [''], broken: false });
});

it('the payload of one frame may be larger than every number that counts it', () => {
  const { broken, steps } = readIn([
    framed(`{"bytes":${Number.MAX_SAFE_INTEGER}}`),
    ...byteByByte(Buffer.alloc(99)),
  ]);
  expect({ broken, steps }).toEqual({ broken: false, steps: 2 + 99 });
});
