import { AssayError } from '../domain/errors.js';
import type { TrialDocument } from '../lineage/documents/trial.js';
import type { Lineage } from '../lineage/lineage.js';
import { withdrawnAnswer } from '../model/trial-news.js';
import { answerOf, notOwn } from './await-trials.js';
import { callAt, storeAnswer, type CallRef } from './conversation.js';
import { workspaceAt } from './workspace.js';

/** Number of the trial that a call takes back; null where it was answered that it cannot be. */
export async function beginWithdrawal(lineage: Lineage, call: CallRef): Promise<number | null> {
  const { owner, session, turn, index } = call;
  const number = await withdrawnBy(lineage, call);
  const conversation = await lineage.sessions.get(session);
  const fault = notOwn(conversation, [number]) ?? hasBegun(await lineage.trials.require(owner, number));
  if (fault === null) return number;
  if ((await lineage.sessions.answerTo(session, turn, index)) === null)
    await answer(lineage, call, fault, true);
  return null;
}

/** Answers a call whose trial has ended since. */
export async function endWithdrawal(lineage: Lineage, call: CallRef): Promise<void> {
  const { owner, session } = call;
  const number = await withdrawnBy(lineage, call);
  const trial = await lineage.trials.require(owner, number);
  const begun = (await lineage.replicates.many(trial.replicates)).some(({ fence }) => fence > 0);
  const isFree = trial.status === 'cancelled' && !begun;
  await answer(lineage, call, isFree ? withdrawnAnswer(number) : await answerOf(lineage, trial));
  await lineage.sessions.addCollected(session, [number]);
}

/** Says why a trial cannot be withdrawn any more; null while it can. */
function hasBegun({ number, status, stage, parked }: TrialDocument): string | null {
  if (status !== null) return `Trial ${number} has ended as ${status}.`;
  if (parked !== null) return `Trial ${number} waits for a person.`;
  if (stage === 'queued' || stage === 'preparing') return null;
  return `Trial ${number} has begun (${stage}); await_trials gives its result.`;
}

async function withdrawnBy(lineage: Lineage, call: CallRef): Promise<number> {
  const asked = await callAt(lineage, call);
  if (asked.call.tool !== 'withdraw')
    throw new AssayError('INTERNAL', `call ${call.index} is ${asked.call.tool}, which withdraws nothing`);
  return asked.call.trial;
}

async function answer(lineage: Lineage, call: CallRef, text: string, isError = false): Promise<void> {
  const asked = await callAt(lineage, call);
  await storeAnswer(lineage, call, asked, { text, isError, ...(await workspaceAt(lineage, call)) });
}
