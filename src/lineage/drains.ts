import type { Db } from 'mongodb';
import type { DrainDocument } from './documents/drain.js';
import { KINDS } from './document-kinds.js';
import { TypedCollection } from './typed-collection.js';

const LISTED = 500;

/** Hosts that keep their slots for requests of one size: a hint for other hosts of their pool, on which nothing relies. */
export class Drains {
  private readonly collection;

  constructor(database: Db) {
    this.collection = new TypedCollection(database, KINDS.drains);
  }

  /** Notes that a host drains for a size, and that it lives. */
  async renew(pool: string, host: string, size: number): Promise<void> {
    const change = { $set: { host, size }, $inc: { renewals: 1 } };
    await this.collection.update({ _id: `${pool}/${host}` }, change, { upsert: true });
  }

  /** Removes the note of a host. */
  async end(pool: string, host: string): Promise<void> {
    await this.collection.remove({ _id: `${pool}/${host}` });
  }

  /** Lists the notes of a pool's hosts, those of dead ones too; at most 500. */
  async list(pool: string): Promise<DrainDocument[]> {
    return this.collection.list({ _id: { $gte: `${pool}/`, $lt: `${pool}0` } }, { limit: LISTED });
  }
}
