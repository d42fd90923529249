import { AssayError } from '../domain/errors.js';
import { isWeaker } from '../domain/task/isolation.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { TrialDocument } from '../lineage/documents/trial.js';
import type { HostedTask } from '../tasks/host.js';
import type { HostContext } from './host-context.js';

/** A trial with everything a host needs to work on it. */
export interface HostedTrial {
  campaign: CampaignDocument;
  trial: TrialDocument;
  hosted: HostedTask;
}

/**
 * The campaign's task, materialised here and agreed upon with the other hosts.
 * @throws AssayError ISOLATION_TOO_WEAK when the campaign demands a tier that this host does not hold
 */
export async function hostCampaign(
  { lineage, tasks, sandbox, host }: HostContext,
  owner: string,
  signal: AbortSignal,
): Promise<{ campaign: CampaignDocument; hosted: HostedTask }> {
  const campaign = await lineage.campaigns.byOwner(owner);
  const { isolation: demanded } = campaign.frozen;
  const { tier } = sandbox.isolation;
  if (isWeaker(tier, demanded)) {
    const message = `the campaign demands isolation tier ${demanded ?? ''} or stronger, and ${host.name} holds tier ${tier}`;
    throw new AssayError('ISOLATION_TOO_WEAK', message);
  }
  const task = await lineage.tasks.get(campaign.frozen.task.digest);
  const files = (): Promise<{ path: string; bytes: Uint8Array }[]> => lineage.blobs.readFiles(task.files);
  const source = { spec: task.spec, digest: task._id, dataSecret: task.dataSecret, files };
  const hosted = await tasks.host(source, signal);
  if (hosted.manifest !== null && task.manifest !== hosted.manifest)
    await lineage.tasks.agreeOnManifest(task._id, hosted.manifest);
  return { campaign, hosted };
}

export async function hostTrial(
  context: HostContext,
  of: { owner: string; number: number },
  signal: AbortSignal,
): Promise<HostedTrial> {
  const { campaign, hosted } = await hostCampaign(context, of.owner, signal);
  return { campaign, hosted, trial: await context.lineage.trials.require(of.owner, of.number) };
}
