import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BoundedLog, harmless } from '../../src/sandbox/bounded-log.js';
import { FirstBytes, LastBytes } from '../../src/sandbox/process/kept-bytes.js';
import { WrapperReports, type WrapperReport } from '../../src/sandbox/supervision/wrapper-report.js';
import { byteByByte, cutUp, hostileBytes, RUNS } from './runs.js';

const cutBytes = hostileBytes(400).chain((bytes) =>
  fc.record({ bytes: fc.constant(bytes), chunks: cutUp(bytes) }),
);
const STEERING = /[^\P{Cc}\n\t]|[\u200E\u200F\u202A-\u202E\u2066-\u2069\u2028\u2029]/u;

it('keeps the first and the last bytes of what was printed, however it is cut', () => {
  fc.assert(
    fc.property(cutBytes, fc.nat({ max: 500 }), ({ bytes, chunks }, most) => {
      for (const cut of [chunks, byteByByte(bytes)]) {
        const [first, last] = [new FirstBytes(most), new LastBytes(most)];
        const taken = cut.reduce((sum, chunk) => sum + first.add(chunk), 0);
        for (const chunk of cut) last.add(chunk);
        expect(first.bytes()).toEqual(bytes.subarray(0, most));
        expect(taken).toBe(Math.min(most, bytes.length));
        expect(last.bytes()).toEqual(bytes.subarray(Math.max(0, bytes.length - most)));
      }
    }),
    RUNS,
  );
});

it('a log is bounded, counts every byte, steers no terminal, and is the same however it is cut', () => {
  fc.assert(
    fc.property(cutBytes, fc.nat({ max: 500 }), ({ bytes, chunks }, keep) => {
      const [log, again] = [new BoundedLog(keep), new BoundedLog(keep)];
      for (const chunk of chunks) log.add(chunk);
      for (const chunk of byteByByte(bytes)) again.add(chunk);
      expect(log.bytes).toBe(bytes.length);
      expect(Buffer.byteLength(log.text())).toBeLessThanOrEqual(keep + 64);
      expect(log.text()).not.toMatch(STEERING);
      expect(log.lastLine).not.toMatch(STEERING);
      expect(log.lastLine.length).toBeLessThanOrEqual(500);
      expect([again.text(), again.lastLine]).toEqual([log.text(), log.lastLine]);
    }),
    RUNS,
  );
});

it('what was made harmless stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(harmless(text)).not.toMatch(STEERING);
      expect(harmless(harmless(text))).toBe(harmless(text));
    }),
    RUNS,
  );
});

/** Reports that were understood of the wrapper, and the refusals. */
function reportsOf(chunks: readonly Buffer[]): { reports: WrapperReport[]; refused: string | null } {
  const reader = new WrapperReports();
  const reports: WrapperReport[] = [];
  try {
    for (const chunk of chunks) reports.push(...reader.read(chunk));
  } catch (error) {
    return { reports: [], refused: error instanceof Error && 'code' in error ? String(error.code) : 'other' };
  }
  return { reports, refused: null };
}

const lines = fc
  .array(
    fc.oneof(
      fc
        .record({ 'child-pid': fc.integer(), 'exit-code': fc.integer() }, { requiredKeys: [] })
        .map((report) => Buffer.from(`${JSON.stringify(report)}\n`)),
      hostileBytes(80),
    ),
    { maxLength: 5 },
  )
  .map((parts) => Buffer.concat(parts));

it('a wrapper is understood or refused as a fault of the host, however it is cut', () => {
  fc.assert(
    fc.property(
      lines.chain((bytes) => fc.record({ bytes: fc.constant(bytes), chunks: cutUp(bytes) })),
      ({ bytes, chunks }) => {
        const whole = reportsOf([bytes]);
        expect([null, 'HOST_FAULT']).toContain(whole.refused);
        for (const cut of [chunks, byteByByte(bytes)]) expect(reportsOf(cut)).toEqual(whole);
      },
    ),
    RUNS,
  );
});

it('a line without an end is refused before it fills the memory', () => {
  expect(reportsOf(byteByByte(Buffer.alloc(5000, '{')))).toEqual({ reports: [], refused: 'HOST_FAULT' });
});
