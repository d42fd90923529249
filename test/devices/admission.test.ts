import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, type HostView, type Waiting } from '../../src/devices/admission.js';
import { tries } from '../fuzz/runs.js';
import { drawnRequests, simulatePool } from './simulated-pool.js';

const SIZES = [1, 2, 4, 8];
/** A host of eight slots whose longest lease took 10 s, with requests by size: how many, and for how long. */
function host(free: number, waiting: Record<number, [count: number, oldestS: number]>, more = {}): HostView {
  const sizes = SIZES.map((size): Waiting => {
    const [count, oldestS] = waiting[size] ?? [0, 0];
    return { size, needs: size, count, oldestS };
  });
  return { fit: 8, free, sizes, longestS: 10, draining: null, drainingElsewhere: [], ...more };
}
const young = 1;

describe('a host asks for', () => {
  it.each<[string, HostView, number[], number | null]>([
    ['whatever fits when nothing waits', host(8, {}), [8, 4, 2, 1], null],
    ['what fits when it is partly taken', host(5, {}), [4, 2, 1], null],
    ['nothing when it is full', host(0, { 1: [9, young] }), [], null],
    ['the largest that waits', host(8, { 8: [1, young], 1: [9, young] }), [8], null],
    [
      'what fits beside each other',
      host(8, { 4: [1, young], 2: [1, young], 1: [9, young] }),
      [4, 2, 1],
      null,
    ],
    ['no small one where large ones fill it', host(8, { 4: [2, young], 1: [9, young] }), [4], null],
    ['what may come into the rest', host(8, { 4: [1, young] }), [4, 2, 1], null],
    ['small ones while a large one is young', host(4, { 8: [1, 7], 1: [1, young] }), [1, 2], null],
    ['nothing else once a large one has waited', host(4, { 8: [1, 11], 1: [1, young] }), [], 8],
    ['the largest of two that have waited', host(1, { 8: [1, 13], 2: [1, 14] }), [], 8],
    ['a size that it drained for', host(8, { 8: [2, 9], 1: [1, young] }, { draining: 8 }), [8], 8],
    [
      'what it can serve while a device is put away',
      host(7, { 8: [1, 99], 1: [1, young] }, { fit: 7 }),
      [1, 2, 4],
      null,
    ],
    [
      'nothing more for a size that it cannot serve now',
      host(3, { 8: [1, 99] }, { fit: 7, draining: 8 }),
      [1, 2],
      null,
    ],
    ['nothing while no device is fit', host(0, { 1: [1, 99] }, { fit: 0 }), [], null],
    ['everything when that size is gone', host(3, { 1: [1, young] }, { draining: 8 }), [1, 2], null],
    ['a small one that has waited first', host(8, { 8: [1, young], 1: [1, 20] }), [1], null],
    ['an overdue one before its drain', host(1, { 8: [1, 12], 1: [1, 60] }, { draining: 8 }), [1], null],
    ['its drain before a younger overdue one', host(1, { 8: [1, 70], 1: [1, 60] }, { draining: 8 }), [], 8],
  ])('%s', (_, view, poll, draining) => {
    expect(admit(view)).toEqual({ poll: expect.arrayContaining(poll) as number[], draining });
    expect(admit(view).poll).toHaveLength(poll.length);
  });

  it('takes leases for a minute long before one has ended', () => {
    const [before, after] = [59, 63].map((s) => host(4, { 8: [1, s] }, { longestS: null }));
    expect([before, after].map((view) => view && admit(view).draining)).toEqual([null, 8]);
  });

  it.each<[string, [number, number], number[], number | null]>([
    ['where another host drains', [1, 21], [8], null],
    ['where the oldest waits too long for it', [1, 22], [8], 8],
    ['where more wait than one host serves soon', [5, 11], [8], 8],
    ['where the others drain for another size', [1, 12], [4], 8],
    ['where two drain already', [1, 43], [8, 8], null],
  ])('drains for a size %s', (_, waiting, drainingElsewhere, draining) => {
    expect(admit(host(4, { 8: waiting }, { drainingElsewhere })).draining).toBe(draining);
  });
});

const MIX: readonly [number, number][] = [
  [1, 0.4],
  [2, 0.25],
  [4, 0.2],
  [8, 0.15],
];

it.each([1, 2, 3, 4, 5, 6])(
  'two hosts of eight stay busy with 500 requests of three campaigns, and none of eight waits long (seed %d)',
  (seed) => {
    const requests = drawnRequests(seed, 500, MIX);
    const { waits, longestRun, busyShare } = simulatePool({
      hosts: 2,
      capacity: 8,
      lanes: [4, 4, 4],
      requests,
    });
    expect((waits.get(8) ?? Infinity) / longestRun).toBeLessThanOrEqual(3);
    expect(busyShare).toBeGreaterThanOrEqual(0.94);
  },
);

it.each([
  [8, 1],
  [1, 8],
  [4, 8],
])('serves one request of %d through a stream of %ds that never ends', (one, others) => {
  const stream = Array.from({ length: 300 }, () => ({ size: others, runs: 10 }));
  const requests = [...stream.slice(0, 20), { size: one, runs: 10 }, ...stream.slice(20)];
  const { waits, seconds } = simulatePool({ hosts: 1, capacity: 8, lanes: [20], requests });
  expect(seconds).toBeGreaterThan(300);
  // the twenty before it may come first
  expect(waits.get(one)).toBeLessThan(20 * 10 + 70);
});

it.each([1, 2, 3])(
  'keeps no slots of a host with an unfit device for requests of eight (seed %d)',
  (seed) => {
    const requests = drawnRequests(seed, 200, [
      [1, 0.5],
      [8, 0.5],
    ]);
    const lanes = [4, 4, 4];
    const { waits, longestRun, servedBy } = simulatePool({
      hosts: 2,
      capacity: 8,
      unfit: 1,
      lanes,
      requests,
    });
    expect((waits.get(8) ?? Infinity) / longestRun).toBeLessThanOrEqual(10);
    expect(servedBy.every((count) => count > 20)).toBe(true);
  },
);

it('starves no request, whatever the sizes, hosts and load are', () => {
  const size = fc.constantFrom(...SIZES);
  const requests = fc.array(fc.record({ size, runs: fc.integer({ min: 1, max: 40 }) }), {
    minLength: 1,
    maxLength: 200,
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 12 }),
      requests,
      (hosts, open, all) => {
        const { waits, longestRun } = simulatePool({ hosts, capacity: 8, lanes: [open], requests: all });
        // each that is ahead can keep it waiting for a run and a drain at most
        const bound = 70 + 2 * (longestRun + 2) * (open + 3);
        for (const waited of waits.values()) expect(waited).toBeLessThanOrEqual(bound);
      },
    ),
    tries(100, 2000),
  );
});
