import type { Db } from 'mongodb';
import type { TierName } from '../domain/task/isolation.js';
import { hostDocument, type HostDocument, type HostReport } from './documents/host.js';
import { KINDS } from './document-kinds.js';
import { TypedCollection } from './typed-collection.js';

const LISTED = 500;
/** A worker that has not reported for so long has ended; its clock may be another than ours. */
const SILENT_MS = 10 * 60_000;

/**
 * Hosts as they report themselves. No decision on a trial reads it; whoever misses files that a host keeps asks whether
 * that host lives.
 */
export class Hosts {
  private readonly collection;

  constructor(database: Db) {
    this.collection = new TypedCollection(database, KINDS.hosts);
  }

  /** Replaces a worker's last report. */
  async report(host: HostReport): Promise<void> {
    const { _id, ...said } = hostDocument.parse(host);
    await this.collection.update({ _id }, { $set: said }, { upsert: true });
  }

  /** Removes the report of a worker that shuts down; that of a killed one becomes old. */
  async leave(id: string): Promise<void> {
    await this.collection.remove({ _id: id });
  }

  /**
   * Time, by its own clock, at which a host that keeps this folder last said that it takes work of a role; null when
   * none does.
   */
  async servedAt(folder: string, role: string): Promise<Date | null> {
    const found = (await this.list()).filter(
      ({ kept, healthy, roles }) => kept === folder && healthy && roles.includes(role),
    );
    const times = found.map(({ at }) => at.getTime());
    return times.length === 0 ? null : new Date(Math.max(...times));
  }

  /** Isolation tiers that the live workers of a pool hold, as far as they have said so; at most one of each. */
  async tiersOf(pool: string): Promise<TierName[]> {
    const since = Date.now() - SILENT_MS;
    const live = (await this.list()).filter((one) => one.pool === pool && one.at.getTime() > since);
    return [...new Set(live.flatMap(({ tier }) => tier ?? []))];
  }

  /** Name of the host that keeps this folder, by its last report: it may have been given another since it kept something. */
  async nameAt(folder: string): Promise<string | null> {
    const found = (await this.list()).filter(({ kept }) => kept === folder);
    return found.sort((a, b) => b.at.getTime() - a.at.getTime())[0]?.host ?? null;
  }

  /**
   * Returns true where a worker on the host that asks, which keeps this folder, reported a role within these
   * milliseconds: an unhealthy moment passes. Only that host may ask, since its own clock is compared.
   */
  async hasReported(folder: string, role: string, withinMs: number): Promise<boolean> {
    const since = Date.now() - withinMs;
    return (await this.list()).some(
      ({ kept, roles, at }) => kept === folder && roles.includes(role) && at.getTime() > since,
    );
  }

  /** Lists the last reports of workers; at most 500. */
  async list(): Promise<HostDocument[]> {
    return this.collection.list({}, { sort: { _id: 1 }, limit: LISTED });
  }
}
