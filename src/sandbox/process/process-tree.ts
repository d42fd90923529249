import { setTimeout as sleep } from 'node:timers/promises';
import { AssayError } from '../../domain/errors.js';
import {
  hasProc,
  killNow,
  markerOf,
  offerToKernel,
  processTable,
  startOf,
  userOf,
  sweepOrphans,
  type ProcessRow,
} from './process-table.js';
import {
  heldMemory,
  proportionalMemory,
  sharedFileBytes,
  sumOfMemory,
  type HeldMemory,
} from './held-memory.js';

/** Most processes among which shared pages are counted once: it costs about a millisecond each. */
const MOST_SHARING = 64;

const heldOf = ({ pid, rssBytes }: ProcessRow): HeldMemory => heldMemory(pid) ?? { own: rssBytes, shared: 0 };

/**
 * The processes of one run: children of children, members of its process group, and those that carry its mark.
 * Once seen, a process stays known even after its parent died and another adopted it.
 */
export class ProcessTree {
  readonly #known = new Map<number, string>();
  /** Processes whose mark was looked at already: a member has its mark from its first moment on. */
  readonly #examined = new Map<number, string>();
  #living: ProcessRow[] = [];
  /** The first process of its namespace, once that is known. */
  #inside: number | null = null;

  /**
   * `contained`: a pid namespace holds the family, so that its tree is complete and marks are not needed.
   * `uid`: a user that only members have and that none of them can change. `wrappers`: members that are not the run's.
   */
  constructor(
    readonly run: string,
    readonly root: number,
    readonly contained: boolean,
    readonly uid: number | null = null,
    readonly wrappers = contained ? 2 : 0,
  ) {}

  /** Makes a process a member that is known by other means, such as the wrapper's report. */
  async adopt(pid: number): Promise<void> {
    const start = await startOf(pid);
    this.#inside = pid;
    offerToKernel(pid);
    if (start !== null) this.#known.set(pid, start);
  }

  /** Looks at the host once; returns the living members. */
  async look(): Promise<ProcessRow[]> {
    const table = await processTable();
    for (const seen of [this.#known, this.#examined])
      for (const [pid, start] of seen) if (table.get(pid)?.start !== start) seen.delete(pid);
    for (let grew = true; grew;) {
      grew = false;
      for (const row of table.values()) {
        if (this.#known.has(row.pid) || !this.#belongs(row)) continue;
        this.#known.set(row.pid, row.start);
        grew = true;
      }
    }
    this.#living = [...table.values()].filter((row) => !row.zombie && this.#known.has(row.pid));
    return this.#living;
  }

  #belongs(row: ProcessRow): boolean {
    if (row.pid === process.pid) return false;
    if (row.pid === this.root || row.group === this.root || this.#known.has(row.parent)) return true;
    if (this.contained || !hasProc || this.#examined.get(row.pid) === row.start) return false;
    this.#examined.set(row.pid, row.start);
    return this.uid === null ? markerOf(row.pid) === this.run : userOf(row.pid) === this.uid;
  }

  /** The members that were alive at the last look. */
  get rows(): readonly ProcessRow[] {
    return this.#living;
  }

  get pids(): number[] {
    return this.#living.map((row) => row.pid);
  }

  /** Living members, without those of the wrapper. */
  get size(): number {
    return Math.max(0, this.#living.length - this.wrappers);
  }

  /**
   * Bytes that the living members hold, without pages of files that the system can drop; pages that they share are
   * counted once when that decides.
   */
  memory(allowed: number): number {
    const inside = this.#living.find((row) => row.pid === this.#inside);
    const files = inside === undefined ? 0 : sharedFileBytes(inside.pid);
    const held = this.#living.map(heldOf);
    const sum = sumOfMemory(held, files);
    if (sum <= allowed || held.length < 2 || held.length > MOST_SHARING) return sum;
    return sumOfMemory(
      this.#living.map((row, index) => proportionalMemory(row.pid) ?? held[index] ?? heldOf(row)),
      files,
    );
  }

  /** Kills every member and returns when none is alive (HOST_FAULT when one cannot be killed). */
  async destroy(): Promise<void> {
    for (let round = 0; round < 300; round += 1) {
      const living = await this.look();
      if (living.length === 0) {
        // a wrapper that dies before its report leaves a child that waits for ever and is only found by its mark
        if (!this.contained || this.#inside === null) await sweepOrphans({ ids: [this.run] });
        return;
      }
      killNow(-this.root);
      for (const row of living) killNow(row.pid);
      await sleep(Math.min(2 + round, 50));
    }
    const left = this.pids.join(', ');
    throw new AssayError('HOST_FAULT', `processes ${left} of run ${this.run} outlive SIGKILL on this host`);
  }
}
