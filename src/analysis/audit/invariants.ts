import { checkDecisions } from './decisions.js';
import { checkDigests } from './digests.js';
import type { CampaignFacts, Checked } from './facts.js';
import { checkFences } from './fences.js';
import { checkLeases } from './leases.js';
import { checkLedger } from './ledger.js';
import { checkMeasurements } from './measurements.js';
import { checkOutcomes } from './outcomes.js';
import { checkReplies } from './replies.js';

/** One of the things that hold of every campaign at any time. */
export interface Invariant {
  number: number;
  /** The invariant in one sentence. */
  says: string;
  check: (facts: CampaignFacts) => Checked;
}

/** All of them, in their order. The checks are pure: facts in, findings out. */
export const INVARIANTS: readonly Invariant[] = [
  {
    number: 1,
    says: 'every accepted trial reaches exactly one terminal status, and none is without a workflow or an outcome',
    check: checkOutcomes,
  },
  {
    number: 2,
    says: 'a snapshot is measured once under a seed on a class of hosts, and numbers run without a gap',
    check: checkMeasurements,
  },
  {
    number: 3,
    says: 'every reply that was used is stored, and a request whose reply was lost counts in full',
    check: checkReplies,
  },
  { number: 4, says: 'no published result carries an old fence', check: checkFences },
  {
    number: 5,
    says: 'no process, accelerator memory or folder outlives its lease',
    check: checkLeases,
  },
  {
    number: 6,
    says: 'spending equals the sum of the ledger, and nothing is reserved at the end',
    check: checkLedger,
  },
  {
    number: 7,
    says: 'each decision recomputes identically from its stored inputs, which exist',
    check: checkDecisions,
  },
  {
    number: 8,
    says: 'each snapshot, artifact, evaluator and frozen file matches its digest',
    check: checkDigests,
  },
];
