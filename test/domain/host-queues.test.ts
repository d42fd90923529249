import { expect, it } from 'vitest';
import { hostOfQueue, hostQueue } from '../../src/domain/host-queues.js';

it.each(['gpu1', 'gpu-1.rack-2', 'train'])('the queue of host %s says whose it is and for what', (host) => {
  const place = { host, folder: '0a1b2c3d' };
  expect(hostOfQueue(hostQueue('train', place))).toEqual({ host, kind: 'train' });
  expect(hostOfQueue(hostQueue('eval', place))).toEqual({ host, kind: 'eval' });
  expect(hostQueue('eval', { host, folder: '3d2c1b0a' })).not.toBe(hostQueue('eval', place));
});

it.each(['assay', 'assay-wait', 'assay-train-cpu', 'assay-eval-host-1', 'assay-host-gpu1'])(
  'the queue %s is no single host',
  (queue) => {
    expect(hostOfQueue(queue)).toBeNull();
  },
);
