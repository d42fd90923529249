import { describe, expect, it } from 'vitest';
import {
  demandedTier,
  deviceIssues,
  evaluationGpus,
  gpusOf,
  leaseSize,
  preflightGpus,
} from '../../../src/domain/task/device-needs.js';

type Needing = Parameters<typeof gpusOf>[0];

const TASK: Needing = {
  resources: { pool: 'gpu', gpus: 4 },
  scoring: 'direct',
  phases: {},
  evaluate: { gpus: 0 },
};

describe('accelerators of a phase', () => {
  it.each<[string, Partial<Needing>, ReturnType<typeof phasesOf>]>([
    ['by default', {}, [0, 0, 4, 4, 4, 0]],
    ['without any', { resources: { pool: 'cpu', gpus: 0 } }, [0, 0, 0, 0, 0, 0]],
    [
      'as each says',
      { phases: { smoke: { gpus: 1 }, pack: { gpus: 0 }, serve: { gpus: 2 } }, evaluate: { gpus: 1 } },
      [0, 1, 4, 0, 2, 1],
    ],
  ])('%s', (_, more, expected) => {
    expect(phasesOf({ ...TASK, ...more })).toEqual(expected);
  });
});

const phasesOf = (task: Needing): number[] =>
  (['check', 'smoke', 'train', 'pack', 'serve', 'evaluate'] as const).map((phase) => gpusOf(task, phase));

it.each<[string, Partial<Needing>, number, number]>([
  ['directly scored: none but to train', {}, 0, 0],
  ['served: those of its server', { scoring: 'served' }, 4, 0],
  ['an evaluator of its own', { evaluate: { gpus: 2 } }, 2, 0],
  ['a smoke run, and what follows it', { phases: { smoke: { gpus: 1 }, pack: {} } }, 0, 4],
  ['a smoke run alone', { phases: { smoke: { gpus: 1 } } }, 0, 1],
  ['a smoke run without any', { phases: { smoke: { gpus: 0 }, pack: {} }, scoring: 'served' }, 4, 0],
])('%s', (_, more, evaluation, preflight) => {
  expect([evaluationGpus({ ...TASK, ...more }), preflightGpus({ ...TASK, ...more })]).toEqual([
    evaluation,
    preflight,
  ]);
});

it('a lease has as many slots as accelerators, where there are any', () => {
  expect([leaseSize({ slots: 3, gpus: 0 }), leaseSize({ slots: 1, gpus: 8 })]).toEqual([3, 8]);
});

it.each([
  [0, undefined, null],
  [0, 'B', 'B'],
  [1, undefined, 'C'],
  [1, 'E', 'E'],
] as const)('with %i accelerators and %s asked for, the weakest tier is %s', (gpus, asked, tier) => {
  expect(demandedTier({ resources: { pool: 'gpu', gpus } }, asked)).toBe(tier);
});

it.each<[string, Partial<Needing>, string[]]>([
  ['nothing', {}, []],
  ['accelerators in the pool cpu', { resources: { pool: 'cpu', gpus: 1 } }, ['resources.pool']],
  [
    'more than a lease has',
    { phases: { smoke: { gpus: 5 }, pack: { gpus: 4 }, serve: { gpus: 8 } }, evaluate: { gpus: 9 } },
    ['phases.smoke.gpus', 'phases.serve.gpus', 'evaluate.gpus'],
  ],
])('finds %s wrong', (_, more, places) => {
  expect(deviceIssues({ ...TASK, ...more }).map(({ path }) => path.join('.'))).toEqual(places);
});
