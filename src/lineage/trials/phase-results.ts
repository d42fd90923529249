import type { Db } from 'mongodb';
import type { HostPlace, OnHost } from '../documents/on-host.js';
import { type PhaseResultDocument } from '../documents/phase-result.js';
import type { PhaseRun } from '../documents/phase-run.js';
import type { StoredFile } from '../documents/snapshot.js';
import { KINDS } from '../document-kinds.js';
import { TypedCollection } from '../typed-collection.js';

/** Owner of a running phase. */
export type PhaseOwner = Pick<PhaseResultDocument, 'owner' | 'phase' | 'replicate' | 'trial'>;

/** Outputs of a phase. */
export interface PhaseOutput {
  run: PhaseRun;
  /** Counted size of its files and folders. */
  bytes: number;
  files: StoredFile[];
  /** Place of their bytes; null where they are in the store. */
  onHost: OnHost | null;
  progress: PhaseResultDocument['progress'];
}

/** A finished result. */
export type Finished = PhaseResultDocument & PhaseOutput;

const idOf = (owner: string, key: string): string => `${owner}/${key}`;

/** Results of phases by the digest of everything they read. The first result under a key is final. */
export class PhaseResults {
  private readonly collection;

  constructor(database: Db) {
    this.collection = new TypedCollection(database, KINDS.phases);
  }

  /** Reads the result under a key, or null if there is none. */
  async finished(owner: string, key: string): Promise<Finished | null> {
    return finishedOf(await this.collection.get(idOf(owner, key)));
  }

  /** Reads the owner that is entered for a phase, or whose result it is; null while there is none. */
  async entered(owner: string, key: string): Promise<PhaseResultDocument | null> {
    return this.collection.get(idOf(owner, key));
  }

  /** Enters the owner of a phase, unless one is entered; returns the one that is. */
  async begin(by: PhaseOwner, key: string): Promise<PhaseResultDocument> {
    const id = idOf(by.owner, key);
    const open = { run: null, bytes: null, files: null, onHost: null, progress: [], unkept: false };
    await this.collection.insertOnce({ ...by, ...open, _id: id });
    return this.collection.require(id);
  }

  /**
   * Replaces the owner of a phase by another replicate, if it will not finish the phase; returns whether it did.
   */
  async takeOver(by: PhaseOwner, key: string, from: string): Promise<boolean> {
    const { replicate, trial } = by;
    const filter = { _id: idOf(by.owner, key), replicate: from, files: null };
    return this.collection.update(filter, { $set: { replicate, trial } });
  }

  /** Records that a phase has run and its outputs could not be kept, so that nobody waits for them. */
  async leaveUnkept({ owner, replicate }: PhaseOwner, key: string): Promise<void> {
    const filter = { _id: idOf(owner, key), replicate, files: null };
    await this.collection.update(filter, { $set: { unkept: true } });
  }

  /** Marks results of which a host keeps some file no more. */
  async markGone({ folder }: HostPlace, digests: readonly string[]): Promise<void> {
    await this.collection.raw.updateMany(
      { 'onHost.folder': folder, 'onHost.gone': null, 'files.sha256': { $in: [...digests] } },
      { $set: { 'onHost.gone': new Date() } },
    );
  }

  /**
   * Stores the result; the first one counts, until it is gone with its host.
   */
  async finish(by: PhaseOwner, key: string, output: PhaseOutput): Promise<void> {
    const { replicate, trial } = by;
    const id = idOf(by.owner, key);
    const fresh = await this.collection.insertOnce({ ...by, ...output, unkept: false, _id: id });
    if (fresh) return;
    const open = { _id: id, $or: [{ files: null }, { 'onHost.gone': { $ne: null } }] };
    await this.collection.update(open, { $set: { replicate, trial, ...output, unkept: false } });
  }
}

/** Returns the document if it holds a result, else null. */
export function finishedOf(found: PhaseResultDocument | null): Finished | null {
  if (found?.files == null || found.run === null || found.bytes === null) return null;
  return { ...found, run: found.run, bytes: found.bytes, files: found.files };
}
