import { setTimeout as sleep } from 'node:timers/promises';
import { ownFact, settlesTrial, starterOf, type WorkflowFact } from '../domain/campaign/reconcile.js';
import { trialWorkflowId } from '../domain/keys.js';
import { isEnded } from '../domain/statuses.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { TrialDocument } from '../lineage/documents/trial.js';
import type { ReconcileContext } from './context.js';

/** Open trials that are looked at. */
export const OPEN_TRIALS = 5000;
/** Time between two looks at what has to end first. */
export const POLL_MS = 500;

/** Reason for settling an open trial; a parked one also says what it waited for. */
export const endOfOpen = ({ parked }: TrialDocument, why: string): string =>
  parked === null ? why : `it was parked until the end (${parked.reason}): ${why}`;

/** A trial that no workflow leads, and why. */
export interface Abandoned {
  trial: TrialDocument;
  why: string;
}

/** Finds trials without a status that no workflow will give one. */
export async function abandoned(
  { lineage, workflowFact }: ReconcileContext,
  campaign: CampaignDocument,
): Promise<Abandoned[]> {
  const found: Abandoned[] = [];
  let leader: WorkflowFact | null = isEnded(campaign.state) ? 'closed' : null;
  for (const trial of await lineage.trials.open(campaign.owner, OPEN_TRIALS)) {
    leader ??= await workflowFact(campaign._id);
    const starter = starterOf(trial, campaign._id);
    const lane = starter === campaign._id ? leader : await workflowFact(starter);
    const own = await workflowFact(trialWorkflowId(campaign._id, trial.number));
    const facts = { trial: ownFact(trial, own), lane };
    if (settlesTrial(facts)) found.push({ trial, why: endOfOpen(trial, `its workflow is ${own}`) });
  }
  return found;
}

/** Returns true while a worker works on a trial. */
export const worksOn = ({ active }: CampaignDocument, number: number): boolean =>
  Object.values(active).some((work) => work.trial === number);

/**
 * Waits until no worker works on these trials. A live worker ends its processes once its heartbeat finds no workflow;
 * for one that does not answer, the heartbeat timeout is waited for, by this process's own clock.
 */
export async function workEnds(
  { lineage, onWait }: ReconcileContext,
  { _id: name, owner, frozen }: CampaignDocument,
  numbers: readonly number[],
): Promise<void> {
  const ended = async (): Promise<boolean> => {
    const campaign = await lineage.campaigns.byOwner(owner);
    return !numbers.some((number) => worksOn(campaign, number));
  };
  if (await ended()) return;
  onWait?.(`${name}: waiting for work to end, ${frozen.trainHeartbeatSeconds} s at most …`);
  await within(frozen.trainHeartbeatSeconds * 1000, ended);
}

/** Polls until it is true, for at most `ms`. */
export async function within(ms: number, isTrue: () => Promise<boolean>): Promise<void> {
  const since = performance.now();
  while (!(await isTrue()) && performance.now() - since < ms) await sleep(POLL_MS);
}
