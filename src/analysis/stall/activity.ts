import { ERRORS } from '../../domain/errors.js';
import { exclusive } from './exclusive.js';
import { givenBack, pollersOf, slot, starts, unattended, waitsForSlot } from './queue.js';
import type { ActivityFault, PendingActivity, StallFacts, WorkflowFacts } from './types.js';
import { ago, silence, span, WAITING, type Wait } from './wording.js';

/** `idle`: it waits on purpose for something that is told elsewhere. */
export type ActivityState = 'moves' | 'idle' | Wait;

/** After this time a repeated attempt is not told as a repetition any more. */
const SETTLED_MS = 20_000;
const MESSAGE_LENGTH = 200;
/** Name that the SDK gives to an attempt that ended with its worker, in order. */
const CUT_SHORT = 'WorkerShutdown';

/** Classifies an activity: at work, or waiting, and for what. */
export function activityState(
  facts: StallFacts,
  { label }: WorkflowFacts,
  activity: PendingActivity,
): ActivityState {
  const { state, attempt } = activity;
  if (state === 'paused') return pausedOnServer(activity, label);
  if (state === 'cancelling') return ending(facts, activity, label);
  if (state === 'started') {
    const silent = silence(facts.now, activity);
    if (silent !== null) return lost(facts, activity, label, silent);
    if (WAITING.has(activity.type)) return 'idle';
    const turn = exclusive(facts, activity, label);
    if (turn !== null) return turn;
    if (waitsForSlot(facts, activity, label)) return slot(facts, activity, label);
    const since = ago(facts.now, activity.startedAt);
    return activity.failure !== null &&
      activity.failure.type !== CUT_SHORT &&
      attempt > 1 &&
      since < SETTLED_MS
      ? again(activity, activity.failure, label, 'is under way')
      : 'moves';
  }
  const { nextAttemptAt, failure } = activity;
  if (failure?.type === 'NO_FREE_SLOTS') return givenBack(facts, activity, label);
  if (nextAttemptAt !== null && nextAttemptAt > facts.now && failure !== null)
    return again(activity, failure, label, `comes in ${span(nextAttemptAt.getTime() - facts.now.getTime())}`);
  const queued = queuedAt(facts, activity, label);
  if (queued !== 'moves') return queued;
  if (failure !== null && attempt > 1) return again(activity, failure, label, 'comes now');
  return WAITING.has(activity.type) ? 'idle' : 'moves';
}

/** Classifies a step of a workflow; steps take milliseconds. */
export function stepState(facts: StallFacts, { id, label, step }: WorkflowFacts): ActivityState {
  if (step === null) return 'idle';
  if (step.attempt >= STUCK_ATTEMPTS)
    return {
      what: 'retrying',
      id: `step:${id}`,
      subject: label,
      since: step.since,
      dueMs: 0,
      says: ({ names }) =>
        `the workflow of ${names} fails at every attempt to continue (${step.attempt} so far)`,
      remedy: `\`assay replay ${id}\` says where it parts from its history.`,
    };
  if (step.state === 'started') return 'moves';
  const of = { queue: 'assay', kind: 'workflow', since: step.since } as const;
  return unattended(facts, of, label) ?? 'moves';
}

const STUCK_ATTEMPTS = 4;

function lost(facts: StallFacts, activity: PendingActivity, label: string, silentMs: number): Wait {
  const { worker, queue, heartbeatTimeoutMs, startToCloseMs, startedAt } = activity;
  const limit = heartbeatTimeoutMs ?? startToCloseMs ?? silentMs;
  const left = heartbeatTimeoutMs === null ? limit - ago(facts.now, startedAt) : limit - silentMs;
  const others = pollersOf(facts, queue, 'activity').filter((poller) => poller.worker !== worker);
  const when = `${span(limit)} are over (in ${span(left)})`;
  return {
    what: 'lost_worker',
    id: `lost_worker:${worker}:${queue}`,
    subject: label,
    since: new Date(facts.now.getTime() - silentMs),
    dueMs: left,
    says: ({ names, many }) =>
      `${names}: ${many ? 'their' : 'its'} worker ${worker} has not been heard of for ${span(silentMs)}; ${others.length > 0 ? `another takes over when ${when}` : `the work is free to be taken over when ${when}, but no other worker polls ${queue}`}`,
    remedy: others.length > 0 ? null : `${starts(facts, queue)} takes it over.`,
  };
}

/** A cancelled activity ends when its processes are dead, or when its worker counts as dead. */
function ending(facts: StallFacts, activity: PendingActivity, label: string): Wait {
  const { worker, heartbeatTimeoutMs } = activity;
  const silentMs = silence(facts.now, activity);
  const rest =
    silentMs === null
      ? 'which ends its processes'
      : `which has not been heard of for ${span(silentMs)}${heartbeatTimeoutMs === null ? '' : `; it counts as dead in ${span(heartbeatTimeoutMs - silentMs)}`}`;
  return {
    what: 'stopping',
    id: `stopping:${worker}:${silentMs === null ? 'alive' : 'silent'}`,
    subject: label,
    since: silentMs === null ? null : new Date(facts.now.getTime() - silentMs),
    dueMs: silentMs === null || heartbeatTimeoutMs === null ? 0 : heartbeatTimeoutMs - silentMs,
    says: ({ names }) => `still ending: ${names} on ${worker}, ${rest}`,
    remedy: null,
  };
}

function pausedOnServer({ type, failure }: PendingActivity, label: string): Wait {
  return {
    what: 'paused',
    id: `paused:${type}`,
    subject: label,
    since: null,
    dueMs: 0,
    says: ({ names }) => `${wording(type)} of ${names} was paused on the server${brackets(failure)}`,
    remedy: 'Unpause the activity in the Temporal UI, or with `temporal activity unpause`.',
  };
}

/** Finds out if an activity in its queue is about to be handed out, and if not, why not. */
function queuedAt(facts: StallFacts, activity: PendingActivity, label: string): Wait | 'moves' {
  const { queue, scheduledAt, nextAttemptAt } = activity;
  const since = nextAttemptAt ?? scheduledAt;
  return unattended(facts, { queue, kind: 'activity', since }, label) ?? 'moves';
}

const PROVIDER = new Set(['MODEL_OVERLOADED', 'MODEL_UNREACHABLE']);
/** Failures by which a host leaves work to another one. */
const UNFIT = new Map([
  ['ISOLATION_TOO_WEAK', 'isolation'],
  ['HOST_CLASS_DIFFERS', 'host-class'],
  ['ACCELERATORS_DIFFER', 'accelerators'],
]);

/** An activity that failed and is tried again; `next` says when. */
function again(activity: PendingActivity, failure: ActivityFault, label: string, next: string): Wait {
  const { type, attempt, failedAt, nextAttemptAt, worker } = activity;
  const { text, remedy } = worded(failure);
  const common = { subject: label, since: failedAt, dueMs: nextAttemptAt?.getTime() ?? 0 };
  if (PROVIDER.has(failure.type))
    return {
      ...common,
      what: 'provider',
      id: `provider:${failure.type}`,
      says: ({ names, many }) =>
        `${names} ${many ? 'wait' : 'waits'} for the provider: ${text}; attempt ${attempt} ${next}`,
      remedy,
    };
  const unfit = UNFIT.get(failure.type);
  if (unfit !== undefined)
    return {
      ...common,
      what: 'no_worker',
      id: `no_worker:${unfit}:${text}`,
      says: ({ names, many }) => `${names} ${many ? 'wait' : 'waits'} for a worker that may run it: ${text}`,
      remedy,
    };
  if (failure.type === 'TIMEOUT')
    return {
      ...common,
      what: 'lost_worker',
      id: `lost_worker:${worker}:${activity.queue}`,
      says: ({ names, many }) =>
        `${names}: ${many ? 'their' : 'its'} worker ${worker} was lost; attempt ${attempt} ${next}`,
      remedy,
    };
  const times = attempt === 2 ? 'once' : `${attempt - 1} times`;
  return {
    ...common,
    what: 'retrying',
    id: `retrying:${type}:${failure.type}`,
    says: ({ names }) => `${names}: ${wording(type)} failed ${times} (${text}); attempt ${attempt} ${next}`,
    remedy,
  };
}

/** The failure on one line, and the remedy of its code, which the message of ours repeats. */
function worded({ type, message }: ActivityFault): { text: string; remedy: string | null } {
  const known = Object.entries(ERRORS).find(([code]) => code === type)?.[1].remedy ?? null;
  const flat = message.replace(/\s+/g, ' ').trim();
  const bare = known !== null && flat.endsWith(known) ? flat.slice(0, -known.length).trim() : flat;
  const short = bare.replace(/\.$/, '');
  const cut = short.length > MESSAGE_LENGTH ? `${short.slice(0, MESSAGE_LENGTH)}…` : short;
  return { text: cut === '' ? type : `${type}: ${cut}`, remedy: known };
}

function brackets(failure: ActivityFault | null): string {
  return failure === null ? '' : ` (${worded(failure).text})`;
}

const WORDINGS: Record<string, string> = {
  freeze: 'freezing its settings',
  prepare: 'its check',
  train: 'training',
  evaluate: 'evaluation',
  decide: 'the decision',
  takeTurn: 'a turn of the model',
  runTools: 'running its tools',
  openSession: 'opening a session',
  submitTrial: 'submitting a trial',
  watch: 'the watch over its limits',
};

function wording(type: string): string {
  return WORDINGS[type] ?? type;
}
