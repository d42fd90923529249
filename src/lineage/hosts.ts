import type { Db } from 'mongodb';
import { type HostDocument } from './documents/host.js';
import { KINDS } from './document-kinds.js';
import { TypedCollection } from './typed-collection.js';

const LISTED = 500;

/** Hosts as they report themselves. For people only: no decision reads it. */
export class Hosts {
  private readonly collection;

  constructor(database: Db) {
    this.collection = new TypedCollection(database, KINDS.hosts);
  }

  /** Replaces a worker's last report. */
  async report(host: HostDocument): Promise<void> {
    const { _id, ...said } = host;
    await this.collection.update({ _id }, { $set: said }, { upsert: true });
  }

  /** Removes the report of a worker that shuts down; that of a killed one becomes old. */
  async leave(id: string): Promise<void> {
    await this.collection.remove({ _id: id });
  }

  /** Lists the last reports of workers; at most 500. */
  async list(): Promise<HostDocument[]> {
    return this.collection.list({}, { sort: { _id: 1 }, limit: LISTED });
  }
}
