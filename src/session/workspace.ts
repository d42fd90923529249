import type { Lineage } from '../lineage/lineage.js';
import { callsOf } from '../model/tools/tools.js';

/** A session's private copy of the recipe: its files now, and the trial that they descend from. */
export interface Workspace {
  snapshot: string;
  base: number;
}

/** The workspace just before a call: after the last answered call ahead of it, else as the session began. */
export async function workspaceAt(
  lineage: Lineage,
  { session, turn, index }: { session: string; turn: number; index: number },
): Promise<Workspace> {
  for (let at = turn; at >= 0; at -= 1) {
    const reply = await lineage.sessions.reply(session, at);
    const calls = at === turn ? index : reply === null ? 0 : callsOf(reply).length;
    const last = (await lineage.sessions.answersOf(session, at, calls)).at(-1);
    if (last !== undefined) return { snapshot: last.snapshot, base: last.base };
  }
  const { snapshot, base } = await lineage.sessions.get(session);
  return { snapshot, base };
}
