import fc from 'fast-check';

const asked = process.env['ASSAY_FUZZ_RUNS'];

/** Runs of a property: few in `npm test`, far more in `npm run test:slow`. */
export const RUNS = { numRuns: Number(asked ?? 200) };

/** Tries of a property of which each takes long. */
export const tries = (quick: number, slow: number): typeof RUNS => ({
  numRuns: asked === undefined ? quick : Math.min(slow, RUNS.numRuns),
});

/** Bytes as a hostile program may write them: anything, long runs of one byte, and the signs of JSON. */
export const hostileBytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.oneof(
    fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes)),
    fc
      .record({ byte: fc.integer({ min: 0, max: 255 }), times: fc.integer({ min: 0, max: maxLength }) })
      .map(({ byte, times }) => Buffer.alloc(times, byte)),
    fc
      .array(
        fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', '1e9', '-', '.', '\n', '\r', '\0', 'é'),
        {
          maxLength,
        },
      )
      .map((signs) => Buffer.from(signs.join(''))),
  );

/** The bytes cut into chunks at any places, empty chunks among them. */
export const cutUp = (bytes: Buffer): fc.Arbitrary<Buffer[]> =>
  fc.array(fc.nat({ max: bytes.length }), { maxLength: 12 }).map((places) => {
    const cuts = [0, ...places.sort((a, b) => a - b), bytes.length];
    return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
  });

/** One chunk a byte. */
export const byteByByte = (bytes: Buffer): Buffer[] =>
  Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
