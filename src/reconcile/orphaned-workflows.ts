import { parseTrialRef } from '../domain/keys.js';
import {
  dealsWithRunning,
  type Finding,
  type RunningFacts,
  type WorkflowFact,
} from '../domain/campaign/reconcile.js';
import { findElsewhere, type TemporalNamespace } from '../domain/campaign/whereabouts.js';
import { isEnded } from '../domain/statuses.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { Lineage } from '../lineage/lineage.js';
import { lastingFailure } from '../lineage/store-errors.js';

/** Running workflow of a lane or a trial. */
export interface RunningWorkflow {
  id: string;
  type: RunningFacts['type'];
}

/** Operations of the server on workflows that are found by a search. */
export interface ServerWorkflows {
  /** Running lanes and trials, of one campaign or of all. */
  running(campaign?: string): Promise<RunningWorkflow[]>;
  /** Requests a cancel; a workflow that has ended is not an error. */
  cancel(id: string): Promise<void>;
  /** Terminates a workflow; one that has ended is not an error. */
  terminate(id: string, reason: string): Promise<void>;
}

interface OrphansContext {
  lineage: Lineage;
  namespace: TemporalNamespace;
  workflowFact: (id: string) => Promise<WorkflowFact>;
}

/** Deals with running workflows whose campaign has ended or is not in this store. */
export async function orphanedWorkflows(
  context: OrphansContext,
  workflows: ServerWorkflows,
  only: string | undefined,
  dryRun: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const campaigns = new Map<string, CampaignDocument | null>();
  const deal = async ({ id, type }: RunningWorkflow, name: string): Promise<void> => {
    const campaign = campaigns.get(name) ?? (await campaignOf(context, name));
    campaigns.set(name, campaign);
    const facts = await factsOf(context, campaign, { id, type });
    const rule = dealsWithRunning(facts);
    // the server's list lags behind
    if (rule === 'leave' || (await context.workflowFact(id)) !== 'running') return;
    if (rule === 'cancel' && !dryRun) await workflows.cancel(id);
    if (rule === 'terminate' && !dryRun) await workflows.terminate(id, `campaign ${name} has ended`);
    const did = saidOf(rule, facts, dryRun);
    findings.push({ campaign: campaign?._id ?? '-', what: 'workflow', key: id, did });
  };
  for (const found of await workflows.running(only)) {
    const name = found.id.slice(0, found.id.indexOf('/'));
    try {
      await deal(found, name);
    } catch (error) {
      const failure = lastingFailure(error);
      if (failure === null) throw error;
      findings.push({
        campaign: name,
        what: 'workflow',
        key: found.id,
        did: `left alone: ${failure.message}`,
      });
    }
  }
  return findings;
}

/** Returns the stored campaign of a name if the server at hand runs it. */
async function campaignOf(
  { lineage, namespace }: OrphansContext,
  name: string,
): Promise<CampaignDocument | null> {
  const found = await lineage.campaigns.find(name);
  return found === null || (await findElsewhere(found, namespace)) !== null ? null : found;
}

async function factsOf(
  { lineage, workflowFact }: OrphansContext,
  campaign: CampaignDocument | null,
  { id, type }: RunningWorkflow,
): Promise<RunningFacts> {
  if (campaign === null) return { type, campaign: 'unknown', trial: 'none' };
  const over = isEnded(campaign.state) || (await workflowFact(campaign._id)) !== 'running';
  const number = type === 'trial' ? parseTrialRef(id)?.number : undefined;
  const trial = number === undefined ? null : await lineage.trials.get(campaign.owner, number);
  return {
    type,
    campaign: over ? 'ended' : 'running',
    trial: trial === null ? 'none' : trial.status === null ? 'open' : 'ended',
  };
}

function saidOf(
  rule: Exclude<ReturnType<typeof dealsWithRunning>, 'leave'>,
  { campaign }: RunningFacts,
  dryRun: boolean,
): string {
  if (rule === 'report')
    return campaign === 'unknown'
      ? 'left alone: it runs for a campaign of this server that is not in this store'
      : 'left alone: it runs for a trial that the store does not have';
  const done = rule === 'cancel' ? ['cancel it', 'cancelled'] : ['terminate it', 'terminated'];
  return `${dryRun ? `would ${done[0] ?? ''}` : (done[1] ?? '')}: its campaign has ended`;
}
