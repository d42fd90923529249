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
import { AssayError } from '../domain/errors.js';
import { fieldOf } from '../domain/keys.js';
import { isEnded, isHeld, type CampaignState, type RunControl } from '../domain/statuses.js';
import { type ActiveWork, type CampaignDocument, type Exhausted } from './documents/campaign.js';
import { KINDS } from './document-kinds.js';
import { TypedCollection } from './typed-collection.js';
import { fieldsOf } from './update-fields.js';

/** Whether nobody can have taken the place of whoever asks. */
export type IsCurrent = () => boolean;
const ALWAYS: IsCurrent = () => true;

/** A worker that does not reach the server has given up its work by then. */
const STRAGGLERS_MS = 3_600_000;

function requireCurrent(current: IsCurrent): void {
  if (!current()) throw new AssayError('OVERTAKEN', 'what was asked for is older than what may be there now');
}

/** Campaigns: who owns a name, what state it is in, and which work may run. */
export class Campaigns {
  private readonly shelf;
  /** How far this process has counted the time of each campaign, by owner. */
  private readonly anchors = new Map<string, Anchor>();

  constructor(
    database: Db,
    private readonly clock: Clock,
  ) {
    this.shelf = new TypedCollection(database, KINDS.campaigns);
  }

  /**
   * Takes the name for its owner and stores the frozen configuration. The same owner gets back what it froze
   * first, whatever has changed since.
   * @throws AssayError CAMPAIGN_NAME_TAKEN when another run owns the name
   */
  async freeze(frozen: FrozenCampaign): Promise<CampaignDocument> {
    const now = this.clock.wall();
    const monotonicMs = this.clock.monotonicMs();
    const mine = await this.shelf.insertOnce({
      _id: frozen.name,
      owner: frozen.owner,
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
    });
    if (mine) this.anchors.set(frozen.owner, { monotonicMs, totalMs: 0 });
    const stored = await this.shelf.require(frozen.name);
    if (stored.owner !== frozen.owner)
      throw new AssayError(
        'CAMPAIGN_NAME_TAKEN',
        `the campaign name "${frozen.name}" was used on ${stored.createdAt.toISOString().slice(0, 16)}Z and is ${stored.state}`,
      );
    return stored;
  }

  async byName(name: string): Promise<CampaignDocument> {
    const found = await this.shelf.get(name);
    if (found === null)
      throw new AssayError('CAMPAIGN_UNKNOWN', `there is no campaign "${name}" in this store`);
    return found;
  }

  async find(name: string): Promise<CampaignDocument | null> {
    return this.shelf.get(name);
  }

  async byOwner(owner: string): Promise<CampaignDocument> {
    const found = await this.shelf.find({ owner });
    if (found === null) throw new AssayError('CAMPAIGN_UNKNOWN', `no campaign belongs to ${owner}`);
    return found;
  }

  /** The newest campaigns, ended ones too. */
  async list(limit: number): Promise<CampaignDocument[]> {
    return this.shelf.list({}, { sort: { createdAt: -1 }, limit });
  }

  /** The newest campaigns that have not ended. */
  async listOpen(limit: number): Promise<CampaignDocument[]> {
    return this.shelf.list({ endedAt: null }, { sort: { createdAt: -1 }, limit });
  }

  /** Campaigns of which something may be left to settle, after a name, by their names. */
  async listUnsettled(after: string, limit: number): Promise<CampaignDocument[]> {
    return this.shelf.list({ settledAt: null, _id: { $gt: after } }, { sort: { _id: 1 }, limit });
  }

  /**
   * Records that nothing of an ended campaign is left to settle. One that ended just now is not marked: a worker that
   * was cut off from the server may still write what it does.
   */
  async markSettled({ owner, endedAt }: CampaignDocument): Promise<void> {
    const now = this.clock.wall();
    if (endedAt === null || now.getTime() - endedAt.getTime() < STRAGGLERS_MS) return;
    await this.shelf.update({ owner, settledAt: null }, { $set: { settledAt: now } });
  }

  /**
   * Moves the state; an ended campaign stays as it ended.
   * @throws AssayError OVERTAKEN once `current` says that a later attempt may have taken its place
   */
  async setState(
    owner: string,
    state: CampaignState,
    reason: string | null,
    current: IsCurrent = ALWAYS,
  ): Promise<void> {
    requireCurrent(current);
    await this.shelf.update(
      { owner, endedAt: null },
      { $set: { state, reason, ...(isEnded(state) ? { endedAt: this.clock.wall() } : {}) } },
    );
    if (isEnded(state)) this.anchors.delete(owner);
  }

  /**
   * Says what work may do from now on; recorded pauses do not count as hours of the campaign. What holds a campaign
   * may change its reason: a person's pause takes the place of a budget's. `stopped`: because a person stops it.
   * @throws AssayError OVERTAKEN once `current` says that a later attempt may have taken its place
   */
  async setControl(
    owner: string,
    control: RunControl,
    reason: string | null,
    { stopped = false, current = ALWAYS }: { stopped?: boolean; current?: IsCurrent } = {},
  ): Promise<void> {
    for (;;) {
      requireCurrent(current);
      const before = await this.byOwner(owner);
      const other = (isHeld(control) && before.controlReason !== reason) || (stopped && !before.stopped);
      if (before.control === control && !other) return;
      if (await this.move(before, control, reason, { stopped: stopped || before.stopped })) return;
    }
  }

  /** A person's pause where no worker attends to the campaign: one that drains or stops goes on doing so. */
  async pauseIfRunning(owner: string, reason: string): Promise<void> {
    for (;;) {
      const before = await this.byOwner(owner);
      if (before.control !== 'running' || (await this.move(before, 'paused', reason))) return;
    }
  }

  /**
   * What a worker may do when a budget leaves no room: a campaign that a person stops goes on ending, and a person's
   * pause stays one. One that ends by a limit waits for the budget with the trials that it has accepted, and one that
   * is paused by a budget already gets the new reason.
   */
  async pauseExhausted(owner: string, exhausted: Exhausted, reason: string): Promise<void> {
    for (;;) {
      const before = await this.byOwner(owner);
      const { control, stopped } = before;
      const working = control === 'running' || (control === 'draining' && !stopped);
      if (!working && before.exhausted === null) return;
      if (before.controlReason === reason) return;
      if (await this.move(before, 'paused', reason, { exhausted })) return;
    }
  }

  /**
   * Adds the time that passed since anybody last counted, and notices when the frontier moved. However many watchers
   * count at once, and wherever, each stretch of time is added once.
   */
  async tick(owner: string, frontierVersion: number): Promise<CampaignDocument> {
    for (;;) {
      const before = await this.byOwner(owner);
      if (before.endedAt !== null) return before;
      const step = this.stepFrom(before, frontierVersion);
      const after = await this.shelf.change(
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
   * What a worker may do when a fault does not pass: nothing begins until a person has looked. One that is paused
   * or stopping stays so. Returns the control that holds afterwards.
   */
  async block(owner: string, reason: string): Promise<RunControl> {
    for (;;) {
      const before = await this.byOwner(owner);
      const { control } = before;
      if (control === 'stopping' || isHeld(control)) return control;
      if (await this.move(before, 'blocked', reason)) return 'blocked';
    }
  }

  /** A person's stop. Moves the control towards the end and never back: what drains or stops already stays so. */
  async windDown(owner: string, to: 'draining' | 'stopping', reason: string): Promise<void> {
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
    reason: string | null,
    { exhausted = null, stopped = before.stopped }: { exhausted?: Exhausted | null; stopped?: boolean } = {},
  ): Promise<boolean> {
    const { owner, elapsed } = before;
    const step = this.stepFrom(before, elapsed.gainVersion);
    const pausedSince = isHeld(control) ? (before.pausedSince ?? step.elapsed.at) : null;
    const moved = await this.shelf.update(
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
   * Registers work in the same document that holds the control, so that nothing starts after a pause was
   * acknowledged. Returns false when the campaign does not let work start now, or a later attempt has taken it over.
   */
  async startWork(
    owner: string,
    key: string,
    work: ActiveWork,
    controls: readonly RunControl[] = ['running', 'draining'],
  ): Promise<boolean> {
    const field = `active.${fieldOf(key)}`;
    const changed = await this.shelf.change(
      { owner, control: { $in: [...controls] }, [`${field}.fence`]: { $not: { $gt: work.fence } } },
      { $set: { [field]: work } },
    );
    return changed !== null;
  }

  /** Shows a later stage of registered work. */
  async markWork(owner: string, key: string, fence: number, stage: string): Promise<void> {
    const field = `active.${fieldOf(key)}`;
    await this.shelf.update({ owner, [`${field}.fence`]: fence }, { $set: { [`${field}.stage`]: stage } });
  }

  /** Forgets all registered work, when nobody can be left to do it. */
  async clearWork(owner: string): Promise<void> {
    await this.shelf.update({ owner }, { $set: { active: {} } });
  }

  /** Ends registered work; work that a later attempt has taken over stays. */
  async endWork(owner: string, key: string, fence: number): Promise<void> {
    const field = `active.${fieldOf(key)}`;
    await this.shelf.update({ owner, [`${field}.fence`]: { $lte: fence } }, { $unset: { [field]: '' } });
  }
}
