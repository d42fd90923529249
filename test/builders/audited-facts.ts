import type { CampaignFacts, Checked, StoreFacts } from '../../src/analysis/audit/facts.js';
import { elapsedFrom } from '../../src/domain/campaign/clock.js';
import { unmeasured } from '../../src/domain/trial/outcome.js';
import type { CampaignState } from '../../src/domain/statuses.js';
import type { Amounts } from '../../src/lineage/documents/budget.js';
import type { LedgerDocument } from '../../src/lineage/documents/ledger.js';
import type { ReplicateDocument } from '../../src/lineage/documents/replicate.js';
import type { TrialDocument } from '../../src/lineage/documents/trial.js';
import { replicateKey } from '../../src/lineage/trials/replicates.js';
import { frozenOf } from './frozen-campaign.js';

export const OWNER = 'test/run';
export const SNAPSHOT = 'a'.repeat(64);
export const AT = new Date(0);

export const readOf = <T>(...documents: T[]) => ({ documents, malformed: [] });

export function factsOf(store: Partial<StoreFacts> = {}, state: CampaignState = 'running'): CampaignFacts {
  const campaign = {
    _id: 'c',
    owner: OWNER,
    namespaceId: null,
    frozen: frozenOf('c', OWNER),
    secret: '',
    state,
    reason: null,
    control: 'running' as const,
    controlReason: null,
    active: {},
    createdAt: AT,
    endedAt: null,
    settledAt: null,
    pausedSince: null,
    stopped: false,
    exhausted: null,
    elapsed: elapsedFrom(AT),
    hostClasses: [],
    prompts: {},
    foreign: null,
  };
  return {
    store: {
      campaign,
      trials: readOf(),
      replicates: readOf(),
      decisions: readOf(),
      claims: readOf(),
      phases: readOf(),
      sessions: readOf(),
      turns: readOf(),
      replies: readOf(),
      answers: readOf(),
      statuses: new Map(),
      counter: { number: 0, counted: 0, returned: [] },
      money: { before: null, rows: readOf(), after: null, still: true },
      trees: [],
      blobs: [],
      malformedTrees: [],
      outOfReach: [],
      ...store,
    },
    server: 'not asked',
    host: 'not examined',
  };
}

export const abouts = ({ violations }: Checked): string[] => violations.map(({ about }) => about);

export function trialOf(number: number, more: Partial<TrialDocument> = {}): TrialDocument {
  return {
    _id: `${OWNER}/${number}`,
    owner: OWNER,
    campaign: 'c',
    number,
    submitKey: `${OWNER}/k${number}`,
    slot: number === 0 ? `${OWNER}/d/0` : `${OWNER}/c/${number}`,
    snapshot: SNAPSHOT,
    parent: null,
    parentSnapshot: null,
    diff: SNAPSHOT,
    changes: '',
    hypothesis: '',
    expectedDelta: null,
    domain: null,
    edit: null,
    similar: null,
    twinScope: null,
    role: 'opt',
    lane: 'opt-1',
    session: null,
    turn: null,
    twin: null,
    submittedAt: AT,
    stage: 'queued',
    faults: [],
    parked: null,
    pardoned: 0,
    stageAt: AT,
    replicates: [],
    preflight: null,
    projection: null,
    status: null,
    outcome: null,
    endedAt: null,
    ...more,
  };
}

export const ended = {
  status: 'crash',
  stage: 'ended',
  endedAt: AT,
  outcome: unmeasured('crash', ''),
} as const;

export function replicateOf(more: Partial<ReplicateDocument> = {}): ReplicateDocument {
  const identity = {
    owner: OWNER,
    snapshot: SNAPSHOT,
    purpose: 'search',
    index: 0,
    hostClass: 'h',
    shift: {},
  } as const;
  const replicate = {
    ...identity,
    seed: 1,
    trial: 1,
    fence: 1,
    holder: null,
    checkpoint: null,
    trained: null,
    evaluated: null,
    faults: [],
    ...more,
  };
  return { ...replicate, _id: replicateKey(replicate) };
}

export const result = (fence: number) => ({
  fence,
  failure: null,
  runs: [],
  artifact: null,
  metrics: {},
  margins: [],
  feedback: '',
  sharesTraining: null,
  saved: [],
  progress: [],
  at: AT,
});

export function rowOf(key: string, spent: Amounts, more: Partial<LedgerDocument> = {}): LedgerDocument {
  const row = {
    _id: key,
    owner: OWNER,
    what: 'train',
    role: 'opt',
    trial: 1,
    reserved: spent,
    spent,
    at: AT,
  };
  return { ...row, certainty: 'known', hold: null, saved: null, ...more };
}
