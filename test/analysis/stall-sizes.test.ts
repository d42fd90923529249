import { expect, it } from 'vitest';
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

it('a host holds the slots of a training that came to it and was given back', () => {
  const failure = { type: 'NO_FREE_SLOTS', message: 'this host of pool cpu has too few free slots now' };
  const back = { ...QUEUED, attempt: 2, failure, nextAttemptAt: after(1), failedAt: before(0) };
  expect(reasonOf(factsOf([workflow('t00001', [TRAINING]), workflow('t00002', [back])]))).toMatchObject({
    what: 'lease',
    text: 't00002 waits for a slot of pool cpu, held by t00001 on host-a:1',
  });
});
