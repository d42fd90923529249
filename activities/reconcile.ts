import { trialWorkflowId } from '../src/domain/keys.js';
import {
  settlesReservation,
  settlesTrial,
  type Finding,
  type WorkflowFact,
} from '../src/domain/reconcile.js';
import { isEnded } from '../src/domain/statuses.js';
import type { CampaignDocument, TrialDocument } from '../src/lineage/documents.js';
import type { Lineage } from '../src/lineage/lineage.js';
import { decideTrial } from './decide.js';

export interface ReconcileRequest {
  /** One campaign by its name; all of them when left out. */
  campaign?: string;
  /** Only say what would be done. */
  dryRun?: boolean;
}

export interface ReconcileContext {
  lineage: Lineage;
  /** What the server says of a workflow id. */
  workflowFact: (id: string) => Promise<WorkflowFact>;
}

export interface ReconcileActivities {
  reconcile(request: ReconcileRequest): Promise<Finding[]>;
}

const CAMPAIGNS = 500;
const OPEN_TRIALS = 5000;

export function reconcileActivities(context: ReconcileContext): ReconcileActivities {
  return { reconcile: (request) => reconcile(context, request) };
}

/** Brings the store and the server to agree: settles by rule what nobody is left to settle, and says what it did. */
export async function reconcile(context: ReconcileContext, request: ReconcileRequest): Promise<Finding[]> {
  const { lineage } = context;
  const { campaign, dryRun = false } = request;
  const campaigns =
    campaign === undefined
      ? await lineage.campaigns.list(CAMPAIGNS)
      : [await lineage.campaigns.byName(campaign)];
  const findings: Finding[] = [];
  for (const found of campaigns) findings.push(...(await reconcileCampaign(context, found, dryRun)));
  return findings;
}

async function reconcileCampaign(
  context: ReconcileContext,
  campaign: CampaignDocument,
  dryRun: boolean,
): Promise<Finding[]> {
  const { lineage } = context;
  const workflow = isEnded(campaign.state) ? 'closed' : await context.workflowFact(campaign._id);
  return [
    ...(await openTrials(context, campaign, workflow, dryRun)),
    ...(await reservations(lineage, campaign, workflow, dryRun)),
    ...(await claims(lineage, campaign, workflow, dryRun)),
    ...(await state(lineage, campaign, workflow, dryRun)),
  ];
}

async function openTrials(
  { lineage, workflowFact }: ReconcileContext,
  campaign: CampaignDocument,
  workflow: WorkflowFact,
  dryRun: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const trial of await lineage.trials.open(campaign.owner, OPEN_TRIALS)) {
    const id = trialWorkflowId(campaign._id, trial.number);
    const facts = {
      trial: await workflowFact(id),
      lane: await starterOf(workflowFact, campaign, trial, workflow),
    };
    if (!settlesTrial(facts)) continue;
    const why = `its workflow is ${facts.trial}`;
    const status = dryRun ? null : (await decideTrial(lineage, campaign.owner, trial.number, why)).status;
    findings.push({
      campaign: campaign._id,
      what: 'trial',
      key: id,
      did: status === null ? `would settle it: ${why}` : `settled as ${status}: ${why}`,
    });
  }
  return findings;
}

/** The start and a person's trial are started by the campaign itself, every other one by its lane. */
async function starterOf(
  workflowFact: ReconcileContext['workflowFact'],
  campaign: CampaignDocument,
  trial: TrialDocument,
  workflow: WorkflowFact,
): Promise<WorkflowFact> {
  return trial.session === null ? workflow : workflowFact(`${campaign._id}/${trial.lane}`);
}

async function reservations(
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

async function claims(
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
  { _id, owner, state: before }: CampaignDocument,
  workflow: WorkflowFact,
  dryRun: boolean,
): Promise<Finding[]> {
  if (isEnded(before) || workflow === 'running') return [];
  const why = `its workflow is ${workflow}`;
  if (!dryRun) {
    await lineage.campaigns.setControl(owner, 'stopping', why);
    await lineage.campaigns.setState(owner, 'stopped', why);
  }
  return [
    {
      campaign: _id,
      what: 'campaign',
      key: _id,
      did: `${dryRun ? 'would end' : 'ended'} as stopped: ${why}`,
    },
  ];
}
