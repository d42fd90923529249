import { setTimeout as sleep } from 'node:timers/promises';
import { trialWorkflowId, type TrialRef } from '../src/domain/keys.js';
import {
  ownFact,
  settlesReservation,
  settlesTrial,
  starterOf,
  type Finding,
  type WorkflowFact,
} from '../src/domain/campaign/reconcile.js';
import { findElsewhere, type Elsewhere, type TemporalNamespace } from '../src/domain/campaign/whereabouts.js';
import { reasonText, type Reason } from '../src/domain/campaign/reasons.js';
import { isEnded, type CampaignState } from '../src/domain/statuses.js';
import type { CampaignDocument } from '../src/lineage/documents/campaign.js';
import type { TrialDocument } from '../src/lineage/documents/trial.js';
import { ENDED_BEFORE } from '../src/lineage/decisions/claims.js';
import type { Lineage } from '../src/lineage/lineage.js';
import { lastingFailure } from '../src/lineage/store-errors.js';
import { claimsOf, releaseClaim } from '../src/measure/decision/claim-reservation.js';
import { noProposal } from '../src/session/no-proposal.js';
import { settleTrial } from '../src/measure/decision/decide-trial.js';
import { poll, withHeartbeat } from './heartbeat.js';
import { orphanedWorkflows, type ServerWorkflows } from './orphaned-workflows.js';

export interface ReconcileRequest {
  /** Name of one campaign; all of them if left out. */
  campaign?: string;
  /** Only report what would be done. */
  dryRun?: boolean;
}

export interface ReconcileContext {
  lineage: Lineage;
  /** State of a workflow on the server. */
  workflowFact: (id: string) => Promise<WorkflowFact>;
  /** Namespace whose campaigns may be settled. */
  namespace: TemporalNamespace;
  /** If left out, only the store is examined. */
  workflows?: ServerWorkflows;
  /** Called once if the work of abandoned trials has to end first. */
  onWait?: (what: string) => void;
  /** Called for each campaign that is left alone because another server may run it. */
  onElsewhere?: (campaign: string, elsewhere: Elsewhere) => void;
}

export interface Concluded {
  /** Work that had to be settled. */
  settled: Finding[];
  state: CampaignState;
  reason: Reason;
}

export interface ReconcileActivities {
  reconcile(request: ReconcileRequest): Promise<Finding[]>;
  /**
   * Ends a campaign: settles its open work, then stores its last state; without a reason, with the stored one.
   */
  conclude(of: { owner: string; state: CampaignState; reason: Reason | null }): Promise<Concluded>;
  /** Waits until a workflow no longer runs. */
  awaitClosed(of: { workflowId: string }): Promise<void>;
  /**
   * Settles a trial whose workflow ended without an outcome, once its processes are dead; a parked one stays parked.
   */
  settleAbandoned(of: TrialRef & { why: string }): Promise<void>;
}

/** Campaigns per read. */
const PAGE = 200;
const OPEN_TRIALS = 5000;
const POLL_MS = 500;

export function reconcileActivities(context: ReconcileContext): ReconcileActivities {
  const { lineage, workflowFact } = context;
  const alive = <T>(work: () => Promise<T>): Promise<T> => withHeartbeat(() => null, work);
  return {
    reconcile: (request) => alive(() => reconcile(context, request)),
    conclude: ({ owner, state, reason }) => alive(() => conclude(context, owner, state, reason)),
    awaitClosed: async ({ workflowId }) => {
      await poll(2 * POLL_MS, async () => ((await workflowFact(workflowId)) === 'running' ? null : true));
    },
    settleAbandoned: ({ owner, number, why }) =>
      alive(async () => {
        const { parked } = await lineage.trials.require(owner, number);
        if (parked !== null) return;
        await workEnds(context, await lineage.campaigns.byOwner(owner), [number]);
        await settleTrial(lineage, { owner, number }, { reason: why, withdrawn: false });
      }),
  };
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

async function settleCampaign(
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
async function endClaims(lineage: Lineage, { frozen }: CampaignDocument): Promise<void> {
  for (const of of claimsOf(frozen)) await releaseClaim(lineage, of);
  for (const { owner, number, closedAt } of await lineage.claims.list(frozen.owner))
    if (closedAt === null) await lineage.claims.close(owner, number, { void: ENDED_BEFORE });
}

/**
 * Time for a cancelled model request to settle its own reservation, which it does more exactly than we could.
 */
const SETTLES_ITSELF_MS = 6000;
const DONE: Reason = { kind: 'done' };

async function conclude(
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

/** Reason for settling an open trial; a parked one also says what it waited for. */
const endOfOpen = ({ parked }: TrialDocument, why: string): string =>
  parked === null ? why : `it was parked until the end (${parked.reason}): ${why}`;

interface Abandoned {
  trial: TrialDocument;
  why: string;
}

/** Finds trials without a status that no workflow will give one. */
async function abandoned(
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

async function settle(
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

const worksOn = ({ active }: CampaignDocument, number: number): boolean =>
  Object.values(active).some((work) => work.trial === number);

/**
 * Waits until no worker works on these trials. A live worker ends its processes once its heartbeat finds no workflow;
 * for one that does not answer, the heartbeat timeout is waited for, by this process's own clock.
 */
async function workEnds(
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
async function within(ms: number, isTrue: () => Promise<boolean>): Promise<void> {
  const since = performance.now();
  while (!(await isTrue()) && performance.now() - since < ms) await sleep(POLL_MS);
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
