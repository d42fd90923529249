import { expect, it } from 'vitest';
import { hostQueuesOf } from '../../src/cli/follow/server-facts.js';
import { DOING } from '../../src/domain/trial/doing.js';
import { diagnoseStall } from '../../src/analysis/stall/diagnose.js';
import type { StallFacts, StallReason } from '../../src/analysis/stall/types.js';
import { after, before, CAMPAIGN, factsOf, QUEUED, TRAINING, workflow } from '../builders/stall-facts.js';

const reasonOf = (facts: StallFacts): StallReason | undefined => diagnoseStall(facts).reasons[0];

it('a host holds slots that a larger training needs, which waits in a queue of its own', () => {
  const campaign = { ...CAMPAIGN, slots: 8 };
  const large = { ...QUEUED, queue: 'assay-train-cpu-x8' };
  const elsewhere = [{ campaign: 'day-2', what: 'train', host: 'host-a' }];
  const facts = factsOf([workflow('t00001', [large])], { campaign, elsewhere });
  expect(reasonOf(facts)).toMatchObject({
    what: 'lease',
    text: 't00001 waits for 8 slots of pool cpu, held by campaign day-2 on host-a',
  });
  expect(reasonOf({ ...facts, elsewhere: [] })).toMatchObject({
    what: 'no_worker',
    text: 't00001 waits for a worker on queue assay-train-cpu-x8, which no worker polls',
    remedy: '`assay worker trainer --pool cpu --slots 8` runs one.',
  });
});

it.each<[string, 'prepare' | 'evaluate']>([
  ['a check', 'prepare'],
  ['an evaluation', 'evaluate'],
])('a host holds accelerators that %s waits for', (_, type) => {
  const active = [
    { trial: 't00001', what: 'train', host: 'host-a' },
    { trial: 't00003', what: 'evaluate', host: 'host-a' },
  ];
  const campaign = { ...CAMPAIGN, pool: 'gpu', slots: 8, gpus: { prepare: 2, evaluate: 2 }, active };
  const waits = { ...TRAINING, type, queue: 'assay-train-gpu-x2', doing: DOING.waitsForLease };
  expect(reasonOf(factsOf([workflow('t00002', [waits])], { campaign }))).toMatchObject({
    what: 'lease',
    text: 't00002 waits for 2 slots of pool gpu on host-a:1, held by t00001 on host-a and 1 more',
  });
});

it('asks about the queues of all sizes that a campaign uses', () => {
  const gpus = { prepare: 1, evaluate: 3 };
  expect(hostQueuesOf({ pool: 'gpu', slots: 4, gpus })).toEqual([
    'assay-train-gpu-x4',
    'assay-train-gpu-x1',
    'assay-eval-gpu',
  ]);
  const none = { prepare: 0, evaluate: 0 };
  expect(hostQueuesOf({ pool: 'cpu', slots: null, gpus: none })).toEqual([
    'assay-train-cpu',
    'assay-eval-cpu',
  ]);
});

it('a host holds the slots of a training that came to it and was given back', () => {
  const failure = { type: 'NO_FREE_SLOTS', message: 'this host of pool cpu has too few free slots now' };
  const back = { ...QUEUED, attempt: 2, failure, nextAttemptAt: after(1), failedAt: before(0) };
  expect(reasonOf(factsOf([workflow('t00001', [TRAINING]), workflow('t00002', [back])]))).toMatchObject({
    what: 'lease',
    text: 't00002 waits for a slot of pool cpu, held by t00001 on host-a:1',
  });
});
