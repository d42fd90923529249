import { BSON, GridFSBucket, ObjectId, type Db } from 'mongodb';
import { z } from 'zod';
import type { Clock } from '../../domain/campaign/clock.js';
import { AssayError } from '../../domain/errors.js';
import { KINDS } from '../document-kinds.js';
import { snapshotDocument } from '../documents/snapshot.js';
import { deleteLarge } from './large-files.js';
import { referencedDigests } from './references.js';
import { RENEWED_AFTER_MS } from './stored-at.js';

/** Number and bytes of things of one kind. */
export interface Amount {
  count: number;
  bytes: number;
}

/** Kinds of what can be freed: trees, files, and pieces of large files that nothing leads to any more. */
export type GarbageKind = 'snapshots' | 'blobs' | 'files' | 'chunks';

export interface CollectedGarbage {
  /** Freed now; with `dryRun` what would be. */
  freed: Record<GarbageKind, Amount>;
  /** Needed by no record either, but stored too lately: whoever stored it may be about to refer to it. */
  young: Amount;
  /** Blobs that records need. */
  kept: Amount;
}

export interface CollectOptions {
  /** Frees only what was last stored this long ago, in milliseconds. */
  minAgeMs: number;
  dryRun: boolean;
  /** Called with what is being read. */
  onStep?: (what: string) => void;
}

/** Least age of what is freed: twice that from which content that is stored again is renewed. */
export const LEAST_AGE_MS = 2 * RENEWED_AFTER_MS;

const storedAt = z.date().nullable().default(null);
const blobRow = z.object({
  _id: z.string(),
  bytes: z.number(),
  file: z.instanceof(ObjectId).nullable(),
  storedAt,
});
const fileRow = z.object({ _id: z.instanceof(ObjectId), length: z.number(), uploadDate: z.date() });
const chunkRow = z.object({ files_id: z.instanceof(ObjectId) });

/**
 * Frees stored content that no record needs. It asks the store alone, so campaigns of any server may run meanwhile:
 * what they store counts as needed for a while, and storing known content again renews its time, on which each
 * deletion depends. It may be killed at any moment, and another run frees the rest.
 */
export class Garbage {
  constructor(
    private readonly database: Db,
    private readonly clock: Clock,
  ) {}

  /** Every digest that a record names: what hosts keep under another is needed by none. */
  named(): Promise<Set<string>> {
    return referencedDigests(this.database);
  }

  async collect({ minAgeMs, dryRun, onStep }: CollectOptions): Promise<CollectedGarbage> {
    if (minAgeMs < LEAST_AGE_MS) throw new AssayError('INTERNAL', 'content this young may not be freed');
    const sweep = new Sweep(this.database, this.clock.wall(), minAgeMs, dryRun);
    onStep?.('records');
    const needed = await referencedDigests(this.database);
    onStep?.('snapshots');
    await sweep.snapshots(needed);
    onStep?.('blobs');
    const files = await sweep.blobs(needed);
    onStep?.('large files');
    await sweep.chunks(await sweep.files(files));
    return sweep.result;
  }
}

const nothing = (): Amount => ({ count: 0, bytes: 0 });

function count(into: Amount, bytes: number): void {
  into.count += 1;
  into.bytes += bytes;
}

/** One pass over the store. */
class Sweep {
  readonly result: CollectedGarbage = {
    freed: { snapshots: nothing(), blobs: nothing(), files: nothing(), chunks: nothing() },
    young: nothing(),
    kept: nothing(),
  };
  readonly #bucket;

  constructor(
    private readonly database: Db,
    private readonly now: Date,
    private readonly minAgeMs: number,
    private readonly dryRun: boolean,
  ) {
    this.#bucket = new GridFSBucket(database, { bucketName: 'large' });
  }

  /** Frees snapshots; adds the files of all others to what is needed. */
  async snapshots(needed: Set<string>): Promise<void> {
    const { collection } = KINDS.snapshots;
    for await (const document of this.database.collection(collection).find()) {
      const { _id, files, storedAt: at } = snapshotDocument.parse(document);
      const bytes = BSON.calculateObjectSize(document);
      if (!needed.has(_id) && (await this.#frees(collection, _id, at)))
        count(this.result.freed.snapshots, bytes);
      else for (const file of files) needed.add(file.sha256);
    }
  }

  /** Frees blobs, with their large files; returns the ids of the files that blobs have. */
  async blobs(needed: ReadonlySet<string>): Promise<Set<string>> {
    const { collection } = KINDS.blobs;
    const files = new Set<string>();
    const rows = this.database.collection(collection).find({}, { projection: { inline: 0 } });
    for await (const document of rows) {
      const { _id, bytes, file, storedAt: at } = blobRow.parse(document);
      if (file !== null) files.add(file.toHexString());
      if (needed.has(_id)) count(this.result.kept, bytes);
      else if (!(await this.#frees(collection, _id, at))) count(this.result.young, bytes);
      else {
        count(this.result.freed.blobs, bytes);
        // a kill before this leaves a file that no blob names, which the next run frees
        if (file !== null && !this.dryRun) await deleteLarge(this.#bucket, file);
      }
    }
    return files;
  }

  /** Frees large files that no blob has; returns the ids of all that there were. */
  async files(ofBlobs: ReadonlySet<string>): Promise<Set<string>> {
    const known = new Set(ofBlobs);
    for await (const document of this.#bucket.find()) {
      const { _id, length, uploadDate } = fileRow.parse(document);
      known.add(_id.toHexString());
      if (ofBlobs.has(_id.toHexString())) continue;
      if (!this.#isOld(uploadDate)) {
        count(this.result.young, length);
        continue;
      }
      count(this.result.freed.files, length);
      if (!this.dryRun) await deleteLarge(this.#bucket, _id);
    }
    return known;
  }

  /** Frees the chunks that killed uploads and deletions have left. */
  async chunks(files: ReadonlySet<string>): Promise<void> {
    const chunks = this.database.collection('large.chunks');
    const lost = new Map<string, ObjectId>();
    for await (const document of chunks.find({}, { projection: { _id: 0, files_id: 1 } })) {
      const { files_id: file } = chunkRow.parse(document);
      if (!files.has(file.toHexString()) && this.#isOld(file.getTimestamp()))
        lost.set(file.toHexString(), file);
    }
    for (const file of lost.values()) {
      for await (const document of chunks.find({ files_id: file }))
        count(this.result.freed.chunks, BSON.calculateObjectSize(document));
      if (!this.dryRun) await chunks.deleteMany({ files_id: file });
    }
  }

  /**
   * Deletes content that is old enough, unless it is stored again at this moment. Content whose age is not known gets
   * a time, from which its age counts.
   */
  async #frees(collection: string, digest: string, at: Date | null): Promise<boolean> {
    const rows = this.database.collection<{ _id: string }>(collection);
    if (at === null) {
      if (!this.dryRun)
        await rows.updateOne({ _id: digest, storedAt: null }, { $set: { storedAt: this.now } });
      return false;
    }
    if (!this.#isOld(at)) return false;
    if (this.dryRun) return true;
    return (await rows.deleteOne({ _id: digest, storedAt: at })).deletedCount === 1;
  }

  #isOld(at: Date): boolean {
    return this.now.getTime() - at.getTime() >= this.minAgeMs;
  }
}
