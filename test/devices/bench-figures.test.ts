import { expect, it } from 'vitest';
import { busyShare, fillable, longestWaitS, type BenchTrial } from '../../bench/devices/figures.js';

it.each([
  [[8, 8], [], 0],
  [[3], [2], 2],
  [[3], [2, 1, 1], 3],
  [[1, 2], [2, 2], 2],
  [[4, 8], [4, 8], 12],
  [[7, 7], [8], 0],
])('of %j free devices, requests for %j would fill %d', (free, sizes, filled) => {
  expect(fillable(free, sizes)).toBe(filled);
});

const trial = (size: number, queuedAt: number, takenAt: number | null): BenchTrial => ({
  ...{ size, runS: 1, status: 'discard', queuedAt, takenAt },
});

it('counts a device as idle only while something waits that fits it', () => {
  const ticks = [
    { at: 0, held: [4] },
    { at: 10, held: [4] },
    { at: 20, held: [8] },
  ];
  expect(busyShare(ticks, [trial(8, 0, 30)], 8)).toBe(1);
  expect(busyShare(ticks, [trial(2, 0, 5)], 8)).toBe(4 / 6);
  expect(busyShare(ticks, [trial(2, 0, 15), trial(2, 8, null)], 8)).toBe(16 / (16 + 2 + 4));
});

it('takes the longest wait of a size, in seconds', () => {
  const trials = [trial(8, 0, 3000), trial(8, 1000, 9500), trial(4, 0, 90_000), trial(8, 0, null)];
  expect(longestWaitS(trials, 8)).toBe(8.5);
});
