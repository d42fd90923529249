import { Context } from '@temporalio/activity';
import { AssayError } from '../src/domain/errors.js';
import type { TrialRef } from '../src/domain/keys.js';
import type { TrialStatus } from '../src/domain/statuses.js';
import type { TrialDocument } from '../src/lineage/documents/trial.js';
import type { Lineage } from '../src/lineage/lineage.js';
import { answerAwait } from '../src/session/await-trials.js';
import type { CallRef } from '../src/session/conversation.js';
import { submitPerson, submitStart, type StartSubmitted, type Submitted } from '../src/session/submit.js';
import { submitTrial } from '../src/session/submit-trial.js';
import { beginWithdrawal, endWithdrawal } from '../src/session/withdraw.js';
import { poll } from './heartbeat.js';

/** Submits; each stores hypothesis, snapshot, number and verified diff before it returns. */
export interface SubmitActivities {
  submitStart(of: { owner: string }): Promise<StartSubmitted>;
  submitTrial(call: CallRef): Promise<Submitted>;
  submitPerson(of: { owner: string; submission: unknown }): Promise<Submitted>;
  /** Waits until a trial has ended or is parked. */
  awaitEnd(of: TrialRef): Promise<TrialStatus | 'parked'>;
  /** Waits until the trials that a call awaits have ended, and answers it. */
  awaitTrials(call: CallRef): Promise<void>;
  /** Number of the trial that a call takes back; null where it cannot be. */
  beginWithdrawal(call: CallRef): Promise<number | null>;
  /** Answers a call whose trial has ended. */
  endWithdrawal(call: CallRef): Promise<void>;
  /** Waits until the earlier trial with the same snapshot has ended or is parked. */
  awaitTwin(of: TrialRef): Promise<TrialStatus | 'parked'>;
}

const LOOK_EVERY_MS = 1000;

export function submitActivities({ lineage }: { lineage: Lineage }): SubmitActivities {
  return {
    submitStart: ({ owner }) => submitStart(lineage, owner),
    submitTrial: (call) => logged(submitTrial(lineage, call)),
    submitPerson: ({ owner, submission }) => logged(submitPerson(lineage, owner, submission)),
    awaitTrials: async (call) => {
      await poll(LOOK_EVERY_MS, async () => (await answerAwait(lineage, call)) || null);
    },
    beginWithdrawal: (call) => beginWithdrawal(lineage, call),
    endWithdrawal: (call) => endWithdrawal(lineage, call),
    awaitEnd: ({ owner, number }) =>
      poll(LOOK_EVERY_MS, async () => endOf(await lineage.trials.get(owner, number))),
    awaitTwin: (of) => awaitTwin(lineage, of),
  };
}

async function logged(submitting: Promise<Submitted>): Promise<Submitted> {
  const submitted = await submitting;
  if (submitted.kind === 'accepted')
    Context.current().log.info('trial submitted', { trial: submitted.number });
  return submitted;
}

async function awaitTwin(lineage: Lineage, { owner, number }: TrialRef): Promise<TrialStatus | 'parked'> {
  const { twin } = await lineage.trials.require(owner, number);
  if (twin === null) throw new AssayError('INTERNAL', `trial ${number} has no twin`);
  return poll(LOOK_EVERY_MS, async () => endOf(await lineage.trials.bySubmitKey(twin)));
}

const endOf = (trial: TrialDocument | null): TrialStatus | 'parked' | null =>
  trial?.parked == null ? (trial?.status ?? null) : 'parked';
