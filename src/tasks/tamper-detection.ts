import { join } from 'node:path';
import { AssayError, messageOf } from '../domain/errors.js';
import { FolderDigest } from './folder-digest.js';

/** A folder that no recipe may change, and how it is made again. */
export interface ProtectedFolder {
  /** For people: `the evaluator and files of task "NAME"`. */
  name: string;
  folder: string;
  /** Makes it again from where no recipe gets; what was in it is removed first. */
  restore(): Promise<void>;
}

/** A user of the watched files. */
interface Party {
  /** Runs code of a recipe. */
  suspect: boolean;
  /** Another suspect was there at the same time. */
  company: boolean;
  /** Something was changed while it was there. */
  spoiled: boolean;
}

/** Runs that are made one at a time after a change that two recipes may have made. */
const WARY_RUNS = 16;

/**
 * Watches the files that all trials of a host share, where the sandbox does not protect them: a change is found after
 * the run that made it, and undone before anything else uses the files. If more than one recipe may have made it, all
 * that ran meanwhile run again (HOST_FAULT, which is retried), and for a while only one at a time.
 */
export class TamperDetection {
  readonly #kept = new Map<string, { of: ProtectedFolder; digest: FolderDigest }>();
  readonly #present = new Set<Party>();
  #waiting: (() => void)[] = [];
  #wary = 0;
  #looking: Promise<unknown> = Promise.resolve();

  /** `active`: false where the sandbox itself keeps recipes from writing anything shared. */
  constructor(readonly active: boolean) {}

  /** Takes a folder as it is now into custody. */
  async keep(of: ProtectedFolder): Promise<void> {
    if (!this.active) return;
    const digest = new FolderDigest(of.folder);
    await digest.take();
    this.#kept.set(of.folder, { of, digest });
  }

  /**
   * Runs something that uses the watched files. `damage` says what a `suspect` changed, when it alone can have done
   * it.
   * @throws AssayError HOST_FAULT when what it used was changed by another, or by nobody knows whom
   */
  async during<T>(suspect: boolean, run: () => Promise<T>): Promise<{ result: T; damage: string | null }> {
    if (!this.active) return { result: await run(), damage: null };
    const party = await this.#enter(suspect);
    try {
      const result = await run();
      return { result, damage: await this.#inTurn(() => this.#judge(party)) };
    } finally {
      this.#leave(party);
    }
  }

  async #enter(suspect: boolean): Promise<Party> {
    while (this.#wary > 0 && this.#present.size > 0)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const party = { suspect, company: false, spoiled: false };
    if (suspect)
      for (const other of this.#present) {
        other.company = true;
        party.company ||= other.suspect;
      }
    else party.company = [...this.#present].some((other) => other.suspect);
    const first = this.#present.size === 0;
    this.#present.add(party);
    try {
      // no recipe is at fault for what changed while none ran
      if (first) await this.#inTurn(() => this.#restore());
      party.spoiled = false;
    } catch (error) {
      this.#leave(party);
      throw error;
    }
    return party;
  }

  #leave(party: Party): void {
    this.#present.delete(party);
    this.#wary = Math.max(0, this.#wary - 1);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  async #judge(party: Party): Promise<string | null> {
    const damage = await this.#restore();
    if (damage === null && !party.spoiled) return null;
    if (damage !== null && party.suspect && !party.company) return damage;
    if (damage !== null) this.#wary = WARY_RUNS;
    const what = damage ?? 'something that all trials share';
    throw new AssayError('HOST_FAULT', `${what} was changed by a recipe that ran at the same time`, {
      remedy:
        'The change was undone, and the trial runs again. A sandbox of tier C (bubblewrap) prevents it.',
    });
  }

  /** Restores what was changed and returns it in words. All present have used it. */
  async #restore(): Promise<string | null> {
    let damage: string | null = null;
    for (const { of, digest } of this.#kept.values()) {
      const path = await digest.changed();
      if (path === null) continue;
      damage ??= `${path === '.' ? of.folder : join(of.folder, path)} of ${of.name}`;
      for (const party of this.#present) party.spoiled = true;
      await of.restore().catch((error: unknown) => {
        throw new AssayError(
          'HOST_FAULT',
          `${of.name} was changed and cannot be made again: ${messageOf(error)}`,
        );
      });
      await digest.take();
    }
    return damage;
  }

  /** One look at a time. */
  #inTurn<T>(look: () => Promise<T>): Promise<T> {
    const turn = this.#looking.then(look);
    this.#looking = turn.catch(() => undefined);
    return turn;
  }
}
