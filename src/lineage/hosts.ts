import type { Db } from 'mongodb';
import { type HostDocument } from './documents/host.js';
import { KINDS } from './document-kinds.js';
import { TypedCollection } from './typed-collection.js';

const LISTED = 500;

/** Which hosts take work, by their own account. For people only: nothing is decided by it. */
export class Hosts {
  private readonly shelf;

  constructor(database: Db) {
    this.shelf = new TypedCollection(database, KINDS.hosts);
  }

  /** Replaces what a worker of a host said before. */
  async report(host: HostDocument): Promise<void> {
    const { _id, ...said } = host;
    await this.shelf.update({ _id }, { $set: said }, { upsert: true });
  }

  /** A worker that ends in order takes its report with it; that of one that was killed becomes old. */
  async leave(id: string): Promise<void> {
    await this.shelf.remove({ _id: id });
  }

  /** What workers said last; at most 500. */
  async list(): Promise<HostDocument[]> {
    return this.shelf.list({}, { sort: { _id: 1 }, limit: LISTED });
  }
}
