import type { Finding } from '../domain/campaign/reconcile.js';
import { findElsewhere } from '../domain/campaign/whereabouts.js';
import { isEnded } from '../domain/statuses.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { Lineage } from '../lineage/lineage.js';
import { lastingFailure } from '../lineage/store-errors.js';
import { abandoned, workEnds, worksOn, type Abandoned } from './abandoned-trials.js';
import type { ReconcileContext, ReconcileRequest } from './context.js';
import { orphanedWorkflows } from './orphaned-workflows.js';
import { settleCampaign } from './settle-campaign.js';

/** Campaigns per read. */
const PAGE = 200;

/** Work of a campaign that no workflow leads, and that workers may not have ended yet. */
interface Later {
  campaign: CampaignDocument;
  open: Abandoned[];
}

/**
 * Makes the store and the server agree: settles by rule the work that no workflow leads any more, and reports what it
 * did. Of all campaigns, one that cannot be settled does not keep the others from it.
 */
export async function reconcile(context: ReconcileContext, request: ReconcileRequest): Promise<Finding[]> {
  const { lineage, workflows } = context;
  const { campaign: only, dryRun = false } = request;
  const findings: Finding[] = [];
  const later: Later[] = [];
  const each = async (name: string, visit: () => Promise<void>): Promise<void> => {
    try {
      await visit();
    } catch (error) {
      const failure = lastingFailure(error);
      if (only !== undefined || failure === null) throw error;
      findings.push({ campaign: name, what: 'campaign', key: name, did: `left open: ${failure.message}` });
    }
  };
  for await (const name of only === undefined ? unsettledNames(lineage) : [only])
    await each(name, async () => {
      const campaign = await lineage.campaigns.byName(name);
      if (await hasNothingOpen(lineage, campaign)) {
        if (!dryRun) await lineage.campaigns.markSettled(campaign);
        return;
      }
      if (!(await isHere(context, campaign, dryRun))) return;
      const open = await abandoned(context, campaign);
      if ((await stillWorks(context, campaign, open)) && !dryRun) later.push({ campaign, open });
      else findings.push(...(await settleCampaign(context, campaign, open, dryRun)));
    });
  await Promise.all(
    later.map((one) =>
      each(one.campaign._id, async () => {
        findings.push(...(await settledLater(context, one, dryRun)));
      }),
    ),
  );
  if (workflows !== undefined) findings.push(...(await orphanedWorkflows(context, workflows, only, dryRun)));
  return findings;
}

/** Settles a campaign once no worker works for it any more. */
async function settledLater(
  context: ReconcileContext,
  { campaign, open }: Later,
  dryRun: boolean,
): Promise<Finding[]> {
  // the runs of a claim are work on trials that have ended
  const numbers = Object.values(campaign.active).map(({ trial }) => trial);
  await workEnds(context, campaign, [...numbers, ...open.map(({ trial }) => trial.number)]);
  const now = await context.lineage.campaigns.byOwner(campaign.owner);
  // the wait was long enough for another server to have taken this one's address
  if (!(await isHere(context, now, dryRun))) return [];
  return settleCampaign(context, now, await abandoned(context, now), dryRun);
}

/** Returns true for a campaign of the namespace at hand; all others are left to their own servers. */
async function isHere(
  { lineage, namespace, onElsewhere }: ReconcileContext,
  campaign: CampaignDocument,
  dryRun: boolean,
): Promise<boolean> {
  const elsewhere = await findElsewhere(campaign, namespace);
  if (elsewhere !== null) {
    onElsewhere?.(campaign._id, elsewhere);
    return false;
  }
  if (campaign.namespaceId === null && !dryRun) {
    const id = await namespace.id();
    if (id !== null) await lineage.campaigns.recordNamespace(campaign.owner, id);
  }
  return true;
}

/** Yields the names of campaigns with work that may need settling. */
async function* unsettledNames({ campaigns }: Lineage): AsyncGenerator<string> {
  for (let after = ''; ;) {
    const page = await campaigns.unsettledNames(after, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last;
  }
}

/** Returns true for an ended campaign that has left nothing open, by the store alone. */
async function hasNothingOpen(
  lineage: Lineage,
  { owner, endedAt, active }: CampaignDocument,
): Promise<boolean> {
  if (endedAt === null || Object.keys(active).length > 0) return false;
  if ((await lineage.trials.open(owner, 1)).length > 0) return false;
  const budget = await lineage.budgets.find(owner);
  if (Object.keys(budget?.open ?? {}).length > 0) return false;
  return (await lineage.claims.list(owner)).every(({ closedAt }) => closedAt !== null);
}

/** Returns true while workers may still run work that no workflow leads any more. */
async function stillWorks(
  { workflowFact }: ReconcileContext,
  campaign: CampaignDocument,
  open: readonly Abandoned[],
): Promise<boolean> {
  if (open.some(({ trial }) => worksOn(campaign, trial.number))) return true;
  if (Object.keys(campaign.active).length === 0) return false;
  return isEnded(campaign.state) || (await workflowFact(campaign._id)) !== 'running';
}
