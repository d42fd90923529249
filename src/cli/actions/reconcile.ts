import { join } from 'node:path';
import { Client, NamespaceNotFoundError, ServiceError, isGrpcServiceError } from '@temporalio/client';
import type { ReconcileContext } from '../../reconcile/context.js';
import { reconcile } from '../../reconcile/reconcile.js';
import { askedServer } from '../../../workers/reconciling.js';
import { temporalNamespace } from '../../../workers/temporal-namespace.js';
import { elsewhereText, findElsewhere, type Elsewhere } from '../../domain/campaign/whereabouts.js';
import { AssayError } from '../../domain/errors.js';
import { expiredLeases } from '../../sandbox/host/lease.js';
import { sweepDeadWorkers } from '../../sandbox/host/worker-folders.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import { withContext, type CommandContext } from '../context.js';
import { homeFolder } from '../folders.js';
import { requireHere } from '../use-cases/require-here.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  dryRun?: boolean;
  serverGone?: boolean;
}

export async function run(campaign: string | undefined, flags: Flags): Promise<void> {
  await withContext(['temporal', 'store'], async (ground) => {
    const dryRun = flags.dryRun === true;
    const server = await serverFor(ground, campaign, flags.serverGone === true);
    const folders = await sweepDeadWorkers(join(homeFolder(), 'work'), dryRun);
    const leases = await expiredLeases(join(homeFolder(), 'leases'));
    const elsewhere: { campaign: string; why: string }[] = [];
    const context = {
      ...{ lineage: ground.lineage, ...server, onWait: say },
      onElsewhere: (name: string, where: Elsewhere) =>
        elsewhere.push({ campaign: name, why: elsewhereText(where) }),
    };
    const findings = await reconcile(context, {
      ...(campaign === undefined ? {} : { campaign }),
      dryRun,
    });
    if (flags.json === true) {
      printJson({ schema: 'assay.reconcile/1', dryRun, findings, folders, leases, elsewhere });
      return;
    }
    for (const { campaign: name, what, key, did } of findings) print(`${name}  ${what}  ${key}  ${did}`);
    for (const { folder, killed } of folders)
      print(`-  folder  ${folder}  ${dryRun ? 'would be removed' : `removed, ${killed} processes ended`}`);
    for (const { slot, pid } of leases)
      print(`-  lease  ${slot}  free: process ${pid}, which held it, is dead`);
    for (const { campaign: name, why } of elsewhere) say(`${name}: left alone: ${why}`);
    const found = findings.length + folders.length + leases.length;
    say(found === 0 ? 'nothing to settle' : `${found} findings`);
  });
}

/**
 * The server to reconcile with; for a campaign whose server is gone, one that runs nothing.
 * @throws AssayError USAGE, CAMPAIGN_ELSEWHERE
 */
async function serverFor(
  ground: CommandContext,
  name: string | undefined,
  gone: boolean,
): Promise<Omit<ReconcileContext, 'lineage'>> {
  const client = await ground.client();
  if (name === undefined && gone) throw new AssayError('USAGE', '--server-gone is for one campaign: name it');
  if (name === undefined) return askedServer(client);
  const campaign = await ground.lineage.campaigns.byName(name);
  if (!gone) {
    await requireHere(client, campaign);
    return askedServer(client);
  }
  const elsewhere = await findElsewhere(campaign, temporalNamespace(client));
  const settles = `assay reconcile ${name}\` settles what nothing runs for any more.`;
  if (elsewhere === null)
    throw new AssayError('USAGE', `campaign "${name}" is of this server, which is not gone`, {
      remedy: `\`${settles}`,
    });
  if (elsewhere.kind === 'namespace' && (await isThere(client, campaign, elsewhere.name)))
    throw new AssayError(
      'USAGE',
      `campaign "${name}" is of the namespace "${elsewhere.name}" of this server, which is not gone`,
      { remedy: `\`TEMPORAL_NAMESPACE=${elsewhere.name} ${settles}` },
    );
  return goneServer(campaign);
}

/** gRPC's codes of a namespace that is not there, and of one that is not this client's to see. */
const UNSEEN: readonly unknown[] = [5, 7];

/** Returns true when a namespace of the same server is that of the campaign. */
async function isThere(
  { connection }: Client,
  campaign: CampaignDocument,
  namespace: string,
): Promise<boolean> {
  try {
    return (await findElsewhere(campaign, temporalNamespace(new Client({ connection, namespace })))) === null;
  } catch (error) {
    const failed = error instanceof ServiceError ? error.cause : error;
    if (
      error instanceof NamespaceNotFoundError ||
      (isGrpcServiceError(failed) && UNSEEN.includes(failed.code))
    )
      return false;
    throw error;
  }
}

/** Answers for a server that is gone: its namespace is the campaign's, and nothing runs there. */
const goneServer = ({ owner, namespaceId }: CampaignDocument): Omit<ReconcileContext, 'lineage'> => ({
  workflowFact: () => Promise.resolve('missing'),
  namespace: {
    name: owner.slice(0, owner.lastIndexOf('/')),
    id: () => Promise.resolve(namespaceId),
    knowsRun: () => Promise.resolve(true),
  },
});
