import { AssayError } from '../domain/errors.js';
import type { SessionDocument } from '../lineage/documents/session.js';
import type { TrialDocument } from '../lineage/documents/trial.js';
import type { Lineage } from '../lineage/lineage.js';
import { parkedAnswer } from '../model/answers.js';
import { NOTHING_AWAITED, openAnswer } from '../model/trial-news.js';
import { callAt, storeAnswer, type CallRef } from './conversation.js';
import { trialAnswer } from './trial-answer.js';
import { workspaceAt } from './workspace.js';

/** Answers a call that awaits trials of its session as soon as they have ended; returns true once it is answered. */
export async function answerAwait(lineage: Lineage, call: CallRef): Promise<boolean> {
  const { owner, session, turn, index } = call;
  if ((await lineage.sessions.answerTo(session, turn, index)) !== null) return true;
  const asked = await callAt(lineage, call);
  if (asked.call.tool !== 'await_trials')
    throw new AssayError(
      'INTERNAL',
      `call ${index} of turn ${turn} is ${asked.call.tool}, which awaits nothing`,
    );
  const { trials: numbers, any } = asked.call;
  const conversation = await lineage.sessions.get(session);
  const answered = async (text: string, isError = false): Promise<true> => {
    await storeAnswer(lineage, call, asked, { text, isError, ...(await workspaceAt(lineage, call)) });
    return true;
  };
  const fault = notOwn(conversation, numbers ?? []);
  if (fault !== null) return answered(fault, true);
  const awaited = await lineage.trials.many(owner, numbers ?? uncollected(conversation));
  if (awaited.length === 0) return answered(NOTHING_AWAITED);
  const ended = awaited.filter(isOver);
  if (any ? ended.length === 0 : ended.length < awaited.length) return false;
  const parts = await Promise.all(awaited.map((trial) => answerOf(lineage, trial)));
  await answered(parts.join('\n\n'));
  await lineage.sessions.addCollected(
    session,
    ended.map(({ number }) => number),
  );
  return true;
}

/** The trials that a session did not wait for and whose results it has not got. */
export const uncollected = ({ detached, collected }: SessionDocument): number[] =>
  detached.filter((number) => !collected.includes(number));

/** Says that a session awaits or withdraws a trial of another one; null where all are its own. */
export function notOwn(
  { submitted }: Pick<SessionDocument, 'submitted'>,
  numbers: readonly number[],
): string | null {
  const other = numbers.find((number) => !submitted.includes(number));
  if (other === undefined) return null;
  const own = submitted.length === 0 ? 'it has submitted none' : `it has submitted ${submitted.join(', ')}`;
  return `Trial ${other} is none of this session; ${own}.`;
}

/** True where nothing more happens to a trial by itself. */
const isOver = ({ status, parked }: TrialDocument): boolean => status !== null || parked !== null;

/** Words the state of a trial for its session: its end, or how far it is. */
export async function answerOf(lineage: Lineage, trial: TrialDocument): Promise<string> {
  const { owner, number, status, stage, parked } = trial;
  if (status !== null) return trialAnswer(lineage, owner, number);
  return parked === null ? openAnswer(number, stage) : parkedAnswer(number, parked.reason);
}
