import { reconcile } from '../../reconcile/reconcile.js';
import { askedServer, serverWorkflows, workflowFact } from '../../../workers/reconciling.js';
import { reasonText, type Reason } from '../../domain/campaign/reasons.js';
import { AssayError } from '../../domain/errors.js';
import { trialWorkflowId } from '../../domain/keys.js';
import type { Finding } from '../../domain/campaign/reconcile.js';
import { isEnded, type CampaignState } from '../../domain/statuses.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { CommandContext } from '../context.js';
import { requireHere } from './require-here.js';
import { say } from '../terminal/terminal.js';

/** `assay.terminated/1`. */
export interface TerminateAnswer {
  schema: 'assay.terminated/1';
  campaign: string;
  state: CampaignState;
  /** Ids of the workflows that ran and were ended on the server. */
  workflows: string[];
  /** Findings that were settled in the store afterwards. */
  findings: Finding[];
}

const OPEN_TRIALS = 5000;

/**
 * Ends a campaign on the server, with its lanes and trials, and settles in the store what they leave. For when workers
 * are gone or stuck: nothing of the campaign is asked.
 * @throws AssayError CAMPAIGN_UNKNOWN, CAMPAIGN_ELSEWHERE, CAMPAIGN_ENDED when nothing of it runs
 */
export async function terminateCampaign(
  ground: CommandContext,
  name: string,
  reason: string | undefined,
  confirm: (running: number) => Promise<void>,
): Promise<TerminateAnswer> {
  const { lineage } = ground;
  const client = await ground.client();
  const campaign = await lineage.campaigns.byName(name);
  await requireHere(client, campaign);
  const server = askedServer(client);
  const first = await runningOf(ground, campaign);
  if (isEnded(campaign.state) && first.length === 0)
    throw new AssayError(
      'CAMPAIGN_ENDED',
      `campaign "${name}" has ended: ${campaign.state}; nothing of it runs`,
    );
  await confirm(first.length);
  const why: Reason = { kind: 'terminated', said: reason ?? null };
  await lineage.campaigns.setControl(campaign.owner, 'stopping', why);
  const ended = new Set<string>();
  // what was being started while the first were ended is found when looking again
  for (let left = first; left.length > 0; left = await runningOf(ground, campaign))
    for (const id of left) {
      await server.workflows.terminate(id, reasonText(why));
      ended.add(id);
    }
  const findings = await reconcile({ lineage, ...server, onWait: say }, { campaign: name });
  const { state } = await lineage.campaigns.byName(name);
  return { schema: 'assay.terminated/1', campaign: name, state, workflows: [...ended], findings };
}

/** The campaign's workflow first, so that it starts nothing while the others are ended; then its lanes, then trials. */
async function runningOf(
  ground: CommandContext,
  { _id: name, owner, frozen }: CampaignDocument,
): Promise<string[]> {
  const { lineage } = ground;
  const client = await ground.client();
  const listed = await serverWorkflows(client).running(name);
  const open = await lineage.trials.open(owner, OPEN_TRIALS);
  const ids = new Set([
    name,
    ...frozen.lanes.map(({ lane }) => `${name}/${lane}`),
    ...open.map(({ number }) => trialWorkflowId(name, number)),
    ...listed.map(({ id }) => id),
  ]);
  const running: string[] = [];
  for (const id of ids) if ((await workflowFact(client, id)) === 'running') running.push(id);
  return running;
}
