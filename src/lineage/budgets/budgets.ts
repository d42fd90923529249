import { randomUUID } from 'node:crypto';
import type { Db } from 'mongodb';
import { z } from 'zod';
import { changedLimits, type LimitChange, type Limits } from '../../domain/money/budget.js';
import { fieldOf } from '../../domain/keys.js';
import { type Amounts, type BudgetDocument, type LimitChangeRecord } from '../documents/budget.js';
import { ledgerDocument, type LedgerDocument } from '../documents/ledger.js';
import type { Saving } from '../documents/saving.js';
import { KINDS } from '../document-kinds.js';
import { TypedCollection } from '../typed-collection.js';
import { fieldsOf } from '../update-fields.js';

export const NOTHING: Amounts = { microUsd: 0, acceleratorMs: 0, tokens: 0 };

/** Request to hold amounts before they are spent. */
export interface Reservation {
  owner: string;
  /** Identifies the spending: a key is spent once. */
  key: string;
  amounts: Amounts;
  what: string;
  role: string;
  /** Trial that it is spent on, or null. */
  trial: number | null;
  /**
   * Key of an existing hold that this one replaces, in one write, so that no other request can take the freed amount.
   */
  instead?: string;
}

const sumDocument = z.object({
  _id: z.object({ role: z.string(), certainty: ledgerDocument.shape.certainty }),
  rows: z.number(),
  microUsd: z.number(),
  acceleratorMs: z.number(),
  tokens: z.number(),
  savedMs: z.number(),
});

/** Settled rows of one role, added up. */
export interface LedgerSum {
  role: string;
  certainty: LedgerDocument['certainty'];
  rows: number;
  spent: Amounts;
  /** Accelerator time that was not needed, in milliseconds of one slot. */
  savedMs: number;
}

export type ReserveResult = 'reserved' | 'settled' | 'exhausted';

/**
 * Reserves before spending and settles after: one document per campaign holds the limits, and the ledger every
 * settled row.
 */
export class Budgets {
  private readonly budgets;
  private readonly ledger;

  constructor(database: Db) {
    this.budgets = new TypedCollection(database, KINDS.budgets);
    this.ledger = new TypedCollection(database, KINDS.ledger);
  }

  async create(owner: string, limits: Limits): Promise<void> {
    await this.budgets.insertOnce({ _id: owner, limits, revision: 0, changes: [], held: NOTHING, open: {} });
  }

  async find(owner: string): Promise<BudgetDocument | null> {
    return this.budgets.get(owner);
  }

  async get(owner: string): Promise<BudgetDocument> {
    return this.budgets.require(owner);
  }

  /** Current limits. */
  async limits(owner: string): Promise<Limits> {
    return (await this.budgets.require(owner)).limits;
  }

  /**
   * Changes limits and records who asked. Each id is applied once, so that a retry, or a workflow reset to before a
   * later change, changes nothing.
   */
  async changeLimits(
    owner: string,
    { id, by, change }: { id: string; by: string | null; change: LimitChange },
  ): Promise<LimitChangeRecord> {
    for (;;) {
      const { limits: from, revision, changes } = await this.budgets.require(owner);
      const applied = changes.find((each) => each.id === id);
      if (applied !== undefined) return applied;
      const made = { id, at: new Date(), by, from, to: changedLimits(from, change) };
      const changed = await this.budgets.update(
        { _id: owner, revision },
        { $set: fieldsOf('limits', made.to), $inc: { revision: 1 }, $push: { changes: made } },
      );
      if (changed) return made;
    }
  }

  /** Holds the amounts if every limit leaves room; a key already held counts as reserved. */
  async reserve(reservation: Reservation): Promise<ReserveResult> {
    const { owner, key, instead } = reservation;
    const held = ({ open }: BudgetDocument, of: string | undefined) =>
      of !== undefined && fieldOf(of) in open;
    for (;;) {
      const before = await this.budgets.require(owner);
      const mine = await this.hold(reservation, before);
      if ((await this.ledger.get(key)) !== null) {
        if (mine) await this.settle(owner, key, NOTHING, 'unpaid');
        else await this.settle(owner, key, 'upper-bound', 'unknown');
        return 'settled';
      }
      if (mine) return 'reserved';
      const after = await this.budgets.require(owner);
      if (held(after, key)) return 'reserved';
      const same = after.revision === before.revision && held(after, instead) === held(before, instead);
      if (same) return 'exhausted';
    }
  }

  /**
   * Holds the amounts in one write, which is refused if the key is held, a limit leaves no room, or the limits have
   * changed.
   */
  private async hold(
    { owner, key, amounts, what, role, trial, instead }: Reservation,
    { limits, revision, open }: BudgetDocument,
  ): Promise<boolean> {
    const field = `open.${fieldOf(key)}`;
    const kept = instead === undefined ? undefined : open[fieldOf(instead)];
    const place = kept === undefined ? undefined : `open.${fieldOf(kept.key)}`;
    const more = less(amounts, kept?.reserved ?? NOTHING);
    const room = (['microUsd', 'acceleratorMs'] as const).flatMap((kind) => {
      const limit = limits[kind];
      return limit === null || amounts[kind] === 0
        ? []
        : [[`held.${kind}`, { $lte: limit - more[kind] }] as const];
    });
    const own = { key, hold: randomUUID(), trial, reserved: amounts, role, what, since: new Date() };
    return this.budgets.update(
      {
        ...{ _id: owner, revision, [field]: { $exists: false }, ...Object.fromEntries(room) },
        ...(place !== undefined && { [`${place}.hold`]: kept?.hold }),
      },
      {
        $inc: increments(more),
        $set: { [field]: own },
        ...(place !== undefined && { $unset: { [place]: '' } }),
      },
    );
  }

  /**
   * Writes the ledger row, then releases the hold; repeating it changes nothing. The row names its hold, so that
   * callers who settle it at the same time count the same amounts, whichever comes first.
   */
  async settle(
    owner: string,
    key: string,
    spent: Amounts | 'upper-bound',
    certainty: LedgerDocument['certainty'],
  ): Promise<void> {
    const open = (await this.budgets.require(owner)).open[fieldOf(key)];
    if (open === undefined) return;
    const { hold, what, role, trial, reserved } = open;
    const counted = { what, role, trial, reserved, certainty, hold, at: new Date() };
    const row = { ...counted, spent: spent === 'upper-bound' ? reserved : spent };
    if (!(await this.ledger.insertOnce({ _id: key, owner, ...row, saved: null })))
      await this.ledger.update({ _id: key, hold: null }, { $set: row });
    const written = await this.ledger.require(key);
    await this.close(owner, key, open, written.hold === hold ? written.spent : NOTHING);
  }

  /**
   * Settles what a lost attempt may have spent, at its upper bound. If it had reserved nothing yet, it gets an empty
   * row, so that it cannot spend when it wakes up; if it reserves at the same time, that is settled too.
   */
  async giveUp(owner: string, key: string, what: string): Promise<void> {
    await this.settle(owner, key, 'upper-bound', 'unknown');
    const nothing = {
      reserved: NOTHING,
      spent: NOTHING,
      certainty: 'unpaid',
      hold: null,
      saved: null,
    } as const;
    if (
      await this.ledger.insertOnce({
        _id: key,
        owner,
        what,
        role: '',
        trial: null,
        ...nothing,
        at: new Date(),
      })
    )
      await this.settle(owner, key, 'upper-bound', 'unknown');
  }

  /** Records compute that was saved, once. */
  async save(
    of: { owner: string; replicate: string; role: string; trial: number },
    saved: Saving,
  ): Promise<void> {
    const { replicate, ...row } = of;
    await this.ledger.insertOnce({
      ...row,
      _id: `${replicate}/saved/${saved.kind}-${saved.phase}`,
      what: 'saved',
      reserved: NOTHING,
      spent: NOTHING,
      certainty: 'known',
      hold: null,
      saved,
      at: new Date(),
    });
  }

  private async close(
    owner: string,
    key: string,
    { hold, reserved }: { hold: string; reserved: Amounts },
    spent: Amounts,
  ): Promise<void> {
    const field = `open.${fieldOf(key)}`;
    await this.budgets.update(
      { _id: owner, [`${field}.hold`]: hold },
      { $inc: increments(less(spent, reserved)), $unset: { [field]: '' } },
    );
  }

  /** Adds up the ledger of one campaign in the store, by role and certainty. */
  async sums(owner: string): Promise<LedgerSum[]> {
    const rows = await this.ledger.raw
      .aggregate([
        { $match: { owner } },
        {
          $group: {
            _id: { role: '$role', certainty: '$certainty' },
            rows: { $sum: 1 },
            microUsd: { $sum: '$spent.microUsd' },
            acceleratorMs: { $sum: '$spent.acceleratorMs' },
            tokens: { $sum: '$spent.tokens' },
            savedMs: { $sum: '$saved.acceleratorMs' },
          },
        },
      ])
      .toArray();
    return z
      .array(sumDocument)
      .parse(rows)
      .map(({ _id, rows: count, savedMs, ...spent }) => ({ ..._id, rows: count, spent, savedMs }));
  }

  /** Reads what was spent under these keys; those under which nothing was settled are left out. */
  async settled(keys: readonly string[]): Promise<LedgerDocument[]> {
    return this.ledger.many(keys);
  }

  async rows(owner: string, limit: number): Promise<LedgerDocument[]> {
    return this.ledger.list({ owner }, { sort: { at: 1 }, limit });
  }
}

const less = (a: Amounts, b: Amounts): Amounts => ({
  microUsd: a.microUsd - b.microUsd,
  acceleratorMs: a.acceleratorMs - b.acceleratorMs,
  tokens: a.tokens - b.tokens,
});

function increments(amounts: Amounts): Record<string, number> {
  return {
    'held.microUsd': amounts.microUsd,
    'held.acceleratorMs': amounts.acceleratorMs,
    'held.tokens': amounts.tokens,
  };
}
