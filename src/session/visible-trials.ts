import { maySee, type LineageMode } from '../domain/session/lineage-mode.js';
import { START } from '../domain/keys.js';
import { withoutLineage } from '../domain/session/own-lesson.js';
import type { SeenRow } from '../domain/session/view.js';
import type { TrialDocument } from '../lineage/documents/trial.js';
import type { Lineage } from '../lineage/lineage.js';
import { rowsOf } from '../lineage/trials/view.js';
import { latestNotes, newestFirst, type SessionNote } from '../lineage/sessions/notes.js';

/**
 * The trials that a conversation may see, and the notes on them. Tools and views read them here and nowhere else.
 */
export class VisibleTrials {
  constructor(
    private readonly lineage: Pick<Lineage, 'trials' | 'sessions' | 'decisions'>,
    private readonly of: { owner: string; session: string; mode: LineageMode },
  ) {}

  /** Reads a trial; null where there is none that may be seen. */
  async get(number: number): Promise<TrialDocument | null> {
    const trial = await this.lineage.trials.get(this.of.owner, number);
    return trial !== null && maySee(this.of.mode, this.of.session, trial) ? trial : null;
  }

  /** Reads the newest trials, newest first. */
  async latest(limit: number): Promise<TrialDocument[]> {
    const { owner, session, mode } = this.of;
    if (mode === 'on') return this.lineage.trials.latest(owner, limit);
    const found = await this.lineage.sessions.find(session);
    const numbers = [START, ...(found?.submitted ?? [])].sort((a, b) => b - a).slice(0, limit);
    const trials = await Promise.all(numbers.map((number) => this.get(number)));
    return trials.flatMap((trial) => trial ?? []);
  }

  /** Builds the rows of trials that this object has read, with what their conversation may know of each. */
  async rows(trials: readonly TrialDocument[]): Promise<SeenRow[]> {
    const rows = await rowsOf(this.lineage, trials);
    return this.of.mode === 'on' ? rows : rows.map(withoutLineage);
  }

  /** Reads the trials that were built on a trial, newest first. */
  async children(number: number, limit: number): Promise<TrialDocument[]> {
    const { owner, session, mode } = this.of;
    if (mode === 'on') return this.lineage.trials.children(owner, number, limit);
    const { submitted } = await this.lineage.sessions.get(session);
    const own = await this.lineage.trials.many(owner, submitted);
    return own
      .filter(({ parent }) => parent === number)
      .reverse()
      .slice(0, limit);
  }

  /** Reads the newest notes of a role, or of all roles where it is null, newest first. */
  async notes(role: string | null, limit: number): Promise<SessionNote[]> {
    const { owner, session, mode } = this.of;
    if (mode === 'on') return latestNotes(this.lineage.sessions, { owner, role }, limit);
    const own = await this.lineage.sessions.get(session);
    return role === null || role === own.role ? newestFirst([own]).slice(0, limit) : [];
  }
}
