import { AssayError } from '../domain/errors.js';
import { callKey } from '../domain/keys.js';
import { endedByHost } from '../domain/trial/place.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { SessionDocument } from '../lineage/documents/session.js';
import type { TrialDocument } from '../lineage/documents/trial.js';
import type { Lineage } from '../lineage/lineage.js';
import { refusedAnswer } from '../model/answers.js';
import type { SubmitCall } from '../model/tools/submit-trial.js';
import { queuedAnswer } from '../model/trial-news.js';
import { callAt, storeAnswer, type CallRef } from './conversation.js';
import { noveltyOf } from './novelty.js';
import { submit, unknownParent, type Entered, type Submitted } from './submit.js';
import { VisibleTrials } from './visible-trials.js';
import { workspaceAt, type Workspace } from './workspace.js';

/** Submits what a session asks for in one of its calls; one that does not wait is answered at once. */
export async function submitTrial(lineage: Lineage, call: CallRef): Promise<Submitted> {
  const { session, turn, index } = call;
  const at = await workspaceAt(lineage, call);
  const asked = await callAt(lineage, call);
  if (asked.call.tool !== 'submit_trial')
    throw new AssayError('INTERNAL', `call ${index} of turn ${turn} is ${asked.call.tool}, not a submit`);
  const entered = await enter(lineage, call, asked.call, at);
  if (entered.kind === 'accepted') {
    const { number } = entered;
    await lineage.sessions.addSubmitted(session, number);
    if (asked.call.waits) return entered;
    await lineage.sessions.addDetached(session, number);
    await storeAnswer(lineage, call, asked, { text: queuedAnswer(number, at.base), isError: false, ...at });
    return { ...entered, detached: true };
  }
  const text = entered.kind === 'repeated' ? entered.answer : refusedAnswer(entered.reason);
  await storeAnswer(lineage, call, asked, { text, isError: true, ...at });
  return entered.kind === 'refused'
    ? entered
    : { kind: 'refused', reason: `it nearly repeats trial ${entered.trial}` };
}

async function enter(lineage: Lineage, call: CallRef, asked: SubmitCall, at: Workspace): Promise<Entered> {
  const { owner, session, turn, index } = call;
  const submitKey = callKey(session, turn, index);
  const before = await lineage.trials.bySubmitKey(submitKey);
  if (before !== null) return { kind: 'accepted', number: before.number };
  const campaign = await lineage.campaigns.byOwner(owner);
  const conversation = await lineage.sessions.get(session);
  const failed = failedCheck(conversation, at.snapshot);
  if (failed !== null) return { kind: 'refused', reason: failed };
  const trials = new VisibleTrials(lineage, { owner, session, mode: campaign.frozen.lineage });
  const parent = await parentOf(trials, asked.parent ?? at.base, at.snapshot);
  if (parent === null) return unknownParent(asked.parent ?? at.base);
  const proposed = { ...proposal(campaign, conversation, asked), submitKey, turn };
  const { snapshot } = at;
  return submit(lineage, campaign, { ...proposed, snapshot, parent: parent.number }, (edit, spec) =>
    noveltyOf(lineage, trials, spec, {
      call: submitKey,
      session,
      snapshot,
      hypothesis: asked.hypothesis,
      edit,
    }),
  );
}

function proposal(
  { frozen }: CampaignDocument,
  { _id: session, role, lane }: SessionDocument,
  asked: SubmitCall,
) {
  const { hypothesis, expectedDelta, domain = null } = asked;
  return {
    ...{ hypothesis, expectedDelta, domain, role, lane, session },
    twinScope: frozen.lineage === 'off' ? session : null,
  };
}

/** The trial that a proposal descends from: a trial that is measured again, since its host ended it, has its parent. */
async function parentOf(
  trials: VisibleTrials,
  number: number,
  snapshot: string,
): Promise<TrialDocument | null> {
  const parent = await trials.get(number);
  const isAgain = parent?.snapshot === snapshot && endedByHost(parent.outcome);
  return isAgain && parent.parent !== null ? trials.get(parent.parent) : parent;
}

/** Says why files whose last check failed are not submitted; null where they passed it, or were never checked. */
export function failedCheck({ checks }: Pick<SessionDocument, 'checks'>, snapshot: string): string | null {
  const failed = checks.findLast((check) => check.snapshot === snapshot)?.failed ?? null;
  return failed === null
    ? null
    : `the last check of these files failed (${failed}), so nothing was measured and nothing spent; repair them, or check them again`;
}
