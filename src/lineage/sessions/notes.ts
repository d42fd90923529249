import type { SessionDocument } from '../documents/session.js';
import type { Sessions } from './sessions.js';

/** What an agent wrote down for the sessions after it, and in which session. */
export interface SessionNote {
  /** `arch-0/3`. */
  session: string;
  role: string;
  text: string;
  at: Date;
}

/** Sessions of which notes are read: those that wrote none down count. */
const SESSIONS_READ = 50;

/** Reads the newest notes of a role, or of all roles where it is null, newest first. */
export async function latestNotes(
  sessions: Pick<Sessions, 'latest' | 'latestOfRole'>,
  { owner, role }: { owner: string; role: string | null },
  limit: number,
): Promise<SessionNote[]> {
  const read =
    role === null
      ? await sessions.latest(owner, SESSIONS_READ)
      : await sessions.latestOfRole(owner, role, SESSIONS_READ);
  return newestFirst(read).slice(0, limit);
}

/** Lists the notes of sessions, newest first. */
export function newestFirst(sessions: readonly SessionDocument[]): SessionNote[] {
  return sessions.flatMap(notesOf).sort((a, b) => b.at.getTime() - a.at.getTime());
}

const notesOf = ({ lane, index, role, notes }: SessionDocument): SessionNote[] =>
  notes.map(({ text, at }) => ({ session: `${lane}/${index}`, role, text, at }));
