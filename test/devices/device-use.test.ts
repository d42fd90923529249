import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceState } from '../../src/domain/devices/device-state.js';
import { busyBecause, unfitBecause } from '../../src/domain/devices/device-state.js';
import { SAMPLES_KEPT, UseRecorder } from '../../src/domain/devices/device-use.js';

const STATE: DeviceState = {
  uuid: 'GPU-a',
  usedBytes: 0,
  totalBytes: 1000,
  holders: [],
  utilisation: null,
  clockMhz: null,
  throttled: [],
  uncorrected: 0,
};

describe('what is recorded of a device', () => {
  it('is bounded, and peaks, means and reasons are those of all looks', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            usedBytes: fc.nat(1000),
            utilisation: fc.option(fc.integer({ min: 0, max: 4 }).map((quarter) => quarter / 4)),
            throttled: fc.subarray(['heat', 'power']),
          }),
          { maxLength: 400 },
        ),
        (looks) => {
          const recorder = new UseRecorder({ uuid: 'GPU-a', name: 'a' });
          looks.forEach((look, s) => recorder.see(s, { ...STATE, ...look }));
          const use = recorder.use();
          expect(use.samples.length).toBeLessThanOrEqual(SAMPLES_KEPT);
          expect(use.samples.length).toBeGreaterThanOrEqual(Math.min(looks.length, SAMPLES_KEPT / 2));
          expect(use.peakMemoryBytes).toBe(Math.max(0, ...looks.map(({ usedBytes }) => usedBytes)));
          expect(new Set(use.throttled)).toEqual(new Set(looks.flatMap(({ throttled }) => throttled)));
          const known = looks.flatMap(({ utilisation }) => utilisation ?? []);
          const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
          if (known.length === 0) expect(use.utilisation).toBeNull();
          else expect(use.utilisation).toBeCloseTo(mean, 2);
        },
      ),
    );
  });
});

describe('a device', () => {
  it.each<[string, DeviceState | undefined, number, string | null]>([
    ['is free', STATE, 0, null],
    ['is free with what its driver keeps', { ...STATE, usedBytes: 20 }, 0, null],
    ['is lost', undefined, 0, 'it is lost: its driver does not list it any more'],
    [
      'has memory in use by nobody',
      { ...STATE, usedBytes: 21 },
      0,
      '21 of its 1000 bytes are in use, by no process that its driver names',
    ],
    ['has a process', { ...STATE, holders: [{ pid: 7, bytes: 0 }] }, 0, 'on it is process 7'],
    [
      'has processes',
      {
        ...STATE,
        holders: [
          { pid: 7, bytes: 0 },
          { pid: null, bytes: 0 },
        ],
      },
      0,
      'on it are process 7, an unnamed process',
    ],
    ['has old errors', { ...STATE, uncorrected: 3 }, 3, null],
    [
      'has new errors',
      { ...STATE, uncorrected: 5 },
      3,
      'its memory had 2 new errors that could not be corrected',
    ],
    ['does not count errors', { ...STATE, uncorrected: null }, 0, null],
  ])('%s', (_, state, expected, reason) => {
    expect(unfitBecause(state, expected)).toBe(reason);
    if (reason === null && state !== undefined) expect(busyBecause(state)).toBeNull();
  });
});
