import { hostOfQueue } from '../../domain/host-queues.js';
import { isTrainQueue, sizeClass, trainQueue } from '../../domain/devices/size-classes.js';
import { DOING } from '../../domain/trial/doing.js';
import type { PendingActivity, QueueFacts, StallFacts } from './types.js';
import { ago, HANDOUT_MS, span, WAITING, type Wait } from './wording.js';

/** A living worker that asks and is not busy has asked within this time. */
const POLLED_MS = 75_000;
/** Within this time a worker that has just asked may take it. */
const ASKED_MS = 10_000;
/** A worker that was heard of within this time lives. */
const HEARD_MS = 10_000;

/** Work that has come to a host waits there for its slots or accelerators. */
export function waitsForSlot(
  { now, campaign }: StallFacts,
  activity: PendingActivity,
  label: string,
): boolean {
  const { type, doing, startedAt } = activity;
  if (ago(now, startedAt) < HANDOUT_MS) return false;
  const works = campaign.active.some(({ trial, what }) => trial === label && what === type);
  return !works && doing === DOING.waitsForLease;
}

/** Work that waits for slots which others on its host hold. */
export function slot(facts: StallFacts, { queue, worker, startedAt }: PendingActivity, label: string): Wait {
  const holders = holdersOf(facts).filter((holder) => !holder.startsWith(`${label} `));
  return lease(queue, label, startedAt, `${slotsOf(facts.campaign, queue)} on ${worker}`, holders, facts);
}

/** A training that a host took from its queue and gave back, because others had its slots by then. */
export function givenBack(facts: StallFacts, { queue, scheduledAt }: PendingActivity, label: string): Wait {
  const { seen, said } = busyOn(facts, queue);
  return lease(queue, label, scheduledAt, placeOn(facts, queue), [...seen, ...said], facts);
}

function lease(
  queue: string,
  subject: string,
  since: Date | null,
  place: string,
  holders: readonly string[],
  facts: StallFacts,
): Wait {
  const [first, ...more] = holders;
  const held =
    first === undefined ? '' : `, held by ${first}${more.length === 0 ? '' : ` and ${more.length} more`}`;
  return {
    what: 'lease',
    id: `lease:${queue}`,
    subject,
    since,
    dueMs: 0,
    says: ({ names, many }) => `${names} ${many ? 'wait' : 'waits'} for ${place}${held}`,
    remedy: `It comes by itself when work ends; ${starts(facts, queue)} on another host adds places.`,
  };
}

interface Queued {
  queue: string;
  kind: QueueFacts['kind'];
  since: Date | null;
}

/** A queue hands out at once as long as some worker asks; null while that may still happen. */
export function unattended(facts: StallFacts, { queue, kind, since }: Queued, label: string): Wait | null {
  const waited = ago(facts.now, since);
  if (waited < HANDOUT_MS) return null;
  const { seen, said } = busyOn(facts, queue);
  if (seen.length > 0) return lease(queue, label, since, placeOn(facts, queue), seen, facts);
  const busy = livingOn(facts, queue, kind);
  if (busy.length > 0 && waited >= ASKED_MS)
    return lease(queue, label, since, placeOn(facts, queue), busy, facts);
  const kept = keepsFiles(queue, since, label);
  if (kept !== null) return kept;
  const [latest] = pollersOf(facts, queue, kind);
  if (latest !== undefined && Math.min(waited, ago(facts.now, latest.at)) < ASKED_MS) return null;
  const asked =
    latest === undefined
      ? 'which no worker polls'
      : `which no worker has polled for ${span(ago(facts.now, latest.at))} (the last was ${latest.worker})`;
  const perhaps = said.length === 0 ? '' : `; ${said.join(', ')} may keep one busy`;
  return {
    what: 'no_worker',
    id: `no_worker:${queue}`,
    subject: label,
    since,
    dueMs: -waited,
    says: ({ names, many }) =>
      `${names} ${many ? 'wait' : 'waits'} for a worker on queue ${queue}, ${asked}${perhaps}`,
    remedy: `${starts(facts, queue)} runs one.`,
  };
}

/** Work for files that one host keeps: it is taken from there when the host does not come for it. */
function keepsFiles(queue: string, since: Date | null, label: string): Wait | null {
  const of = hostOfQueue(queue);
  if (of === null) return null;
  return {
    what: 'lease',
    id: `lease:${queue}`,
    subject: label,
    since,
    dueMs: 0,
    says: ({ names, many }) =>
      `${names} ${many ? 'wait' : 'waits'} for host ${of.host}, which keeps ${many ? 'their' : 'its'} files`,
    remedy: `It comes by itself: from the host when work there ends, or from another when ${of.host} is silent for too long.`,
  };
}

/** Lists workers that asked a queue for work lately, the latest first. */
export function pollersOf(
  { now, server }: StallFacts,
  queue: string,
  kind: QueueFacts['kind'],
): QueueFacts['pollers'] {
  const found = server?.queues.find((each) => each.queue === queue && each.kind === kind);
  return (found?.pollers ?? [])
    .filter(({ at }) => ago(now, at) < POLLED_MS)
    .sort((a, b) => b.at.getTime() - a.at.getTime());
}

/**
 * Lists workers that served a queue in the last minutes, do not ask for its work now, and were heard of since by other
 * means: they live and have no room for more. A host that takes no work because it is unfit is told as that.
 */
function livingOn(facts: StallFacts, queue: string, kind: QueueFacts['kind']): string[] {
  const { now, server, hosts } = facts;
  const listed = server?.queues.find((each) => each.queue === queue && each.kind === kind)?.pollers ?? [];
  const living = listed.filter(({ worker, at }) => {
    const heardAt = lastHeard(facts, worker);
    const fit = !hosts.some(({ host }) => worker.startsWith(`${host}:`));
    return fit && ago(now, at) >= ASKED_MS && ago(now, heardAt) < HEARD_MS;
  });
  return [...new Set(living.map(({ worker }) => `other work on ${worker}`))].sort();
}

/** The latest moment at which a worker asked any queue for work, or said that it is at work. */
function lastHeard({ server }: StallFacts, worker: string): Date | null {
  const moments = [
    ...(server?.queues ?? []).flatMap(({ pollers }) =>
      pollers.flatMap((poller) => (poller.worker === worker ? [poller.at] : [])),
    ),
    ...(server?.workflows ?? []).flatMap(({ activities }) =>
      activities.flatMap((each) => (each.worker === worker ? (each.heartbeatAt ?? []) : [])),
    ),
  ];
  return moments.sort((a, b) => b.getTime() - a.getTime())[0] ?? null;
}

/**
 * Lists workers that are busy with work from a queue: `seen`, as the server shows, which counts work as begun until its
 * worker has been silent for too long; `said`, as the store says of other campaigns, though their host may be gone.
 */
function busyOn(facts: StallFacts, queue: string): { seen: string[]; said: string[] } {
  const { server, campaign, elsewhere } = facts;
  const heard = (server?.workflows ?? []).flatMap(({ label, activities }) =>
    activities
      .filter((each) => isSameWork(each.queue, queue, campaign.pool) && !WAITING.has(each.type))
      .filter((each) => each.state === 'started' || each.state === 'cancelling')
      .map(({ worker }) => `${label} on ${worker}`),
  );
  const what = workOf(queue, campaign.pool);
  const others = elsewhere.filter((each) => each.what === what);
  const lives = others.filter(({ host }) => isHeard(facts, host));
  const silent = others.filter((each) => !lives.includes(each));
  return { seen: [...heard, ...lives.map(otherText)], said: silent.map(otherText) };
}

/** Returns true for queues of which a host serves one with the slots that it could serve the other with. */
function isSameWork(a: string, b: string, pool: string | null): boolean {
  return a === b || (workOf(a, pool) === 'train' && workOf(b, pool) === 'train');
}

/** The kind of work that hosts take from a queue; null for queues that need no host. */
function workOf(queue: string, pool: string | null): string | null {
  if (pool === null) return null;
  if (isTrainQueue(queue, pool)) return 'train';
  return queue === `assay-eval-${pool}` ? 'evaluate' : null;
}

/** Returns true when a worker process of a host has asked for work lately. */
function isHeard(facts: StallFacts, host: string): boolean {
  return (facts.server?.queues ?? []).some(({ queue, kind }) =>
    pollersOf(facts, queue, kind).some(({ worker }) => worker.startsWith(`${host}:`)),
  );
}

export function otherText({ campaign, host }: StallFacts['elsewhere'][number]): string {
  return `campaign ${campaign} on ${host}`;
}

/** Lists work that holds slots: trainings, and what else takes accelerators. */
function holdersOf({ campaign, elsewhere }: StallFacts): string[] {
  const { active, gpus } = campaign;
  const kinds = ['train', ...(['prepare', 'evaluate'] as const).filter((what) => gpus[what] > 0)];
  const own = active.filter(({ what }) => kinds.includes(what));
  const others = elsewhere.filter(({ what }) => what === 'train');
  return [...own.map(({ trial, host }) => `${trial} on ${host}`), ...others.map(otherText)];
}

function placeOn({ campaign }: StallFacts, queue: string): string {
  const { pool } = campaign;
  if (pool !== null && isTrainQueue(queue, pool)) return slotsOf(campaign, queue);
  if (pool !== null && queue === `assay-eval-${pool}`) return `an evaluator of pool ${pool}`;
  return `a worker of queue ${queue}`;
}

/** The slots that work in a queue of a campaign takes, in words. */
function slotsOf({ pool, slots, gpus }: StallFacts['campaign'], queue: string): string {
  const sizes = [slots ?? 0, gpus.prepare, gpus.evaluate].filter((taken) => taken > 0);
  const taken = sizes.find((each) => queue === trainQueue(pool ?? '', sizeClass(each))) ?? slots ?? 1;
  return `${taken === 1 ? 'a slot' : `${taken} slots`} of pool ${pool ?? ''}`;
}

/** The command that runs a worker on a queue. */
export function starts(facts: StallFacts, queue: string): string {
  const { campaign, server } = facts;
  const any = server?.queues.some((each) => pollersOf(facts, each.queue, each.kind).length > 0) ?? true;
  if (!any) return '`assay worker`, or `assay dev`,';
  if (queue === 'assay' || queue === 'assay-wait') return '`assay worker orchestrator`';
  if (queue === 'assay-model') return '`assay worker model`';
  const role = queue.startsWith('assay-train-') ? 'trainer' : 'evaluator';
  const pool = campaign.pool ?? queue.replace(/^assay-[a-z]+-/, '');
  const slots = role === 'trainer' && (campaign.slots ?? 1) > 1 ? ` --slots ${campaign.slots}` : '';
  return `\`assay worker ${role} --pool ${pool}${slots}\``;
}
