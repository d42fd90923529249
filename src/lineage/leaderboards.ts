import type { Db } from 'mongodb';
import { z } from 'zod';
import { TRIAL_STATUSES, trialStatusSchema, type TrialStatus } from '../domain/statuses.js';
import { isMissed } from '../domain/task/gates.js';
import type { Task } from '../domain/task/task.js';
import type { TrialRow } from '../domain/session/view.js';
import { KINDS } from './document-kinds.js';
import { TypedCollection } from './typed-collection.js';

const RECENT = 30;
const BEST = 20;
const BLOCK = 500;

export type StatusCounts = Record<TrialStatus, number>;

/**
 * Small documents that answer the common questions at a cost that does not grow with the campaign. Each is idempotent
 * by trial and can be rebuilt from the trial log.
 */
export class Leaderboards {
  private readonly heads;
  private readonly blocks;

  constructor(database: Db) {
    this.heads = new TypedCollection(database, KINDS.leaderboards);
    this.blocks = new TypedCollection(database, KINDS.statuses);
  }

  /** Adds an ended trial. */
  async record(owner: string, row: TrialRow, direction: Task['metric']['direction']): Promise<void> {
    const { status } = row;
    if (status === null) return;
    const rank = row.score === null ? null : direction === 'minimize' ? row.score : -row.score;
    const entry = { ...row, rank };
    await this.push(`${owner}/role/${row.role}`, entry, { trial: -1 }, RECENT);
    if (rank !== null && (status === 'keep' || status === 'discard'))
      await this.push(`${owner}/best`, entry, { rank: 1, trial: 1 }, BEST);
    // what was stopped before it was measured is not known to be better than anything
    if (rank !== null && row.margins.some(isMissed))
      await this.push(`${owner}/near`, entry, { trial: -1 }, RECENT);
    await this.blocks.update(
      { _id: `${owner}/${Math.floor(row.trial / BLOCK)}` },
      { $set: { [`statuses.${row.trial}`]: status } },
      { upsert: true },
    );
  }

  private async push(
    id: string,
    entry: TrialRow & { rank: number | null },
    sort: Record<string, 1 | -1>,
    keep: number,
  ): Promise<void> {
    await this.heads.insertOnce({ _id: id, rows: [] });
    await this.heads.update(
      { _id: id, 'rows.trial': { $ne: entry.trial } },
      { $push: { rows: { $each: [entry], $sort: sort, $slice: keep } } },
    );
  }

  private async rows(id: string): Promise<TrialRow[]> {
    const head = await this.heads.get(id);
    return (head?.rows ?? []).map(({ rank: _, ...row }) => row);
  }

  async recent(owner: string, role: string): Promise<TrialRow[]> {
    return this.rows(`${owner}/role/${role}`);
  }

  async best(owner: string): Promise<TrialRow[]> {
    return this.rows(`${owner}/best`);
  }

  /** Reads the newest trials that were measured and missed a gate, newest first. */
  async nearMisses(owner: string): Promise<TrialRow[]> {
    return this.rows(`${owner}/near`);
  }

  /** Counts the trials 1 … `submitted` by the status they ended with. */
  async counts(owner: string, submitted: number): Promise<StatusCounts> {
    const keys = Array.from({ length: Math.floor(submitted / BLOCK) + 1 }, (_, block) => `${owner}/${block}`);
    const counts = zeroCounts();
    for (const block of await this.blocks.many(keys))
      for (const [trial, status] of Object.entries(block.statuses)) if (trial !== '0') counts[status] += 1;
    return counts;
  }
}

function zeroCounts(): StatusCounts {
  const counts: Partial<StatusCounts> = {};
  for (const status of TRIAL_STATUSES) counts[status] = 0;
  return z.record(trialStatusSchema, z.number()).parse(counts);
}
