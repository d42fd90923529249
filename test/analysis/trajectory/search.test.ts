import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceleratorTime } from '../../../src/analysis/trajectory/accelerator-time.js';
import { allocation } from '../../../src/analysis/trajectory/allocation.js';
import { bestSoFar, improvement } from '../../../src/analysis/trajectory/best-so-far.js';
import { domainAudit } from '../../../src/analysis/trajectory/domain-audit.js';
import { causes, outcomes } from '../../../src/analysis/trajectory/outcomes.js';
import { parentEdges } from '../../../src/analysis/trajectory/parent-edges.js';
import { efficiency, throughput, throughputWindows } from '../../../src/analysis/trajectory/throughput.js';
import { toolsUsed } from '../../../src/analysis/trajectory/tools-used.js';
import { ENDINGS } from '../../../src/analysis/trajectory/trajectory.js';
import { trialTime } from '../../../src/analysis/trajectory/trial-time.js';
import { gainCosts } from '../../../src/analysis/trajectory/unit-costs.js';
import { trajectoryOf, trajectoryTrial } from '../../builders/trajectory.js';

const HOUR = 3_600_000;

describe('best so far', () => {
  it('counts valid trials only, adopted or not', () => {
    const search = trajectoryOf([
      { score: 0.9, ending: 'keep' },
      { score: 0.5, ending: 'size_blocked' },
      { score: 0.8, ending: 'discard' },
      { score: 0.85, ending: 'keep' },
      { ending: 'crash' },
    ]);
    expect(bestSoFar(search).map(({ number, score }) => [number, score])).toEqual([
      [0, 1],
      [1, 0.9],
      [3, 0.8],
    ]);
  });

  it('the improvement is that of the best adopted trial, in the direction of the metric', () => {
    const metric = { name: 'accuracy', unit: '', direction: 'maximize' } as const;
    const trials = [
      { score: 1.5, ending: 'keep' },
      { score: 2, ending: 'discard' },
    ] as const;
    expect(improvement(trajectoryOf(trials, { metric }))).toEqual({
      start: 1,
      best: { id: '001', score: 1.5 },
      gain: 0.5,
      relative: 0.5,
    });
    expect(improvement(trajectoryOf([]))).toBeNull();
  });

  it('never gets worse, whatever the scores', () => {
    const trial = fc.record({ score: fc.double({ noNaN: true }), ending: fc.constantFrom(...ENDINGS) });
    fc.assert(
      fc.property(fc.array(trial), (trials) => {
        const scores = bestSoFar(trajectoryOf(trials)).map(({ score }) => score);
        expect(scores).toEqual(scores.toSorted((a, b) => b - a));
        expect(new Set(scores).size).toBe(scores.length);
      }),
    );
  });
});

describe('outcomes', () => {
  const trials = [
    trajectoryTrial(1, { ending: 'keep', score: 1 }),
    trajectoryTrial(2, { ending: 'discard', score: 1, role: 'arch' }),
    trajectoryTrial(3, { ending: 'size_blocked', role: 'arch' }),
    trajectoryTrial(4, {
      ending: 'crash',
      stage: 'train',
      cause: 'step 17: ValueError: bad (a.py:3 in main)',
    }),
    trajectoryTrial(5, { ending: 'crash', stage: 'train', cause: 'ValueError: worse (a.py:99 in main)' }),
    trajectoryTrial(6, { ending: 'crash', stage: 'smoke', cause: 'killed after 31.5 s' }),
    trajectoryTrial(7, { ending: 'crash', stage: 'smoke', cause: 'killed after 7 s' }),
  ];

  it('are counted by ending, role and stage', () => {
    expect(outcomes(trials)).toEqual({
      trials: 7,
      keeps: 1,
      validNonImprovements: 1,
      counts: { keep: 1, discard: 1, size_blocked: 1, crash: 4 },
      byRole: [
        { role: 'opt', trials: 5, counts: { keep: 1, crash: 4 } },
        { role: 'arch', trials: 2, counts: { discard: 1, size_blocked: 1 } },
      ],
      byStage: [
        { stage: 'train', trials: 2 },
        { stage: 'smoke', trials: 2 },
        { stage: 'pack', trials: 1 },
      ],
    });
  });

  it('failures that read alike are one cause, with an example', () => {
    expect(
      causes(trials).map(({ ending, cause, trials: some, example }) => [ending, cause, some, example.id]),
    ).toEqual([
      ['crash', 'ValueError in main', 2, '004'],
      ['crash', 'killed after # s', 2, '006'],
      ['size_blocked', '', 1, '003'],
    ]);
  });
});

describe('throughput', () => {
  const ended = (hours: readonly number[]) =>
    hours.map((hour, at) => trajectoryTrial(at + 1, { endedAt: hour * HOUR }));

  it('is the number of trials over the time from the first end to the last', () => {
    expect(throughput(ended([0, 1, 2, 4]))).toEqual({ trials: 4, hours: 4, rate: 1 });
    expect(throughput(ended([0, 1, 2, 4]), 3)).toEqual({ trials: 3, hours: 2, rate: 1.5 });
    expect(throughput(ended([3]))).toBeNull();
    expect(throughput(ended([3, 3]))).toBeNull();
  });

  it('of windows, the last smaller', () => {
    expect(throughputWindows(ended([0, 1, 2, 3, 7]), 2)).toEqual([
      { trials: 2, hours: 1, rate: 2, from: 1, to: 2 },
      { trials: 2, hours: 1, rate: 2, from: 3, to: 4 },
    ]);
  });

  it('efficiency is the share of the ideal speed-up', () => {
    expect(efficiency(18.15, 2.26, 10)).toBeCloseTo(0.8031, 4);
  });
});

it('the time of a trial is divided into its parts, where they are told', () => {
  const times = { queueMs: 10, trainMs: 60, evaluateMs: 20, totalMs: 100 };
  const trials = [
    trajectoryTrial(1, { times }),
    trajectoryTrial(2, { times: { ...times, trainMs: 80, totalMs: 100 } }),
    trajectoryTrial(3, { times: { ...times, queueMs: null, trainMs: null, totalMs: null } }),
  ];
  expect(trialTime(trials)).toEqual([
    { part: 'queue', trials: 2, totalMs: 20, medianMs: 10 },
    { part: 'training', trials: 2, totalMs: 140, medianMs: 70 },
    { part: 'evaluation', trials: 3, totalMs: 60, medianMs: 20 },
    { part: 'everything else', trials: 2, totalMs: 10, medianMs: 5 },
  ]);
  expect(trialTime([trajectoryTrial(1)])).toEqual([]);
});

it('accelerator time is added up by ending; what failed is lost', () => {
  const spent = (acceleratorMs: number | null) => ({ microUsd: null, acceleratorMs, savedMs: 5 });
  const trials = [
    trajectoryTrial(1, { ending: 'keep', costs: spent(10) }),
    trajectoryTrial(2, { ending: 'size_blocked', costs: spent(30) }),
    trajectoryTrial(3, { ending: 'crash', costs: spent(null) }),
  ];
  expect(acceleratorTime(trials)).toEqual({
    totalMs: 40,
    lostMs: 30,
    savedMs: 15,
    trials: 2,
    byEnding: [
      { ending: 'size_blocked', trials: 1, ms: 30 },
      { ending: 'keep', trials: 1, ms: 10 },
    ],
  });
  expect(acceleratorTime([trajectoryTrial(1)])).toBeNull();
});

describe('parent edges', () => {
  const trials = [
    trajectoryTrial(1, { role: 'opt', parent: 0, ending: 'keep' }),
    trajectoryTrial(2, { role: 'arch', parent: 1, ending: 'keep' }),
    trajectoryTrial(3, { role: 'arch', parent: 2 }),
    trajectoryTrial(4, { role: 'opt', parent: 3 }),
    trajectoryTrial(5, { role: 'opt', parent: null }),
  ];

  it('are counted within and across roles, those to the start left out', () => {
    const { all, keeps, pairs } = parentEdges(trials);
    expect(all).toEqual({ edges: 3, across: 2 });
    expect(keeps).toEqual({ trials: 2, edges: 1, across: 1 });
    expect(pairs).toContainEqual({ from: 'arch', to: 'arch', edges: 1 });
  });

  it('of a window are those to proposals within it', () => {
    expect(parentEdges(trials, 2).all).toEqual({ edges: 1, across: 1 });
    expect(parentEdges(trials.slice(2)).all).toEqual({ edges: 1, across: 1 });
  });
});

it('the audit of a domain counts roles and domains, once each', () => {
  const trials = [
    trajectoryTrial(1, { role: 'arch', domain: 'arch' }),
    trajectoryTrial(2, { role: 'opt', domain: 'arch', ending: 'crash' }),
    trajectoryTrial(3, { role: 'opt', domain: 'opt' }),
  ];
  expect(domainAudit(trials)).toMatchObject({ trials: 3, submissions: 2, counts: { discard: 1, crash: 1 } });
  expect(domainAudit(trials, new Set(['opt'])).submissions).toBe(2);
});

it('the allocation tells shares and how spread they are', () => {
  const roles = (names: readonly string[]) => names.map((role, at) => trajectoryTrial(at + 1, { role }));
  const even = allocation(roles(['a', 'b', 'a', 'b']));
  expect(even.effectiveRoles).toBeCloseTo(2);
  expect(even.balance).toBeCloseTo(1);
  expect(allocation(roles(['a', 'a', 'a', 'b'])).balance).toBeCloseTo(0.8113, 4);
  expect(allocation(roles(['a'])).balance).toBe(1);
});

describe('the price of a gain', () => {
  const costs = { microUsd: 100, acceleratorMs: 1000, savedMs: null };
  const trials = [
    { role: 'opt', ending: 'keep', score: 0.9, believedGain: 0.05, costs, model: 'm' },
    { role: 'opt', ending: 'discard', score: 1.2, costs },
    { role: 'arch', ending: 'keep', score: 0.7, costs },
  ] as const;

  it('is of what the decisions believed where they did', () => {
    const { basis, byRole, byModel } = gainCosts(trajectoryOf(trials));
    expect(basis).toBe('believed');
    expect(byRole.map(({ of, gain, microUsd }) => [of, gain, microUsd])).toEqual([
      ['opt', 0.05, 200],
      ['arch', 0, 100],
    ]);
    expect(byRole.map(({ microUsdPerGain }) => microUsdPerGain)).toEqual([200 / 0.05, null]);
    expect(byModel.map(({ of, trials: some }) => [of, some])).toEqual([['m', 1]]);
  });

  it('is of the measured steps otherwise', () => {
    const { basis, byRole } = gainCosts(
      trajectoryOf(trials.map((trial) => ({ ...trial, believedGain: null }))),
    );
    expect(basis).toBe('measured');
    expect(byRole.map(({ of, gain }) => [of, Number(gain.toFixed(6))])).toEqual([
      ['arch', 0.2],
      ['opt', 0.1],
    ]);
  });
});

it('tools are listed by use', () => {
  const calls = [
    { role: 'opt', tool: 'view', calls: 3, errors: 1 },
    { role: 'arch', tool: 'view', calls: 4, errors: 0 },
    { role: 'opt', tool: 'submit', calls: 1, errors: 0 },
  ];
  expect(toolsUsed(calls)).toEqual([
    {
      ...{ tool: 'view', calls: 7, errors: 1, share: 7 / 8 },
      byRole: [
        { role: 'arch', calls: 4 },
        { role: 'opt', calls: 3 },
      ],
    },
    { tool: 'submit', calls: 1, errors: 0, share: 1 / 8, byRole: [{ role: 'opt', calls: 1 }] },
  ]);
});
