import type { Db } from 'mongodb';
import { z } from 'zod';
import { AssayError } from '../domain/errors.js';
import { START, trialKey } from '../domain/keys.js';
import type { Failure, Outcome } from '../domain/outcome.js';
import type { TrialStage } from '../domain/statuses.js';
import { trialDocument, type TrialDocument } from './documents.js';
import { Shelf } from './shelf.js';

const twinDocument = z.object({ _id: z.string(), submitKey: z.string() });
const counterDocument = z.object({ _id: z.string(), number: z.number().int(), counted: z.number().int() });

/** A submission before it has a number. */
export type Proposal = Pick<
  TrialDocument,
  | 'owner'
  | 'campaign'
  | 'submitKey'
  | 'snapshot'
  | 'parent'
  | 'parentSnapshot'
  | 'diff'
  | 'changes'
  | 'hypothesis'
  | 'expectedDelta'
  | 'role'
  | 'lane'
  | 'session'
  | 'turn'
>;

export type SubmitResult =
  { kind: 'accepted'; trial: TrialDocument } | { kind: 'full'; limit: 'trials' | 'submissions' };

/** The trial log: numbers taken at submit, without gaps, and one terminal status each. */
export class Trials {
  private readonly shelf;
  private readonly twins;
  private readonly counters;

  constructor(database: Db) {
    this.shelf = new Shelf(database.collection<{ _id: string }>('trials'), trialDocument);
    this.twins = new Shelf(database.collection<{ _id: string }>('twins'), twinDocument);
    this.counters = new Shelf(database.collection<{ _id: string }>('counters'), counterDocument);
  }

  /**
   * Takes a number for a proposal. The same submitKey gets the same trial, however often and from wherever it is
   * asked. One insert takes the number and the place among the counted trials together, so neither can be lost.
   * @throws AssayError TWIN_PENDING while another submission of the same snapshot has no number yet
   */
  async submit(proposal: Proposal, limits: { trials: number; submissions: number }): Promise<SubmitResult> {
    const existing = await this.bySubmitKey(proposal.submitKey);
    if (existing !== null) return { kind: 'accepted', trial: existing };
    const twin = await this.twinOf(proposal);
    for (;;) {
      const at = await this.counter(proposal.owner);
      const number = at.number + 1;
      const counted = at.counted + 1;
      const full =
        number > limits.submissions
          ? 'submissions'
          : twin === null && counted > limits.trials
            ? 'trials'
            : null;
      if (full !== null) {
        if (twin === null) await this.dropTwin(proposal);
        return { kind: 'full', limit: full };
      }
      const slot = twin === null ? `${proposal.owner}/c/${counted}` : `${proposal.owner}/d/${number}`;
      await this.shelf.insertOnce(queued(proposal, number, slot, twin));
      await this.catchUp(proposal.owner, number, slot);
      const taken = await this.bySubmitKey(proposal.submitKey);
      if (taken !== null) return { kind: 'accepted', trial: taken };
    }
  }

  /** The start recipe is trial 0 and takes no place. */
  async insertStart(proposal: Proposal): Promise<TrialDocument> {
    const slot = `${proposal.owner}/d/${START}`;
    await this.shelf.insertOnce(queued(proposal, START, slot, null));
    return this.require(proposal.owner, START);
  }

  /** The submission that has the same snapshot already, or null when this one is the first. */
  private async twinOf(proposal: Proposal): Promise<string | null> {
    const id = `${proposal.owner}/${proposal.snapshot}`;
    await this.twins.insertOnce({ _id: id, submitKey: proposal.submitKey });
    const holder = await this.twins.require(id);
    if (holder.submitKey === proposal.submitKey) return null;
    const trial = await this.bySubmitKey(holder.submitKey);
    if (trial === null)
      throw new AssayError('TWIN_PENDING', 'the same snapshot is being submitted by another session');
    if (trial.status !== 'cancelled') return holder.submitKey;
    const taken = await this.twins.update(
      { _id: id, submitKey: holder.submitKey },
      { $set: { submitKey: proposal.submitKey } },
    );
    return taken ? null : this.twinOf(proposal);
  }

  private async dropTwin(proposal: Proposal): Promise<void> {
    await this.twins.remove({ _id: `${proposal.owner}/${proposal.snapshot}`, submitKey: proposal.submitKey });
  }

  /** The last number and the last counted place, as hints: the unique keys decide. */
  private async counter(owner: string): Promise<{ number: number; counted: number }> {
    const found = await this.counters.get(owner);
    return found ?? { number: 0, counted: 0 };
  }

  /** After a lost insert: moves the hints over what is there, and over what was just inserted. */
  private async catchUp(owner: string, number: number, slot: string): Promise<void> {
    await this.counters.insertOnce({ _id: owner, number: 0, counted: 0 });
    if ((await this.get(owner, number)) !== null)
      await this.counters.update({ _id: owner }, { $max: { number } });
    const place = /\/c\/(\d+)$/.exec(slot);
    if (place !== null && (await this.shelf.find({ slot })) !== null)
      await this.counters.update({ _id: owner }, { $max: { counted: Number(place[1]) } });
  }

  async bySubmitKey(submitKey: string): Promise<TrialDocument | null> {
    return this.shelf.find({ submitKey });
  }

  async get(owner: string, number: number): Promise<TrialDocument | null> {
    return this.shelf.get(trialKey(owner, number));
  }

  async require(owner: string, number: number): Promise<TrialDocument> {
    return this.shelf.require(trialKey(owner, number));
  }

  /** The trials of these numbers, ascending; numbers that nobody has taken are left out. */
  async many(owner: string, numbers: readonly number[]): Promise<TrialDocument[]> {
    const found = await this.shelf.many(numbers.map((number) => trialKey(owner, number)));
    return found.sort((a, b) => a.number - b.number);
  }

  /** How many numbers were taken, and how many of them count. */
  async totals(owner: string): Promise<{ submitted: number; counted: number }> {
    for (;;) {
      const at = await this.counter(owner);
      const next = await this.get(owner, at.number + 1);
      if (next === null) return { submitted: at.number, counted: at.counted };
      await this.catchUp(owner, next.number, next.slot);
    }
  }

  /** Trials by descending number, from `below` (exclusive) on. */
  async latest(owner: string, limit: number, below?: number): Promise<TrialDocument[]> {
    const end = below ?? (await this.totals(owner)).submitted + 1;
    const keys = Array.from({ length: Math.max(0, Math.min(limit, end)) }, (_, i) =>
      trialKey(owner, end - 1 - i),
    );
    const found = await this.shelf.many(keys);
    return found.sort((a, b) => b.number - a.number);
  }

  /** Trials without a status; a scan, for reconciling and the audit only. */
  async open(owner: string, limit: number): Promise<TrialDocument[]> {
    return this.shelf.list({ owner, status: null }, { limit });
  }

  async setStage(owner: string, number: number, stage: TrialStage): Promise<void> {
    await this.shelf.update(
      { _id: trialKey(owner, number), status: null },
      { $set: { stage, stageAt: new Date() } },
    );
  }

  async setPreflight(owner: string, number: number, preflight: Failure): Promise<void> {
    await this.shelf.update(
      { _id: trialKey(owner, number), status: null, replicates: [] },
      { $set: { preflight } },
    );
  }

  async addReplicate(owner: string, number: number, replicate: string): Promise<void> {
    await this.shelf.update({ _id: trialKey(owner, number) }, { $addToSet: { replicates: replicate } });
  }

  /** Sets the one terminal status; a trial that has one keeps it. */
  async settle(owner: string, number: number, outcome: Outcome): Promise<TrialDocument> {
    const now = new Date();
    await this.shelf.update(
      { _id: trialKey(owner, number), status: null },
      { $set: { status: outcome.status, outcome, stage: 'ended', stageAt: now, endedAt: now } },
    );
    return this.require(owner, number);
  }
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
    status: null,
    outcome: null,
    endedAt: null,
  };
}
