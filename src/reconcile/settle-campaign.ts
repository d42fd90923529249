import { settlesReservation, type Finding, type WorkflowFact } from '../domain/campaign/reconcile.js';
import { reasonText, type Reason } from '../domain/campaign/reasons.js';
import { trialWorkflowId } from '../domain/keys.js';
import { isEnded } from '../domain/statuses.js';
import { ENDED_BEFORE } from '../lineage/decisions/claims.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { Lineage } from '../lineage/lineage.js';
import { claimsOf, releaseClaim } from '../measure/decision/claim-reservation.js';
import { settleTrial } from '../measure/decision/decide-trial.js';
import { worksOn, type Abandoned } from './abandoned-trials.js';
import type { ReconcileContext } from './context.js';

/** Settles by rule what a campaign has left open and no workflow leads; says what it did. */
export async function settleCampaign(
  { lineage, workflowFact }: ReconcileContext,
  campaign: CampaignDocument,
  open: readonly Abandoned[],
  dryRun: boolean,
): Promise<Finding[]> {
  const workflow = isEnded(campaign.state) ? 'closed' : await workflowFact(campaign._id);
  if (workflow !== 'running' && !dryRun) await endClaims(lineage, campaign);
  const trials: Finding[] = [];
  for (const { trial, why } of open) trials.push(await settle(lineage, campaign, trial.number, why, dryRun));
  return [
    ...trials,
    ...(await reservations(lineage, campaign, workflow, dryRun)),
    ...(await claims(lineage, campaign, workflow, dryRun)),
    ...(await state(lineage, campaign, workflow, dryRun)),
  ];
}

/**
 * Releases what is held for claims whose runs will not begin, and ends claims that no workflow measures any more.
 */
export async function endClaims(lineage: Lineage, { frozen }: CampaignDocument): Promise<void> {
  for (const of of claimsOf(frozen)) await releaseClaim(lineage, of);
  for (const { owner, number, closedAt } of await lineage.claims.list(frozen.owner))
    if (closedAt === null) await lineage.claims.close(owner, number, { void: ENDED_BEFORE });
}

/** Gives an abandoned trial its status. */
export async function settle(
  lineage: Lineage,
  campaign: CampaignDocument,
  number: number,
  why: string,
  dryRun: boolean,
): Promise<Finding> {
  const key = trialWorkflowId(campaign._id, number);
  const after = worksOn(campaign, number)
    ? ', once its work has ended or sent no heartbeat for long enough'
    : '';
  const did = dryRun
    ? `would settle it: ${why}${after}`
    : `settled as ${(await settleTrial(lineage, { owner: campaign.owner, number }, { reason: why, withdrawn: false })).status}: ${why}`;
  return { campaign: campaign._id, what: 'trial', key, did };
}

/** Settles what is held for work that nobody will settle. */
export async function reservations(
  lineage: Lineage,
  { _id, owner }: CampaignDocument,
  workflow: WorkflowFact,
  dryRun: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const budget = await lineage.budgets.find(owner);
  for (const { key, trial } of Object.values(budget?.open ?? {})) {
    const ended = trial !== null && (await lineage.trials.get(owner, trial))?.status != null;
    if (!settlesReservation({ campaign: workflow, trialEnded: ended })) continue;
    if (!dryRun) await lineage.budgets.settle(owner, key, 'upper-bound', 'unknown');
    findings.push({
      campaign: _id,
      what: 'reservation',
      key,
      did: dryRun ? 'would settle it at its upper bound' : 'settled as unknown at its upper bound',
    });
  }
  return findings;
}

/** Forgets work that nobody is left to end. */
export async function claims(
  lineage: Lineage,
  { _id, owner, active }: CampaignDocument,
  workflow: WorkflowFact,
  dryRun: boolean,
): Promise<Finding[]> {
  if (workflow === 'running' || Object.keys(active).length === 0) return [];
  if (!dryRun) await lineage.campaigns.clearWork(owner);
  return Object.values(active).map((work) => ({
    campaign: _id,
    what: 'claim' as const,
    key: `${work.what} of trial ${work.trial} on ${work.host}`,
    did: dryRun ? 'would forget it: nobody is left to end it' : 'forgotten: nobody is left to end it',
  }));
}

async function state(
  lineage: Lineage,
  { _id, owner, state: before, control, controlReason }: CampaignDocument,
  workflow: WorkflowFact,
  dryRun: boolean,
): Promise<Finding[]> {
  if (isEnded(before) || workflow === 'running') return [];
  const why: Reason =
    control === 'stopping' && controlReason !== null ? controlReason : { kind: 'abandoned', workflow };
  if (!dryRun) {
    await lineage.campaigns.setControl(owner, 'stopping', why);
    await lineage.campaigns.setState(owner, 'stopped', why);
  }
  return [
    {
      campaign: _id,
      what: 'campaign',
      key: _id,
      did: `${dryRun ? 'would end' : 'ended'} as stopped: ${reasonText(why)}`,
    },
  ];
}
