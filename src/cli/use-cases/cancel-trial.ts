import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { cancelSignal, cancelTrialUpdate } from '../../../workflows/messages.js';
import { findTrial } from '../../analysis/read-models/find-trial.js';
import { AssayError } from '../../domain/errors.js';
import { parseTrialRef, trialLabel, trialWorkflowId } from '../../domain/keys.js';
import { isEnded } from '../../domain/statuses.js';
import type { TrialStatus } from '../../domain/statuses.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { Lineage } from '../../lineage/lineage.js';
import type { CommandContext } from '../context.js';
import { askCampaign } from './parked-trial.js';
import { someWorkerPolls } from '../follow/pollers.js';
import { requireHere } from './require-here.js';
import { say } from '../terminal/terminal.js';

/** `assay.cancel/1`. */
export interface CancelAnswer {
  schema: 'assay.cancel/1';
  trial: string;
  campaign: string;
  number: number;
  /** False: stored, but no worker runs that could obey yet. */
  acknowledged: boolean;
  /** null while its process is not known to be dead; another than `cancelled` when it was measured before. */
  status: TrialStatus | null;
  cancelledBy: string | null;
}

const LOOK_EVERY_MS = 250;
const SAY_AFTER_MS = 3000;
/** Beyond the heartbeat's timeout, after which a worker that does not answer is given up. */
const GRACE_MS = 30_000;

/**
 * Cancels one trial and waits until it has its status, which it gets when its processes are dead.
 * @throws AssayError USAGE, CAMPAIGN_UNKNOWN, TRIAL_UNKNOWN, TRIAL_ENDED, CAMPAIGN_ELSEWHERE
 */
export async function cancelTrial(
  ground: CommandContext,
  reference: string,
  { campaign, reason }: { campaign?: string | undefined; reason?: string | undefined },
): Promise<CancelAnswer> {
  const { lineage, servers } = ground;
  await refuseOthers(lineage, reference);
  const place = await findTrial(lineage, reference, campaign);
  const stored = await lineage.campaigns.byName(place.campaign);
  const { owner, frozen, state } = stored;
  const id = trialWorkflowId(place.campaign, place.number);
  const look = (): Promise<TrialDocument> => lineage.trials.require(owner, place.number);
  const before = await look();
  if (before.status !== null)
    throw new AssayError('TRIAL_ENDED', `trial ${id} has ended already: ${before.status}`, {
      remedy: `\`assay show ${id}\` shows its result.`,
    });
  const client = await ground.client();
  await requireHere(client, stored);
  if (before.parked !== null && !isEnded(state)) {
    await askCampaign(ground, place, (handle) =>
      handle.executeUpdate(cancelTrialUpdate, { args: [{ number: place.number, reason: reason ?? null }] }),
    );
    return answerOf(await look(), true);
  }
  try {
    const handle = client.workflow.getHandle(id);
    await (reason === undefined ? handle.signal(cancelSignal) : handle.signal(cancelSignal, reason));
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    const now = await look();
    if (now.status !== null) return answerOf(now, true);
    throw new AssayError('TRIAL_ENDED', `nothing runs for trial ${id}, whose campaign is ${state}`, {
      cause: error,
      remedy: `\`assay reconcile ${place.campaign}\` gives it its status.`,
    });
  }
  const attended = !servers.alone && (await someWorkerPolls(client, servers.temporal.namespace, 'assay'));
  if (!attended) return answerOf(await look(), false);
  return answerOf(await ended(id, look, frozen.trainHeartbeatSeconds * 1000), true);
}

async function ended(
  id: string,
  look: () => Promise<TrialDocument>,
  heartbeatMs: number,
): Promise<TrialDocument> {
  const since = performance.now();
  let told = false;
  for (;;) {
    const trial = await look();
    const waited = performance.now() - since;
    if (trial.status !== null || waited > heartbeatMs + GRACE_MS) return trial;
    if (!told && waited > SAY_AFTER_MS) {
      say(`${id}: waiting for its process to end, or for ${heartbeatMs / 1000} s without a heartbeat …`);
      told = true;
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** Campaigns and lanes are ended in other ways. */
async function refuseOthers(lineage: Lineage, reference: string): Promise<void> {
  if (parseTrialRef(reference) !== null) return;
  const name = reference.split('/')[0] ?? reference;
  if ((await lineage.campaigns.find(name)) === null) return;
  const what = name === reference ? 'a campaign' : 'a lane of a campaign';
  throw new AssayError('USAGE', `"${reference}" is ${what}; cancel takes one trial`, {
    remedy: `\`assay stop ${name}\` ends the campaign, \`assay stop ${name} --now\` at once.`,
  });
}

function answerOf({ campaign, number, status, outcome }: TrialDocument, acknowledged: boolean): CancelAnswer {
  const cancelledBy = outcome?.cancelledBy ?? null;
  const trial = trialLabel(number);
  return { schema: 'assay.cancel/1', trial, campaign, number, acknowledged, status, cancelledBy };
}
