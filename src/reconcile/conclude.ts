import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from '../domain/campaign/reconcile.js';
import type { Reason } from '../domain/campaign/reasons.js';
import { trialWorkflowId } from '../domain/keys.js';
import { isEnded, type CampaignState } from '../domain/statuses.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import { noProposal } from '../session/no-proposal.js';
import { endOfOpen, OPEN_TRIALS, POLL_MS, within, workEnds } from './abandoned-trials.js';
import type { ReconcileContext } from './context.js';
import { claims, endClaims, reservations, settle } from './settle-campaign.js';

/** What ending a campaign has come to. */
export interface Concluded {
  /** Work that had to be settled. */
  settled: Finding[];
  state: CampaignState;
  reason: Reason;
}

/**
 * Time for a cancelled model request to settle its own reservation, which it does more exactly than we could.
 */
const SETTLES_ITSELF_MS = 6000;
const DONE: Reason = { kind: 'done' };

/** Ends a campaign: settles its open work, then stores its last state. */
export async function conclude(
  context: ReconcileContext,
  owner: string,
  state: CampaignState,
  given: Reason | null,
): Promise<Concluded> {
  const { lineage } = context;
  const before = await lineage.campaigns.byOwner(owner);
  if (isEnded(before.state)) return { settled: [], state: before.state, reason: before.reason ?? DONE };
  const asked = given ?? (before.control === 'draining' ? before.controlReason : null);
  const silent = asked === null && state === 'finished' ? await noProposal(lineage, before) : null;
  const reason = asked ?? silent ?? DONE;
  await lineage.campaigns.setControl(owner, 'stopping', reason);
  const settled = await lastTrials(context, before);
  await endClaims(lineage, before);
  await within(SETTLES_ITSELF_MS, async () => {
    const budget = await lineage.budgets.find(owner);
    return Object.keys(budget?.open ?? {}).length === 0;
  });
  settled.push(...(await reservations(lineage, before, 'closed', false)));
  settled.push(...(await claims(lineage, await lineage.campaigns.byOwner(owner), 'closed', false)));
  await lineage.campaigns.setState(owner, state, reason);
  return { settled, state, reason };
}

/**
 * Settles the trials that are open at the end of a campaign; its lanes have ended, so one that still runs is
 * cancelled first.
 */
async function lastTrials(context: ReconcileContext, campaign: CampaignDocument): Promise<Finding[]> {
  const { lineage, workflowFact, workflows } = context;
  const open = await lineage.trials.open(campaign.owner, OPEN_TRIALS);
  const ids = open.map(({ number }) => trialWorkflowId(campaign._id, number));
  for (const id of ids) if ((await workflowFact(id)) === 'running') await workflows?.cancel(id);
  for (const id of ids) while ((await workflowFact(id)) === 'running') await sleep(POLL_MS);
  const left = await lineage.trials.open(campaign.owner, OPEN_TRIALS);
  const numbers = left.map(({ number }) => number);
  await workEnds(context, campaign, numbers);
  return Promise.all(
    left.map((trial) =>
      settle(lineage, campaign, trial.number, endOfOpen(trial, 'the campaign ended'), false),
    ),
  );
}
