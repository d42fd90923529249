import { parseTrialRef } from '../src/domain/keys.js';
import {
  dealsWithRunning,
  type Finding,
  type RunningFacts,
  type WorkflowFact,
} from '../src/domain/campaign/reconcile.js';
import { isEnded } from '../src/domain/statuses.js';
import type { CampaignDocument } from '../src/lineage/documents/documents.js';
import type { Lineage } from '../src/lineage/lineage.js';

/** A workflow of a lane or a trial that the server runs. */
export interface RunningWorkflow {
  id: string;
  type: RunningFacts['type'];
}

/** What the server can be asked and told about workflows that are not told by name. */
export interface ServerWorkflows {
  /** Lanes and trials that run, of one campaign or of all. */
  running(campaign?: string): Promise<RunningWorkflow[]>;
  /** Asks it to end; one that has ended is no error. */
  cancel(id: string): Promise<void>;
  /** Ends it on the server; one that has ended is no error. */
  terminate(id: string, reason: string): Promise<void>;
}

interface OrphansContext {
  lineage: Lineage;
  workflowFact: (id: string) => Promise<WorkflowFact>;
}

/** Workflows that run although the campaign that they belong to does not, or is not in this store. */
export async function orphanedWorkflows(
  context: OrphansContext,
  workflows: ServerWorkflows,
  only: string | undefined,
  dryRun: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { id, type } of await workflows.running(only)) {
    const name = id.slice(0, id.indexOf('/'));
    const campaign = await context.lineage.campaigns.find(name);
    const facts = await factsOf(context, campaign, { id, type });
    const rule = dealsWithRunning(facts);
    // the list of the server lags behind
    if (rule === 'leave' || (await context.workflowFact(id)) !== 'running') continue;
    if (rule === 'cancel' && !dryRun) await workflows.cancel(id);
    if (rule === 'terminate' && !dryRun) await workflows.terminate(id, `campaign ${name} has ended`);
    findings.push({
      campaign: campaign?._id ?? '-',
      what: 'workflow',
      key: id,
      did: saidOf(rule, facts, dryRun),
    });
  }
  return findings;
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
      ? 'left alone: it runs for a campaign that is not in this store'
      : 'left alone: it runs for a trial that the store does not have';
  const done = rule === 'cancel' ? ['cancel it', 'cancelled'] : ['terminate it', 'terminated'];
  return `${dryRun ? `would ${done[0] ?? ''}` : (done[1] ?? '')}: its campaign has ended`;
}
