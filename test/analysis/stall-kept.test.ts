import { expect, it } from 'vitest';
import { diagnoseStall } from '../../src/analysis/stall/diagnose.js';
import { factsOf, QUEUED, workflow } from '../builders/stall-facts.js';

it('work for files that one host keeps waits for that host, by name, and not for a worker that nobody runs', () => {
  const queue = 'assay-host-gpu-1-0a1b2c3d-eval';
  const { reasons } = diagnoseStall(factsOf([workflow('t00007', [{ ...QUEUED, type: 'evaluate', queue }])]));
  expect(reasons).toMatchObject([
    {
      what: 'lease',
      id: `lease:${queue}`,
      text: 't00007 waits for host gpu-1, which keeps its files',
      remedy:
        'It comes by itself: from the host when work there ends, or from another when gpu-1 is silent for too long.',
    },
  ]);
});
