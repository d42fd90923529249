import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from 'mongodb';
import { definedFields } from '../../domain/defined-fields.js';
import { START, trialKey } from '../../domain/keys.js';
import type { Failure, Outcome } from '../../domain/trial/outcome.js';
import type { Projection } from '../../domain/task/rehearsal.js';
import type { TrialStage } from '../../domain/statuses.js';
import { endedByHost } from '../../domain/trial/place.js';
import type { CounterDocument } from '../documents/counter.js';
import type { Fault } from '../documents/fault.js';
import { proposalDocument, type Proposal, type TrialDocument } from '../documents/trial.js';
import { KINDS } from '../document-kinds.js';
import { TypedCollection } from '../typed-collection.js';

export type { Proposal };

export type SubmitResult =
  { kind: 'accepted'; trial: TrialDocument } | { kind: 'full'; limit: 'trials' | 'submissions' };

/** Limits of a campaign on trials, and on submissions including duplicates. */
export interface Limits {
  trials: number;
  submissions: number;
}

const FAULTS_KEPT = 50;
/** Trials among which those that have not begun are sought. */
const NEWEST = 200;

const PLACE = /\/c\/(\d+)$/;

/** True where a trial takes a place among those that count. */
export const hasPlace = (slot: string): boolean => PLACE.test(slot);

/** Key of the earlier submission with the same snapshot, or null and the run that a first one begins with. */
interface TwinOf {
  twin: string | null;
  firstRun?: number;
}

const twinKey = ({
  owner,
  snapshot,
  twinScope,
}: Pick<Proposal, 'owner' | 'snapshot' | 'twinScope'>): string => `${twinScope ?? owner}/${snapshot}`;

/**
 * The most that a submit pauses, by chance, after others took the number that it was about to take: of many at once
 * only one can have it, so that all of them trying again at the same moment mostly fails again.
 */
const LONGEST_PAUSE_MS = 400;

/** The trial log: numbers taken at submit, without gaps, and one terminal status each. */
export class Trials {
  private readonly collection;
  private readonly twins;
  private readonly counters;

  constructor(database: Db) {
    this.collection = new TypedCollection(database, KINDS.trials);
    this.twins = new TypedCollection(database, KINDS.twins);
    this.counters = new TypedCollection(database, KINDS.counters);
  }

  /**
   * Takes a number for a proposal. The same submitKey gets the same trial, however often it is asked for. One insert
   * takes the number and the place among the counted trials together, so neither can be lost.
   */
  async submit(proposal: Proposal, limits: Limits): Promise<SubmitResult> {
    const existing = await this.bySubmitKey(proposal.submitKey);
    if (existing !== null) return { kind: 'accepted', trial: existing };
    const { twin, firstRun } = await this.twinOf(proposal, limits);
    return this.takeNumber(firstRun === undefined ? proposal : { ...proposal, firstRun }, twin, limits);
  }

  private async takeNumber(proposal: Proposal, twin: string | null, limits: Limits): Promise<SubmitResult> {
    for (let lost = 0; ; lost += 1) {
      if (lost > 0) await sleep(Math.random() * LONGEST_PAUSE_MS * Math.min(1, 2 ** lost / 64));
      const at = await this.counter(proposal.owner);
      const number = at.number + 1;
      const counted = at.counted + 1;
      const places = limits.trials + at.returned.length;
      const full =
        number > limits.submissions ? 'submissions' : twin === null && counted > places ? 'trials' : null;
      if (full !== null) {
        if (twin === null) await this.dropTwin(proposal);
        return { kind: 'full', limit: full };
      }
      const slot = twin === null ? `${proposal.owner}/c/${counted}` : `${proposal.owner}/d/${number}`;
      await this.collection.insertOnce(queued(proposal, number, slot, twin));
      await this.catchUp(proposal.owner, number, slot);
      const taken = await this.bySubmitKey(proposal.submitKey);
      if (taken !== null) return { kind: 'accepted', trial: taken };
    }
  }

  /**
   * Inserts the start recipe as trial 0, which takes no counted place. A trial that submits the same code gets its
   * result.
   */
  async insertStart(proposal: Proposal): Promise<TrialDocument> {
    const slot = `${proposal.owner}/d/${START}`;
    await this.collection.insertOnce(queued(proposal, START, slot, null));
    await this.twins.insertOnce({ _id: twinKey(proposal), submitKey: proposal.submitKey, proposal });
    return this.require(proposal.owner, START);
  }

  /**
   * Finds the earlier submission with the same snapshot; null if this one is the first. If that one has no number
   * yet, it is numbered on its submitter's behalf, since the submitter may be dead: it gets this number when it asks
   * again, and nothing waits for it. One that was cancelled, or ended by its host, is replaced.
   */
  private async twinOf(proposal: Proposal, limits: Limits): Promise<TwinOf> {
    for (;;) {
      const id = twinKey(proposal);
      await this.twins.insertOnce({ _id: id, submitKey: proposal.submitKey, proposal });
      const first = await this.twins.get(id);
      if (first === null) continue;
      if (first.submitKey === proposal.submitKey)
        return { twin: null, ...definedFields({ firstRun: first.proposal.firstRun }) };
      const trial = await this.bySubmitKey(first.submitKey);
      if (trial === null) await this.takeNumber(first.proposal, null, limits);
      else if (trial.status !== 'cancelled' && !endedByHost(trial.outcome)) return { twin: first.submitKey };
      else await this.replaceTwin(first.submitKey, insteadOf(trial, proposal));
    }
  }

  /**
   * Returns the trial with the same snapshot that this one waits for, or whose result it gets; null if it has to be
   * measured itself. Of the duplicates that a cancelled trial leaves, one is measured and the others wait for it.
   */
  async currentTwin(trial: TrialDocument, limits: () => Promise<Limits>): Promise<TrialDocument | null> {
    let { twin } = trial;
    while (twin !== null) {
      const first = await this.bySubmitKey(twin);
      if (first !== null && first.status !== 'cancelled') return first;
      const { twin: next, firstRun } = await this.twinOf(proposalDocument.parse(trial), await limits());
      await this.collection.update(
        { _id: trial._id, status: null, twin },
        { $set: { twin: next, ...definedFields({ firstRun }) } },
      );
      const now: TrialDocument = await this.collection.require(trial._id);
      if (now.status !== null) return null;
      twin = now.twin;
    }
    return null;
  }

  /** Makes the proposal the first submission of its snapshot, if the given one still is. */
  private async replaceTwin(first: string, proposal: Proposal): Promise<void> {
    const { submitKey } = proposal;
    await this.twins.update({ _id: twinKey(proposal), submitKey: first }, { $set: { submitKey, proposal } });
  }

  private async dropTwin(proposal: Proposal): Promise<void> {
    await this.twins.remove({ _id: twinKey(proposal), submitKey: proposal.submitKey });
  }

  /** Reads the last number and the last counted place, as hints: the unique keys decide. */
  private async counter(owner: string): Promise<Omit<CounterDocument, '_id'>> {
    const found = await this.counters.get(owner);
    return found ?? { number: 0, counted: 0, returned: [] };
  }

  /** Moves the hints past existing trials after a failed insert, and past the one just inserted. */
  private async catchUp(owner: string, number: number, slot: string): Promise<void> {
    await this.counters.insertOnce({ _id: owner, number: 0, counted: 0, returned: [] });
    if ((await this.get(owner, number)) !== null)
      await this.counters.update({ _id: owner }, { $max: { number } });
    const place = PLACE.exec(slot);
    if (place !== null && (await this.collection.find({ slot })) !== null)
      await this.counters.update({ _id: owner }, { $max: { counted: Number(place[1]) } });
  }

  async bySubmitKey(submitKey: string): Promise<TrialDocument | null> {
    return this.collection.find({ submitKey });
  }

  async get(owner: string, number: number): Promise<TrialDocument | null> {
    return this.collection.get(trialKey(owner, number));
  }

  async require(owner: string, number: number): Promise<TrialDocument> {
    return this.collection.require(trialKey(owner, number));
  }

  /** Reads the trials of these numbers, ascending; numbers that were not taken are left out. */
  async many(owner: string, numbers: readonly number[]): Promise<TrialDocument[]> {
    const found = await this.collection.many(numbers.map((number) => trialKey(owner, number)));
    return found.sort((a, b) => a.number - b.number);
  }

  /** Counts the numbers taken, and the trials that count: those that gave their place back do not. */
  async totals(owner: string): Promise<{ submitted: number; counted: number }> {
    for (;;) {
      const at = await this.counter(owner);
      const next = await this.get(owner, at.number + 1);
      if (next === null) return { submitted: at.number, counted: at.counted - at.returned.length };
      await this.catchUp(owner, next.number, next.slot);
    }
  }

  /** Lists the trials that were built on a trial, newest first. */
  async children(owner: string, parent: number, limit: number): Promise<TrialDocument[]> {
    return this.collection.list({ owner, parent }, { sort: { number: -1 }, limit });
  }

  /** Gives the place of a counted trial back, once. */
  async returnPlace(owner: string, number: number): Promise<void> {
    await this.counters.update({ _id: owner }, { $addToSet: { returned: number } });
  }

  /** Counts the newest trials that hold a place and may still give it back, since nothing was trained of them. */
  async unbegun(owner: string): Promise<number> {
    const newest = await this.latest(owner, NEWEST);
    return newest.filter(
      ({ status, stage, slot }) =>
        status === null && (stage === 'queued' || stage === 'preparing') && hasPlace(slot),
    ).length;
  }

  /** Lists trials by descending number, from `below` (exclusive) on. */
  async latest(owner: string, limit: number, below?: number): Promise<TrialDocument[]> {
    const end = below ?? (await this.totals(owner)).submitted + 1;
    const keys = Array.from({ length: Math.max(0, Math.min(limit, end)) }, (_, i) =>
      trialKey(owner, end - 1 - i),
    );
    const found = await this.collection.many(keys);
    return found.sort((a, b) => b.number - a.number);
  }

  /** Lists trials without a status; a scan, for reconcile and the audit only. */
  async open(owner: string, limit: number): Promise<TrialDocument[]> {
    return this.collection.list({ owner, status: null }, { limit });
  }

  /** Returns true while a trial without a status counts on a replicate, whichever trial began it. */
  async isOpenFor(owner: string, replicate: string): Promise<boolean> {
    const found = await this.collection.list({ owner, status: null, replicates: replicate }, { limit: 1 });
    return found.length > 0;
  }

  async setStage(owner: string, number: number, stage: TrialStage): Promise<void> {
    await this.collection.update(
      { _id: trialKey(owner, number), status: null },
      { $set: { stage, stageAt: new Date() } },
    );
  }

  async setPreflight(owner: string, number: number, preflight: Failure): Promise<void> {
    await this.collection.update(
      { _id: trialKey(owner, number), status: null, replicates: [] },
      { $set: { preflight } },
    );
  }

  async setProjection(owner: string, number: number, projection: Projection): Promise<void> {
    await this.collection.update({ _id: trialKey(owner, number), status: null }, { $set: { projection } });
  }

  async addReplicate(owner: string, number: number, replicate: string): Promise<void> {
    await this.collection.update({ _id: trialKey(owner, number) }, { $addToSet: { replicates: replicate } });
  }

  /** Records once an attempt to prepare the trial that was lost with its worker. */
  async losePreparation(owner: string, number: number, fault: Omit<Fault, 'at'>): Promise<void> {
    await this.collection.update(
      { _id: trialKey(owner, number), 'faults.fence': { $ne: fault.fence } },
      { $push: { faults: { $each: [{ ...fault, at: new Date() }], $slice: -FAULTS_KEPT } } },
    );
  }

  /** Parks a trial. */
  async park(owner: string, number: number, reason: string): Promise<void> {
    const at = new Date();
    await this.collection.update(
      { _id: trialKey(owner, number), status: null },
      { $set: { parked: { reason, at }, stage: 'parked', stageAt: at } },
    );
  }

  /** Ends the wait of a parked trial. */
  async unpark(owner: string, number: number): Promise<void> {
    await this.collection.update(
      { _id: trialKey(owner, number), status: null },
      { $set: { parked: null, stage: 'queued', stageAt: new Date() } },
    );
  }

  /** Excuses this many lost workers: a person decided that they no longer count against the trial. */
  async pardon(owner: string, number: number, lost: number): Promise<void> {
    await this.collection.update({ _id: trialKey(owner, number) }, { $max: { pardoned: lost } });
  }

  /** Sets the one terminal status; a trial that has one keeps it. */
  async settle(owner: string, number: number, outcome: Outcome): Promise<TrialDocument> {
    const now = new Date();
    await this.collection.update(
      { _id: trialKey(owner, number), status: null },
      { $set: { status: outcome.status, outcome, stage: 'ended', stageAt: now, endedAt: now, parked: null } },
    );
    return this.require(owner, number);
  }
}

/** The same proposal in place of an earlier trial of the same files; runs that the host ended are not used again. */
function insteadOf(trial: TrialDocument, proposal: Proposal): Proposal {
  const { firstRun = 0, replicates, outcome } = trial;
  const before = endedByHost(outcome) ? firstRun + replicates.length : firstRun;
  return before === 0 ? proposal : { ...proposal, firstRun: before };
}

function queued(proposal: Proposal, number: number, slot: string, twin: string | null): TrialDocument {
  const now = new Date();
  return {
    ...proposal,
    _id: trialKey(proposal.owner, number),
    number,
    slot,
    twin,
    submittedAt: now,
    stage: 'queued',
    stageAt: now,
    replicates: [],
    preflight: null,
    projection: null,
    faults: [],
    parked: null,
    pardoned: 0,
    status: null,
    outcome: null,
    endedAt: null,
  };
}
