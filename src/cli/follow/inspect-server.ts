import type { Client } from '@temporalio/client';
import { elsewhereText, findElsewhere, type Elsewhere } from '../../domain/campaign/whereabouts.js';
import { trialWorkflowId } from '../../domain/keys.js';
import { isEnded } from '../../domain/statuses.js';
import { messageOf } from '../../domain/errors.js';
import { probePort } from '../../dev/process/probe-port.js';
import type { OpenTrial } from '../../analysis/read-models/progress.js';
import {
  stallCampaign,
  type InspectedStall,
  type StallReason,
  type ServerFacts,
  type StallCampaign,
  type StallFacts,
} from '../../analysis/stall/types.js';
import { diagnoseStall } from '../../analysis/stall/diagnose.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { CommandContext } from '../context.js';
import type { Looked, PoolPlace } from './server-facts.js';

/** Time that a server has to accept a connection before it counts as down. */
export const PROBE_MS = 2000;
/** Time for which a host's report counts; a living one repeats it every minute. */
const SAID_MS = 300_000;
/** Number of campaigns that are asked for work on hosts of the same pool. */
const NEIGHBOURS = 50;

/** Looks at the server's queues and pending work, and says why a campaign does not move, as far as it does not. */
export async function inspectServer(
  ground: CommandContext,
  campaign: CampaignDocument,
  open: readonly OpenTrial[],
): Promise<InspectedStall> {
  const { state } = campaign;
  if (isEnded(state)) return { reasons: [], moves: false, unexamined: null };
  const { pool, slots, gpus, lanes } = campaign.frozen;
  const looked = await look(ground, { pool, slots, gpus, campaign }, workflowsOf(campaign._id, lanes, open));
  const others = (await ground.lineage.campaigns.listOpen(NEIGHBOURS)).filter(
    (other) => other.owner !== campaign.owner && other.frozen.pool === pool,
  );
  const examined = conclude(looked, {
    campaign: stallCampaign(campaign, open),
    elsewhere: others.flatMap((other) =>
      Object.values(other.active).map(({ what, host }) => ({ campaign: other._id, what, host })),
    ),
    hosts: (await ground.lineage.hosts.list()).flatMap((said) =>
      said.pool === pool && !said.healthy && Date.now() - said.at.getTime() < SAID_MS
        ? [{ host: said.host, why: said.why ?? 'it is unhealthy', since: said.since }]
        : [],
    ),
  });
  const nobody = looked.facts === null && ground.servers.alone;
  return nobody ? { ...examined, reasons: [...examined.reasons, NOTHING_RUNS], moves: false } : examined;
}

/** Report for a command that had to start this clone's store itself: nothing of assay runs. */
const NOTHING_RUNS: StallReason = {
  what: 'no_worker',
  id: 'no_worker',
  text: 'nothing of assay runs on this machine: no servers and no workers',
  about: [],
  since: null,
  remedy: '`assay dev` continues it.',
};

const NO_GPUS = { prepare: 0, evaluate: 0 };

/** Inspects a campaign that no worker has frozen yet; null when the server does not run it either. */
export async function inspectNotStarted(
  ground: CommandContext,
  name: string,
): Promise<InspectedStall | null> {
  const looked = await look(ground, { pool: null, slots: null, gpus: NO_GPUS, campaign: null }, [
    { id: name, label: name, kind: 'campaign' },
  ]);
  if (looked.facts?.workflows.some(({ status }) => status !== 'running') !== false) return null;
  const campaign: StallCampaign = {
    name,
    state: 'preparing',
    control: 'running',
    controlReason: null,
    exhausted: false,
    pausedSince: null,
    pool: null,
    slots: null,
    gpus: NO_GPUS,
    active: [],
    open: [],
  };
  return conclude(looked, { campaign, elsewhere: [], hosts: [] });
}

interface Look {
  facts: ServerFacts | null;
  unexamined: string | null;
}

function conclude({ facts, unexamined }: Look, known: Omit<StallFacts, 'now' | 'server'>): InspectedStall {
  const ours = new Date();
  const theirs = facts === null ? null : latestMoment(facts);
  const now = theirs !== null && theirs > ours ? theirs : ours;
  return { ...diagnoseStall({ ...known, now, server: facts }), unexamined };
}

async function look(
  ground: CommandContext,
  { campaign, ...place }: PoolPlace & { campaign: CampaignDocument | null },
  workflows: readonly Looked[],
): Promise<Look> {
  const { address, namespace } = ground.servers.temporal;
  if (address === '') return { facts: null, unexamined: 'no Temporal server of this clone runs' };
  try {
    await probePort(address, PROBE_MS);
    const client = await ground.client();
    const elsewhere = campaign === null ? null : await elsewhereOf(client, campaign);
    if (elsewhere !== null) return { facts: null, unexamined: elsewhereText(elsewhere) };
    const { serverFacts } = await import('./server-facts.js');
    const facts = await serverFacts(client, namespace, place, workflows);
    return { facts, unexamined: null };
  } catch (error) {
    return { facts: null, unexamined: messageOf(error) };
  }
}

async function elsewhereOf(client: Client, campaign: CampaignDocument): Promise<Elsewhere | null> {
  // loaded here: most commands do not ask the server
  const { temporalNamespace } = await import('../../../workers/temporal-namespace.js');
  return findElsewhere(campaign, temporalNamespace(client));
}

/** The campaign first, then what is open, then the lanes: those without an open trial before the others. */
function workflowsOf(
  name: string,
  lanes: CampaignDocument['frozen']['lanes'],
  open: readonly OpenTrial[],
): Looked[] {
  const busy = new Set(open.map(({ lane }) => lane));
  const idleFirst = [...lanes].sort((a, b) => Number(busy.has(a.lane)) - Number(busy.has(b.lane)));
  return [
    { id: name, label: name, kind: 'campaign' },
    ...open.map(({ number, trial }): Looked => ({
      id: trialWorkflowId(name, number),
      label: trial,
      kind: 'trial',
    })),
    ...idleFirst.map(({ lane }): Looked => ({ id: `${name}/${lane}`, label: lane, kind: 'lane' })),
  ];
}

/** The latest moment that the server itself has named: its clock is not behind it. */
function latestMoment({ workflows, queues }: ServerFacts): Date | null {
  const moments = [
    ...queues.flatMap(({ pollers }) => pollers.map(({ at }) => at)),
    ...workflows.flatMap(({ activities, step }) => [
      ...(step === null ? [] : [step.since]),
      ...activities.flatMap(({ heartbeatAt, startedAt }) => [heartbeatAt ?? [], startedAt ?? []].flat()),
    ]),
  ];
  return moments.length === 0 ? null : new Date(Math.max(...moments.map((moment) => moment.getTime())));
}
