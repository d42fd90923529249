import { Context } from '@temporalio/activity';
import { AssayError } from '../src/domain/errors.js';
import type { TrialRef } from '../src/domain/keys.js';
import type { TrialStatus } from '../src/domain/statuses.js';
import type { Lineage } from '../src/lineage/lineage.js';
import type { CallRef } from '../src/session/conversation.js';
import {
  submitPerson,
  submitStart,
  submitTrial,
  type StartSubmitted,
  type Submitted,
} from '../src/session/submit.js';
import { poll } from './heartbeat.js';

/** Submits; each stores hypothesis, snapshot, number and verified diff before it returns. */
export interface SubmitActivities {
  submitStart(of: { owner: string }): Promise<StartSubmitted>;
  submitTrial(call: CallRef): Promise<Submitted>;
  submitPerson(of: { owner: string; submission: unknown }): Promise<Submitted>;
  /** Waits until the earlier trial with the same snapshot has ended or is parked. */
  awaitTwin(of: TrialRef): Promise<TrialStatus | 'parked'>;
}

const LOOK_EVERY_MS = 1000;

export function submitActivities({ lineage }: { lineage: Lineage }): SubmitActivities {
  return {
    submitStart: ({ owner }) => submitStart(lineage, owner),
    submitTrial: (call) => logged(submitTrial(lineage, call)),
    submitPerson: ({ owner, submission }) => logged(submitPerson(lineage, owner, submission)),
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
  return poll(LOOK_EVERY_MS, async () => {
    const first = await lineage.trials.bySubmitKey(twin);
    return first?.parked == null ? (first?.status ?? null) : 'parked';
  });
}
