import { callKey } from '../../domain/keys.js';
import { oneLine } from '../../model/answers.js';
import { said, type Answer, type CallContext } from './answer.js';

/** Keeps a note with the session. */
export async function keepNote(context: CallContext, text: string): Promise<Answer> {
  await storeNote(context, text);
  return said(context, 'noted');
}

/** Ends the session with a note, where it has one. */
export async function finish(context: CallContext, note: string): Promise<Answer> {
  if (note.trim() !== '') await storeNote(context, note);
  return said(context, 'session finished');
}

/** Lists notes of earlier sessions, each on a line. */
export async function listNotes(
  context: CallContext,
  { role, limit }: { role: string | null; limit: number },
): Promise<Answer> {
  const notes = await context.trials.notes(role, limit);
  const lines = notes.map((note) => `${note.session} (${oneLine(note.role)}): ${oneLine(note.text)}`);
  return said(context, lines.length === 0 ? 'no notes' : lines.join('\n'));
}

async function storeNote({ lineage, call }: CallContext, text: string): Promise<void> {
  const { session, turn, index } = call;
  await lineage.sessions.addNote(session, {
    call: callKey(session, turn, index),
    text: text.trim(),
    at: new Date(),
  });
}
