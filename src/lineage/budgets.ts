import type { Db } from 'mongodb';
import { z } from 'zod';
import { fieldOf } from '../domain/keys.js';
import {
  budgetDocument,
  ledgerDocument,
  type Amounts,
  type BudgetDocument,
  type LedgerDocument,
} from './documents.js';
import { Shelf } from './shelf.js';

export const NOTHING: Amounts = { microUsd: 0, acceleratorMs: 0, tokens: 0 };

/** What is asked for before it is spent. */
export interface Reservation {
  owner: string;
  /** Names the spending for ever: the same key is spent once. */
  key: string;
  amounts: Amounts;
  what: string;
  role: string;
  /** The trial that it is spent on; null for what belongs to none. */
  trial: number | null;
}

const sumDocument = z.object({
  _id: z.object({ role: z.string(), certainty: ledgerDocument.shape.certainty }),
  rows: z.number(),
  microUsd: z.number(),
  acceleratorMs: z.number(),
  tokens: z.number(),
});

/** Settled rows of one role, added up. */
export interface LedgerSum {
  role: string;
  certainty: LedgerDocument['certainty'];
  rows: number;
  spent: Amounts;
}

export type ReserveResult = 'reserved' | 'settled' | 'exhausted';

/** Reserve before, settle after: one document a campaign holds the limits, and the ledger every settled row. */
export class Budgets {
  private readonly budgets;
  private readonly ledger;

  constructor(database: Db) {
    this.budgets = new Shelf(database.collection<{ _id: string }>('budgets'), budgetDocument);
    this.ledger = new Shelf(database.collection<{ _id: string }>('ledger'), ledgerDocument);
  }

  async create(owner: string, limits: BudgetDocument['limits']): Promise<void> {
    await this.budgets.insertOnce({ _id: owner, limits, held: NOTHING, open: {} });
  }

  async find(owner: string): Promise<BudgetDocument | null> {
    return this.budgets.get(owner);
  }

  async get(owner: string): Promise<BudgetDocument> {
    return this.budgets.require(owner);
  }

  async setLimits(owner: string, limits: BudgetDocument['limits']): Promise<void> {
    await this.budgets.update({ _id: owner }, { $set: { limits } });
  }

  /** Holds the amounts if every limit leaves room; a key already held counts as reserved. */
  async reserve(reservation: Reservation): Promise<ReserveResult> {
    const { owner, key, amounts, what, role, trial } = reservation;
    const field = `open.${fieldOf(key)}`;
    const { limits } = await this.budgets.require(owner);
    const room = {
      ...(limits.microUsd === null ? {} : { 'held.microUsd': { $lte: limits.microUsd - amounts.microUsd } }),
      ...(limits.acceleratorMs === null
        ? {}
        : { 'held.acceleratorMs': { $lte: limits.acceleratorMs - amounts.acceleratorMs } }),
    };
    const held = await this.budgets.change(
      { _id: owner, [field]: { $exists: false }, ...room },
      {
        $inc: increments(amounts),
        $set: { [field]: { key, trial, reserved: amounts, role, what, since: new Date() } },
      },
    );
    const settled = (await this.ledger.get(key)) !== null;
    if (settled) {
      if (held !== null) await this.close(owner, key, amounts, NOTHING);
      return 'settled';
    }
    if (held !== null) return 'reserved';
    const budget = await this.budgets.require(owner);
    return fieldOf(key) in budget.open ? 'reserved' : 'exhausted';
  }

  /** Writes the ledger row first, then gives back what was held; doing it again changes nothing. */
  async settle(
    owner: string,
    key: string,
    spent: Amounts | 'upper-bound',
    certainty: LedgerDocument['certainty'],
  ): Promise<void> {
    const open = (await this.budgets.require(owner)).open[fieldOf(key)];
    if (open === undefined) return;
    await this.ledger.insertOnce({
      _id: key,
      owner,
      what: open.what,
      role: open.role,
      trial: open.trial,
      reserved: open.reserved,
      spent: spent === 'upper-bound' ? open.reserved : spent,
      certainty,
      at: new Date(),
    });
    const row = await this.ledger.require(key);
    await this.close(owner, key, open.reserved, row.spent);
  }

  /**
   * Settles what a lost attempt may have spent at its upper bound. One that had reserved nothing yet gets an empty
   * row, so that it cannot spend any more if it was only asleep.
   */
  async giveUp(owner: string, key: string, what: string): Promise<void> {
    await this.settle(owner, key, 'upper-bound', 'unknown');
    const row = { _id: key, owner, what, role: '', trial: null, reserved: NOTHING, spent: NOTHING };
    await this.ledger.insertOnce({ ...row, certainty: 'unpaid', at: new Date() });
  }

  private async close(owner: string, key: string, reserved: Amounts, spent: Amounts): Promise<void> {
    const field = `open.${fieldOf(key)}`;
    const difference = {
      microUsd: spent.microUsd - reserved.microUsd,
      acceleratorMs: spent.acceleratorMs - reserved.acceleratorMs,
      tokens: spent.tokens - reserved.tokens,
    };
    await this.budgets.update(
      { _id: owner, [field]: { $exists: true } },
      { $inc: increments(difference), $unset: { [field]: '' } },
    );
  }

  /** The ledger of one campaign, added up in the store by role and certainty. */
  async sums(owner: string): Promise<LedgerSum[]> {
    const rows = await this.ledger.collection
      .aggregate([
        { $match: { owner } },
        {
          $group: {
            _id: { role: '$role', certainty: '$certainty' },
            rows: { $sum: 1 },
            microUsd: { $sum: '$spent.microUsd' },
            acceleratorMs: { $sum: '$spent.acceleratorMs' },
            tokens: { $sum: '$spent.tokens' },
          },
        },
      ])
      .toArray();
    return z
      .array(sumDocument)
      .parse(rows)
      .map(({ _id, rows: count, ...spent }) => ({ ..._id, rows: count, spent }));
  }

  async rows(owner: string, limit: number): Promise<LedgerDocument[]> {
    return this.ledger.list({ owner }, { sort: { at: 1 }, limit });
  }
}

function increments(amounts: Amounts): Record<string, number> {
  return {
    'held.microUsd': amounts.microUsd,
    'held.acceleratorMs': amounts.acceleratorMs,
    'held.tokens': amounts.tokens,
  };
}
