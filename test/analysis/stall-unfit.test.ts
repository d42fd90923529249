import { describe, expect, it } from 'vitest';
import { diagnoseStall } from '../../src/analysis/stall/diagnose.js';
import { after, before, factsOf, QUEUED, workflow } from '../builders/stall-facts.js';

describe('what waits', () => {
  it.each([
    [
      'ISOLATION_TOO_WEAK',
      'isolation',
      'the campaign demands isolation tier C or stronger, and rex holds tier E',
    ],
    [
      'HOST_CLASS_DIFFERS',
      'host-class',
      'rex is of host class a, and the campaign belongs to b, which calibrated it (memory 16 GiB, not 64 GiB)',
    ],
    [
      'ACCELERATORS_DIFFER',
      'accelerators',
      'rex leaves the work: its accelerators are NVIDIA L4, and task "t" asks for H100 (resources.gpu_kind)',
    ],
  ])('is a host that leaves work to others, with what it lacks: %s', (type, kind, message) => {
    const failure = { type, message };
    const train = { ...QUEUED, attempt: 3, failure, failedAt: before(3), nextAttemptAt: after(2) };
    expect(diagnoseStall(factsOf([workflow('t00007', [train])])).reasons).toMatchObject([
      {
        what: 'no_worker',
        id: `no_worker:${kind}:${type}: ${message}`,
        text: `t00007 waits for a worker that may run it: ${type}: ${message}`,
      },
    ]);
  });
});
