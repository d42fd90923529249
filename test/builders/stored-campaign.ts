import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { unifiedDiff } from '../../src/domain/text/diff.js';
import { unmeasured, type Outcome } from '../../src/domain/trial/outcome.js';
import { taskSchema } from '../../src/domain/task/task.js';
import { NOTHING } from '../../src/lineage/budgets/budgets.js';
import type { PhaseRun } from '../../src/lineage/documents/phase-run.js';
import type { TrialDocument } from '../../src/lineage/documents/trial.js';
import { candidate } from './candidate.js';
import { frozenOf } from './frozen-campaign.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { replicateKey } from '../../src/lineage/trials/replicates.js';
import type { Proposal } from '../../src/lineage/trials/trials.js';
import { rowOf } from '../../src/lineage/trials/view.js';

const SPEC = taskSchema.parse({
  schema: 'assay.task/1',
  name: 'tiny',
  title: 'A task for readers',
  metric: { name: 'loss', unit: 'nats', direction: 'minimize' },
  recipe: { editable: ['train.py'] },
  resources: {},
  phases: { train: { run: 'true', timeout_s: 5, output: 'out/' } },
  scoring: 'direct',
  evaluate: { run: 'true', timeout_s: 5 },
  specialists: ['opt', 'arch'],
});

const SEED_FILES = [
  { path: 'task.yaml', bytes: Buffer.from('tiny') },
  { path: 'knowledge/serving.md', bytes: Buffer.from('one\ntwo\nthree\n') },
];

/** A campaign in the store, written by the same writers that the activities use. */
export interface Seeded {
  lineage: Lineage;
  database: string;
  name: string;
  owner: string;
  submit: (hypothesis: string, role?: string, session?: string) => Promise<TrialDocument>;
  /** Ends a trial as measured with this score, and more metrics; the decision rule says how. */
  measure: (trial: TrialDocument, score: number, more?: Outcome['metrics']) => Promise<void>;
  fail: (trial: TrialDocument, outcome: Outcome) => Promise<void>;
  /** Begins a replicate, loses one attempt with its worker, and leaves the second at work. */
  begin: (trial: TrialDocument) => Promise<string>;
}

export async function seedCampaign(
  name = `c-${randomUUID().slice(0, 8)}`,
  database = `reading_${process.pid}`,
  more: Record<string, unknown> = {},
): Promise<Seeded> {
  const lineage = await openLineage({ url: inject('storeUrl'), database });
  const owner = `test/${randomUUID()}`;
  const task = await lineage.tasks.push(SPEC, SEED_FILES, 'person');
  const settings = {
    task: { name: 'tiny', digest: task._id, title: SPEC.title },
    lanes: LANES,
    limits: LIMITS,
  };
  const { frozen } = await lineage.campaigns.freeze(
    frozenOf(name, owner, { ...settings, turns: 5, maxTokens: 100, ...more }),
  );
  await lineage.budgets.create(owner, frozen.limits);
  const seeded: Omit<Seeded, 'submit'> = {
    lineage,
    database,
    name,
    owner,
    measure: (trial, score, more) => measure(lineage, trial, score, more),
    fail: (trial, outcome) => record(lineage, owner, trial.number, outcome),
    begin: (trial) => begin(lineage, trial),
  };
  const start = await lineage.trials.insertStart(
    await proposalOf(lineage, owner, name, 'the start recipe', null, 'start'),
  );
  await seeded.measure(start, 2);
  await lineage.campaigns.setState(owner, 'running', null);
  return {
    ...seeded,
    submit: async (hypothesis, role = 'opt', session) => {
      const made = await proposalOf(lineage, owner, name, hypothesis, start, role);
      const proposal = { ...made, session: session ?? made.session };
      const submitted = await lineage.trials.submit(proposal, { trials: 1000, submissions: 4000 });
      if (submitted.kind !== 'accepted') throw new Error('the seed is full');
      return submitted.trial;
    },
  };
}

const LIMITS = {
  trials: 1000,
  submissions: 4000,
  hours: 2,
  hoursWithoutGain: null,
  microUsd: 5_000_000,
  acceleratorMs: null,
};
const LANES = [
  { role: 'opt', lane: 'opt-1' },
  { role: 'arch', lane: 'arch-1' },
];

async function proposalOf(
  lineage: Lineage,
  owner: string,
  campaign: string,
  hypothesis: string,
  parent: TrialDocument | null,
  role: string,
): Promise<Proposal> {
  const files = [{ path: 'train.py', bytes: Buffer.from(`# ${hypothesis}\n`) }];
  const before = parent === null ? [] : await lineage.blobs.readTree(parent.snapshot);
  return {
    owner,
    campaign,
    submitKey: `${owner}/${randomUUID()}`,
    snapshot: await lineage.blobs.putTree(files),
    parent: parent?.number ?? null,
    parentSnapshot: parent?.snapshot ?? null,
    diff: await lineage.blobs.put(parent === null ? '' : unifiedDiff(before, files)),
    changes: '',
    hypothesis,
    expectedDelta: parent === null ? null : -0.1,
    domain: null,
    edit: null,
    similar: null,
    twinScope: null,
    role,
    lane: `${role}-1`,
    session: parent === null ? null : `${owner}/${role}-1/0`,
    turn: parent === null ? null : 3,
  };
}

async function measure(
  lineage: Lineage,
  trial: TrialDocument,
  score: number,
  more: Outcome['metrics'] = {},
): Promise<void> {
  const { owner, number } = trial;
  const decision = await lineage.decisions.decide(candidate(owner, number, score));
  if (decision === 'again') throw new Error('one run is enough here');
  await record(lineage, owner, number, {
    ...unmeasured(decision.result.adopt ? 'keep' : 'discard', 'measured'),
    score,
    metrics: { loss: score, ...more },
  });
}

async function record(lineage: Lineage, owner: string, number: number, outcome: Outcome): Promise<void> {
  const settled = await lineage.trials.settle(owner, number, outcome);
  await lineage.leaderboards.record(owner, await rowOf(lineage, settled), 'minimize');
}

async function begin(lineage: Lineage, { owner, number, snapshot }: TrialDocument): Promise<string> {
  const identity = { owner, snapshot, purpose: 'search', index: 0, hostClass: 'small' } as const;
  const { secret } = await lineage.campaigns.byOwner(owner);
  const { _id: key } = await lineage.replicates.open(identity, number, secret);
  await lineage.trials.addReplicate(owner, number, key);
  const holder = { host: 'host-a', worker: 'w', what: 'train', run: 'r', since: new Date() };
  await lineage.replicates.beginAttempt(key, holder);
  const { fence } = await lineage.replicates.beginAttempt(key, { ...holder, host: 'host-b' });
  const work = { what: 'train', trial: number, stage: 'training', host: 'host-b', fence, since: new Date() };
  await lineage.campaigns.startWork(owner, replicateKey(identity), work);
  await lineage.trials.setStage(owner, number, 'training');
  const reserved = { ...NOTHING, acceleratorMs: 7000, microUsd: 1000 };
  await lineage.budgets.reserve({
    owner,
    key: `${key}/${fence}`,
    amounts: reserved,
    what: 'train',
    role: 'opt',
    trial: number,
  });
  return key;
}

/** A phase as the sandbox reports it, its log stored. */
export async function phaseRun(
  lineage: Lineage,
  phase: string,
  log: string,
  tier: PhaseRun['isolation']['tier'] = 'C',
): Promise<PhaseRun> {
  const level = tier === 'E' ? 'none' : 'enforced';
  const isolation = {
    tier,
    fs: level,
    net: level,
    pid: level,
    mem: level,
    pids: level,
    disk: level,
    gpu: level,
    secrets: level,
    cpu: level,
    channels: level === 'none' ? 'open' : 'closed',
  } as const;
  return {
    phase,
    startedAt: new Date(0),
    wallMs: 1500,
    peakRssBytes: 50_000_000,
    log: await lineage.blobs.put(log),
    logBytes: Buffer.byteLength(log),
    isolation,
    reusedFrom: null,
    startMs: null,
    process: null,
    warmupMs: null,
    revealMs: null,
    pair: null,
    budgetS: null,
    hostSpeed: null,
    usualSpeed: null,
    cpuMs: null,
    load: null,
    repeated: false,
    devices: [],
  };
}
