import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  measuredTimes,
  timeRatio,
  trainingRuns,
  trainSeconds,
} from '../../../src/domain/trial/paired-times.js';
import { pairWith, unpaired } from '../../../src/measure/phases/pairs.js';
import { givesUp, loadDifference, type MeasuredLoad } from '../../../src/domain/trial/pair-load.js';
import { processesOf, startGoesFirst } from '../../../src/domain/trial/processes.js';
import { orderBytes, secretOrder } from '../../../src/domain/trial/secret-order.js';

const replicate = (processes: number) =>
  ({ replicate: { processes, aggregate: 'mean', deterministic: false } }) as const;

it('trains one process under the seed of its measurement, and several under seeds of their own', () => {
  const of = { secret: 'secret', seed: 7 };
  expect(processesOf(replicate(1), of)).toEqual([{ process: 0, seed: 7 }]);
  const ten = processesOf(replicate(10), of);
  expect(new Set([7, ...ten.map(({ seed }) => seed)]).size).toBe(11);
  expect(processesOf(replicate(10), of)).toEqual(ten);
  expect(processesOf(replicate(2), { ...of, secret: 'other' })[0]).not.toEqual(ten[0]);
});

describe('a secret order', () => {
  it('has every row once, and is the same for equal secrets and seeds alone', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.integer({ min: 1, max: 500 }), (secret, seed, rows) => {
        const order = secretOrder(secret, seed, rows);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, row) => row));
        expect(secretOrder(secret, seed, rows)).toEqual(order);
      }),
    );
    expect(secretOrder('a', 1, 100)).not.toEqual(secretOrder('b', 1, 100));
    expect(secretOrder('a', 1, 100)).not.toEqual(secretOrder('a', 2, 100));
  });

  it('puts each row in each place equally often', () => {
    const places = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    for (let seed = 0; seed < 4000; seed += 1)
      secretOrder('fixed', seed, 4).forEach((row, at) => {
        const counts = places[at];
        if (counts !== undefined) counts[row] = (counts[row] ?? 0) + 1;
      });
    // 1000 ± 27 by chance; the secret is fixed, so this is the same in every run
    for (const count of places.flat()) expect(Math.abs(count - 1000)).toBeLessThan(140);
  });

  it('is written with the lowest byte of each row first', () => {
    expect([...orderBytes(Uint32Array.of(1, 258))]).toEqual([1, 0, 0, 0, 2, 1, 0, 0]);
  });
});

it('lets start and candidate begin by turns, ABBA or BAAB by lot', () => {
  const blocks = Array.from({ length: 400 }, (_, block) => startGoesFirst('secret', 'x', block));
  for (let block = 0; block < blocks.length; block += 2) expect(blocks[block]).not.toBe(blocks[block + 1]);
  const firsts = blocks.filter((first, block) => block % 2 === 0 && first).length;
  expect(firsts).toBeGreaterThan(50);
  expect(firsts).toBeLessThan(150);
});

describe('times of several processes', () => {
  const pairs = [
    { wallMs: 1000, startMs: 2000 },
    { wallMs: 3000, startMs: 1500 },
    { wallMs: 1000, startMs: 1000 },
  ];

  it('are compared pair by pair, by the mean of logarithms', () => {
    const ratio = timeRatio(pairs);
    expect(ratio?.value).toBeCloseTo(1, 12);
    // logarithms -log 2, log 2 and 0, with standard deviation log 2
    expect(ratio?.error).toBeCloseTo(Math.LN2 / Math.sqrt(3), 12);
    expect(timeRatio([...pairs, { wallMs: 1, startMs: null }])).toBeNull();
    expect(timeRatio([{ wallMs: 300, startMs: 200 }])).toEqual({ value: 1.5, error: null });
  });

  it('are aggregated as the task says, with the error of the mean', () => {
    expect(trainSeconds({ aggregate: 'mean' }, pairs).value).toBeCloseTo(5 / 3, 12);
    expect(trainSeconds({ aggregate: 'median' }, pairs).value).toBe(1);
    const { metrics, errors } = measuredTimes({ aggregate: 'mean' }, pairs);
    expect(Object.keys(metrics)).toEqual(['train_s', 'train_ratio']);
    expect(errors['train_s']).toBeCloseTo(2 / 3, 12);
    expect(errors['train_ratio']).toBeCloseTo(Math.LN2 / Math.sqrt(3), 12);
    expect(measuredTimes({ aggregate: 'mean' }, [{ wallMs: 5, startMs: null }])).toEqual({
      metrics: { train_s: 0.005 },
      errors: {},
    });
  });

  it('tell the longest time for which a process had what was revealed', () => {
    const times = [400, 2500, null].map((revealMs) => ({ wallMs: 5000, startMs: null, revealMs }));
    expect(measuredTimes({ aggregate: 'mean' }, times).metrics).toEqual({ train_s: 5, reveal_s: 2.5 });
  });

  it('are those of the last run of each', () => {
    const run = (process: number | null, wallMs: number, repeated = false) => ({
      ...{ phase: 'train', process, wallMs, repeated },
    });
    const runs = [run(0, 1, true), run(0, 2), run(1, 3), { ...run(null, 4), phase: 'pack' }];
    expect(trainingRuns(runs).map(({ wallMs }) => wallMs)).toEqual([2, 3]);
  });
});

it.each([
  [2, 5, false, false],
  [3, 3, false, true],
  [1, 6, false, true],
  [9, 9, true, false],
])('a trial of %i void pairs in a run and %i in all, the start: %s, is given up: %s', (...of) => {
  const [inRun, inAll, isStart, ends] = of;
  expect(givesUp({ inRun, inAll }, isStart)).toBe(ends);
});

describe('a pair in which the candidate alone was slower', () => {
  const slowed = () => ({ hostSpeed: 0.5, startMs: null, pair: unpaired({ host: { name: 'h' } }, 0) });
  const start = { wallMs: 100, hostSpeed: 1, others: 0 };
  it('is void in the search, and for the start', () => {
    for (const [purpose, isStart] of [
      ['search', false],
      ['claim', true],
    ] as const)
      expect(() => pairWith(slowed(), start, { purpose, isStart })).toThrow(/cannot be compared/);
  });
  it('counts in a claim, where nothing may be drawn again', () => {
    const run = slowed();
    expect(pairWith(run, start, { purpose: 'claim', isStart: false })).toBe(100);
    // the start's slowness, and other work, do not come from it
    const of = { purpose: 'claim', isStart: false } as const;
    expect(() => pairWith({ ...slowed(), hostSpeed: 1 }, { ...start, hostSpeed: 0.5 }, of)).toThrow(/start/);
    expect(() => pairWith(slowed(), { ...start, others: 1 }, of)).toThrow(/other work/);
  });
});

describe('a pair', () => {
  const load = (hostSpeed: number | null, others: number | null = 0): MeasuredLoad => ({ hostSpeed, others });
  it.each([
    ['the same load', load(1), load(0.95), null, false],
    ['an unknown speed', load(null), load(0.2), null, false],
    [
      'a slower host for the candidate',
      load(1),
      load(0.8),
      /1\.00 of its full speed for the start, and at 0\.80/,
      true,
    ],
    ['a slower host for the start', load(0.5), load(0.6), /0\.50 .* 0\.60/, false],
    [
      'a slower host for the candidate with work beside it',
      load(1, 0),
      load(0.5, 1),
      /beside the start/,
      false,
    ],
    [
      'other work beside one',
      load(1, 0),
      load(1, 0.5),
      /0 in the mean beside the start, 0\.5 beside the candidate/,
      false,
    ],
    ['the same work beside both', load(1, 2), load(1, 2.05), null, false],
    ['work that was not looked for', load(1, null), load(1, 1), null, false],
  ])('under %s', (_, start, candidate, why, mayBeItsOwn) => {
    const found = loadDifference(start, candidate);
    if (why === null) expect(found).toBeNull();
    else expect(found).toEqual({ why: expect.stringMatching(why) as string, mayBeItsOwn });
  });
});
