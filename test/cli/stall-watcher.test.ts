import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { StallReason, StallReport } from '../../src/analysis/stall/types.js';
import { StallWatcher } from '../../src/cli/follow/stall-watcher.js';

const reason = (id: string, text = id): StallReason => ({
  what: 'lease',
  id,
  text,
  about: [],
  since: null,
  remedy: null,
});

let looks = 0;
let answer: StallReport;
const look = (): Promise<StallReport> => {
  looks += 1;
  return Promise.resolve(answer);
};
beforeEach(() => {
  vi.useFakeTimers();
  looks = 0;
  answer = { reasons: [reason('a')], moves: false };
});
afterEach(() => {
  vi.useRealTimers();
});

/** Looks twice a second, as a follower does, and returns what was told. */
async function watch(stalls: StallWatcher, seconds: number, moved = false): Promise<string[][]> {
  const told: string[][] = [];
  for (let looked = 0; looked < seconds * 2; looked += 1) {
    await vi.advanceTimersByTimeAsync(500);
    const events = stalls.after({ state: 'running' }, moved, look);
    for (const event of events) if (event.event === 'stall') told.push(event.reasons.map(({ id }) => id));
  }
  return told;
}

it('asks the server only when nothing has moved for some seconds, and not at every look', async () => {
  const stalls = new StallWatcher();
  await watch(stalls, 30, true);
  expect(looks).toBe(0);
  await watch(stalls, 4);
  expect(looks).toBe(0);
  await watch(stalls, 26);
  expect(looks).toBeGreaterThan(2);
  expect(looks).toBeLessThan(8);
});

it('tells reasons when they change, not when their text does, and says when they are over', async () => {
  const stalls = new StallWatcher();
  expect(await watch(stalls, 20)).toEqual([['a']]);
  answer = { reasons: [reason('a', 'in 5 s')], moves: false };
  expect(await watch(stalls, 20)).toEqual([]);
  expect(stalls.report.reasons[0]?.text).toBe('in 5 s');
  answer = { reasons: [reason('a'), reason('b')], moves: false };
  expect(await watch(stalls, 20)).toEqual([['a', 'b']]);
  answer = { reasons: [], moves: true };
  expect(await watch(stalls, 20)).toEqual([[]]);
});

it('forgets what it shows when something moves, and repeats it later, but not after every move', async () => {
  const stalls = new StallWatcher();
  await watch(stalls, 20);
  await watch(stalls, 1, true);
  expect(stalls.report.reasons).toEqual([]);
  expect(await watch(stalls, 20)).toEqual([]);
  expect(stalls.report.reasons).toHaveLength(1);
  await watch(stalls, 301, true);
  expect(await watch(stalls, 20)).toEqual([['a']]);
});

it('drops an answer that was asked for before the last move, and survives one that fails', async () => {
  const stalls = new StallWatcher();
  let settle: (standing: StallReport) => void = () => undefined;
  const late = (): Promise<StallReport> => new Promise((resolve) => (settle = resolve));
  await watch(stalls, 4);
  await vi.advanceTimersByTimeAsync(2000);
  stalls.after({ state: 'running' }, false, late);
  await watch(stalls, 1, true);
  settle(answer);
  expect(await watch(stalls, 1)).toEqual([]);
  expect(stalls.report.reasons).toEqual([]);
  await vi.advanceTimersByTimeAsync(20_000);
  stalls.after({ state: 'running' }, false, () => Promise.reject(new Error('gone')));
  expect(await watch(stalls, 20)).toEqual([['a']]);
});
