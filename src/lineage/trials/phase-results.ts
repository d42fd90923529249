import type { Db } from 'mongodb';
import { type PhaseResultDocument } from '../documents/phase-result.js';
import type { PhaseRun } from '../documents/phase-run.js';
import type { StoredFile } from '../documents/snapshot.js';
import { KINDS } from '../document-kinds.js';
import { TypedCollection } from '../typed-collection.js';

/** Who runs a phase. */
export type PhaseOwner = Pick<PhaseResultDocument, 'owner' | 'phase' | 'replicate' | 'trial'>;

/** What a phase left. */
export interface PhaseOutput {
  run: PhaseRun;
  /** What its files and folders count with. */
  bytes: number;
  files: StoredFile[];
  progress: PhaseResultDocument['progress'];
}

/** A result that is there. */
export type Finished = PhaseResultDocument & PhaseOutput;

const idOf = (owner: string, key: string): string => `${owner}/${key}`;

/** Results of phases by the digest of everything they read. The first result under a key is the only one. */
export class PhaseResults {
  private readonly shelf;

  constructor(database: Db) {
    this.shelf = new TypedCollection(database, KINDS.phases);
  }

  /** The result under a key, or null while there is none. */
  async finished(owner: string, key: string): Promise<Finished | null> {
    return finishedOf(await this.shelf.get(idOf(owner, key)));
  }

  /** Who is entered for a phase, or whose result it is; null while nobody is. */
  async entered(owner: string, key: string): Promise<PhaseResultDocument | null> {
    return this.shelf.get(idOf(owner, key));
  }

  /** Enters who runs a phase now, unless somebody is entered; gives who is. */
  async begin(by: PhaseOwner, key: string): Promise<PhaseResultDocument> {
    const id = idOf(by.owner, key);
    await this.shelf.insertOnce({ ...by, _id: id, run: null, bytes: null, files: null, progress: [] });
    return this.shelf.require(id);
  }

  /** Puts another replicate in the place of one that will not end the phase; says whether it did. */
  async takeOver(by: PhaseOwner, key: string, from: string): Promise<boolean> {
    const { replicate, trial } = by;
    const filter = { _id: idOf(by.owner, key), replicate: from, files: null };
    return this.shelf.update(filter, { $set: { replicate, trial } });
  }

  /** Stores the result; of several, the first counts. */
  async finish(by: PhaseOwner, key: string, output: PhaseOutput): Promise<void> {
    const { replicate, trial } = by;
    const id = idOf(by.owner, key);
    const fresh = await this.shelf.insertOnce({ ...by, ...output, _id: id });
    if (!fresh) await this.shelf.update({ _id: id, files: null }, { $set: { replicate, trial, ...output } });
  }
}

/** The document as a result, where it is one. */
export function finishedOf(found: PhaseResultDocument | null): Finished | null {
  if (found?.files == null || found.run === null || found.bytes === null) return null;
  return { ...found, run: found.run, bytes: found.bytes, files: found.files };
}
