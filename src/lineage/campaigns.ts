import type { Db } from 'mongodb';
import { randomBytes } from 'node:crypto';
import type { FrozenCampaign } from '../domain/campaign/campaign.js';
import {
  advance,
  elapsedFrom,
  totalMs,
  uncountedMs,
  type Anchor,
  type Clock,
} from '../domain/campaign/clock.js';
import { sameReason, type Reason } from '../domain/campaign/reasons.js';
import type { CalibratedClass } from '../domain/devices/host-class.js';
import { AssayError } from '../domain/errors.js';
import { fieldOf } from '../domain/keys.js';
import { isEnded, isHeld, type CampaignState, type RunControl } from '../domain/statuses.js';
import {
  type ActiveWork,
  type CampaignDocument,
  type Exhausted,
  type FrozenPrompt,
} from './documents/campaign.js';
import { KINDS } from './document-kinds.js';
import { TypedCollection } from './typed-collection.js';
import { fieldsOf } from './update-fields.js';

/** Returns true while the caller's attempt cannot have been replaced. */
export type IsCurrent = () => boolean;
const ALWAYS: IsCurrent = () => true;

/** Time after which a worker that cannot reach the server has given up its work. */
const STRAGGLERS_MS = 3_600_000;

function requireCurrent(current: IsCurrent): void {
  if (!current()) throw new AssayError('OVERTAKEN', 'what was asked for is older than what may be there now');
}

/** Stored campaigns: their owner, their state, and the work that may run. */
export class Campaigns {
  private readonly collection;
  /** Time that this process has counted for each campaign, by owner. */
  private readonly anchors = new Map<string, Anchor>();

  constructor(
    database: Db,
    private readonly clock: Clock,
  ) {
    this.collection = new TypedCollection(database, KINDS.campaigns);
  }

  /**
   * Takes the name for its owner and stores the frozen configuration. A second freeze by the same owner returns the
   * first one unchanged.
   * @param namespaceId id of the Temporal namespace that it runs in, if it is known
   * @throws AssayError CAMPAIGN_NAME_TAKEN when another run owns the name
   */
  async freeze(frozen: FrozenCampaign, namespaceId: string | null = null): Promise<CampaignDocument> {
    const now = this.clock.wall();
    const monotonicMs = this.clock.monotonicMs();
    const mine = await this.collection.insertOnce({
      _id: frozen.name,
      owner: frozen.owner,
      namespaceId,
      frozen,
      secret: randomBytes(32).toString('hex'),
      state: 'preparing',
      reason: null,
      control: 'running',
      controlReason: null,
      active: {},
      createdAt: now,
      endedAt: null,
      settledAt: null,
      pausedSince: null,
      stopped: false,
      exhausted: null,
      elapsed: elapsedFrom(now),
      hostClasses: [],
      prompts: {},
      foreign: null,
    });
    if (mine) this.anchors.set(frozen.owner, { monotonicMs, totalMs: 0 });
    const stored = await this.collection.require(frozen.name);
    if (stored.owner !== frozen.owner)
      throw new AssayError(
        'CAMPAIGN_NAME_TAKEN',
        `the campaign name "${frozen.name}" was used on ${stored.createdAt.toISOString().slice(0, 16)}Z and is ${stored.state}`,
      );
    return stored;
  }

  /** Records the namespace of a campaign that was stored without one. */
  async recordNamespace(owner: string, namespaceId: string): Promise<void> {
    await this.collection.update({ owner, namespaceId: null }, { $set: { namespaceId } });
  }

  /** Makes the campaign belong to a class of hosts for a kind of work, unless it belongs to one; returns all of its. */
  async belongTo(owner: string, calibrated: CalibratedClass): Promise<CalibratedClass[]> {
    const { work, trainedBy } = calibrated;
    return this.#addClass(owner, calibrated, { work, trainedBy });
  }

  /** Adds a class of hosts on which its start was measured as well; the first of one class stays. */
  async addClass(owner: string, calibrated: CalibratedClass): Promise<CalibratedClass[]> {
    const { work, id } = calibrated;
    return this.#addClass(owner, calibrated, { work, id });
  }

  async #addClass(
    owner: string,
    calibrated: CalibratedClass,
    unless: Partial<CalibratedClass>,
  ): Promise<CalibratedClass[]> {
    const free = { owner, hostClasses: { $not: { $elemMatch: unless } } };
    await this.collection.update(free, { $push: { hostClasses: calibrated } });
    return (await this.byOwner(owner)).hostClasses;
  }

  /** Stores the prompt of a role, unless it has one; returns the one that it has. */
  async freezePrompt(owner: string, role: string, prompt: FrozenPrompt): Promise<FrozenPrompt> {
    const field = `prompts.${fieldOf(role)}`;
    await this.collection.update({ owner, [field]: { $exists: false } }, { $set: { [field]: prompt } });
    return (await this.byOwner(owner)).prompts[fieldOf(role)] ?? prompt;
  }

  async byName(name: string): Promise<CampaignDocument> {
    const found = await this.collection.get(name);
    if (found === null)
      throw new AssayError('CAMPAIGN_UNKNOWN', `there is no campaign "${name}" in this store`);
    return found;
  }

  async find(name: string): Promise<CampaignDocument | null> {
    return this.collection.get(name);
  }

  async byOwner(owner: string): Promise<CampaignDocument> {
    const found = await this.collection.find({ owner });
    if (found === null) throw new AssayError('CAMPAIGN_UNKNOWN', `no campaign belongs to ${owner}`);
    return found;
  }

  /** The newest campaigns, ended ones too. */
  async list(limit: number): Promise<CampaignDocument[]> {
    return this.collection.list({}, { sort: { createdAt: -1 }, limit });
  }

  /** The newest campaigns that have not ended. */
  async listOpen(limit: number): Promise<CampaignDocument[]> {
    return this.collection.list({ endedAt: null }, { sort: { createdAt: -1 }, limit });
  }

  /** Names of campaigns with work that may need settling, sorted, after the given one. */
  async unsettledNames(after: string, limit: number): Promise<string[]> {
    return this.collection.ids({ settledAt: null, _id: { $gt: after } }, limit);
  }

  /**
   * Marks an ended campaign as settled. One that ended just now is not marked: a worker that was cut off from the
   * server may still write.
   */
  async markSettled({ owner, endedAt }: CampaignDocument): Promise<void> {
    const now = this.clock.wall();
    if (endedAt === null || now.getTime() - endedAt.getTime() < STRAGGLERS_MS) return;
    await this.collection.update({ owner, settledAt: null }, { $set: { settledAt: now } });
  }

  /**
   * Sets the state; an ended campaign never changes.
   * @throws AssayError OVERTAKEN once `current` says that a later attempt may have taken its place
   */
  async setState(
    owner: string,
    state: CampaignState,
    reason: Reason | null,
    current: IsCurrent = ALWAYS,
  ): Promise<void> {
    requireCurrent(current);
    await this.collection.update(
      { owner, endedAt: null },
      { $set: { state, reason, ...(isEnded(state) ? { endedAt: this.clock.wall() } : {}) } },
    );
    if (isEnded(state)) this.anchors.delete(owner);
  }

  /**
   * Sets what work may do; recorded pauses do not count as hours of the campaign. A hold may change its reason: a
   * person's pause replaces a budget's. A stopping campaign keeps stopping. `stopped`: a person stops it.
   * @throws AssayError OVERTAKEN once `current` says that a later attempt may have taken its place
   */
  async setControl(
    owner: string,
    control: RunControl,
    reason: Reason | null,
    { stopped = false, current = ALWAYS }: { stopped?: boolean; current?: IsCurrent } = {},
  ): Promise<void> {
    for (;;) {
      requireCurrent(current);
      const before = await this.byOwner(owner);
      if (before.control === 'stopping' && control !== 'stopping') return;
      const other =
        (isHeld(control) && !sameReason(before.controlReason, reason)) || (stopped && !before.stopped);
      if (before.control === control && !other) return;
      if (await this.move(before, control, reason, { stopped: stopped || before.stopped })) return;
    }
  }

  /**
   * Pauses a running campaign for a person, without its workflow. One that drains or stops continues to do so.
   */
  async pauseIfRunning(owner: string, reason: Reason): Promise<void> {
    for (;;) {
      const before = await this.byOwner(owner);
      if (before.control !== 'running' || (await this.move(before, 'paused', reason))) return;
    }
  }

  /**
   * Pauses a campaign whose budget leaves no room, as a worker may. A campaign that a person stops keeps ending, and
   * a person's pause stays. One that ends by a limit waits for the budget with its accepted trials, and one already
   * paused by a budget gets the new reason.
   */
  async pauseExhausted(owner: string, exhausted: Exhausted, reason: Reason): Promise<void> {
    for (;;) {
      const before = await this.byOwner(owner);
      const { control, stopped } = before;
      const working = control === 'running' || (control === 'draining' && !stopped);
      if (!working && before.exhausted === null) return;
      if (sameReason(before.controlReason, reason)) return;
      if (await this.move(before, 'paused', reason, { exhausted })) return;
    }
  }

  /**
   * Adds the time since the last count, and notices a move of the frontier. Each stretch of time is added once,
   * however many watchers count at the same time.
   */
  async tick(owner: string, frontierVersion: number): Promise<CampaignDocument> {
    for (;;) {
      const before = await this.byOwner(owner);
      if (before.endedAt !== null) return before;
      const step = this.stepFrom(before, frontierVersion);
      const after = await this.collection.change(
        { owner, endedAt: null, 'elapsed.tick': before.elapsed.tick },
        { $set: fieldsOf('elapsed', step.elapsed) },
      );
      if (after === null) continue;
      this.anchors.set(owner, step.anchor);
      return after;
    }
  }

  private stepFrom(before: CampaignDocument, frontierVersion: number) {
    const { owner, control } = before;
    const now = { wall: this.clock.wall(), monotonicMs: this.clock.monotonicMs() };
    const elapsedMs = uncountedMs(before.elapsed, this.anchors.get(owner) ?? null, now);
    const step = { elapsedMs, atWork: !isHeld(control), frontierVersion, wall: now.wall };
    const elapsed = advance(before.elapsed, step);
    return { elapsed, anchor: { monotonicMs: now.monotonicMs, totalMs: totalMs(elapsed) } };
  }

  /**
   * Blocks a campaign for a fault that does not pass, as a worker may: nothing begins until a person resumes. A
   * paused or stopping campaign stays so. Returns the control that holds afterwards.
   */
  async block(owner: string, reason: Reason): Promise<RunControl> {
    for (;;) {
      const before = await this.byOwner(owner);
      const { control } = before;
      if (control === 'stopping' || isHeld(control)) return control;
      if (await this.move(before, 'blocked', reason)) return 'blocked';
    }
  }

  /** Stops a campaign for a person: moves the control towards the end and never back. */
  async windDown(owner: string, to: 'draining' | 'stopping', reason: Reason): Promise<void> {
    for (;;) {
      const before = await this.byOwner(owner);
      const { control, state } = before;
      if (isEnded(state) || control === 'stopping' || control === to) return;
      if (await this.move(before, to, reason, { stopped: true })) return;
    }
  }

  private async move(
    before: CampaignDocument,
    control: RunControl,
    reason: Reason | null,
    { exhausted = null, stopped = before.stopped }: { exhausted?: Exhausted | null; stopped?: boolean } = {},
  ): Promise<boolean> {
    const { owner, elapsed } = before;
    const step = this.stepFrom(before, elapsed.gainVersion);
    const pausedSince = isHeld(control) ? (before.pausedSince ?? step.elapsed.at) : null;
    const moved = await this.collection.update(
      { owner, control: before.control, 'elapsed.tick': elapsed.tick },
      {
        $set: {
          control,
          controlReason: reason,
          exhausted,
          stopped,
          pausedSince,
          ...fieldsOf('elapsed', step.elapsed),
        },
      },
    );
    if (moved) this.anchors.set(owner, step.anchor);
    return moved;
  }

  /**
   * Registers work in the document that holds the control, so that nothing starts after a pause is acknowledged.
   * Returns false if the campaign lets no work start now, or a later attempt has taken over.
   */
  async startWork(
    owner: string,
    key: string,
    work: ActiveWork,
    controls: readonly RunControl[] = ['running', 'draining'],
  ): Promise<boolean> {
    const field = `active.${fieldOf(key)}`;
    const changed = await this.collection.change(
      { owner, control: { $in: [...controls] }, [`${field}.fence`]: { $not: { $gt: work.fence } } },
      { $set: { [field]: work } },
    );
    return changed !== null;
  }

  /** Updates the stage of registered work. */
  async markWork(owner: string, key: string, fence: number, stage: string): Promise<void> {
    const field = `active.${fieldOf(key)}`;
    await this.collection.update(
      { owner, [`${field}.fence`]: fence },
      { $set: { [`${field}.stage`]: stage } },
    );
  }

  /** Removes all registered work once no process can be left to do it. */
  async clearWork(owner: string): Promise<void> {
    await this.collection.update({ owner }, { $set: { active: {} } });
  }

  /** Removes registered work, unless a later attempt has taken it over. */
  async endWork(owner: string, key: string, fence: number): Promise<void> {
    const field = `active.${fieldOf(key)}`;
    await this.collection.update({ owner, [`${field}.fence`]: { $lte: fence } }, { $unset: { [field]: '' } });
  }
}
