import type { PendingActivity, StallFacts, WorkflowFacts } from '../../src/analysis/stall/types.js';

export const NOW = Date.parse('2026-01-01T12:00:00Z');
export const before = (seconds: number): Date => new Date(NOW - seconds * 1000);
export const after = (seconds: number): Date => before(-seconds);

export const CAMPAIGN: StallFacts['campaign'] = {
  name: 'night-1',
  state: 'running',
  control: 'running',
  controlReason: null,
  exhausted: false,
  pausedSince: null,
  pool: 'cpu',
  slots: 1,
  gpus: { prepare: 0, evaluate: 0 },
  active: [],
  open: [],
};

export const QUEUES = [
  ['assay', 'workflow'],
  ['assay', 'activity'],
  ['assay-wait', 'activity'],
  ['assay-model', 'activity'],
  ['assay-train-cpu-x1', 'activity'],
  ['assay-eval-cpu', 'activity'],
] as const;

/** A server on which `worker` has just polled every queue but those left out. */
function server(workflows: WorkflowFacts[], unpolled: readonly string[] = []) {
  const pollers = [{ worker: 'host-a:1', at: before(1) }];
  const queues = QUEUES.map(([queue, kind]) => ({
    queue,
    kind,
    pollers: unpolled.includes(queue) ? [] : pollers,
  }));
  return { workflows, queues, leftOut: 0 };
}

export function factsOf(
  workflows: WorkflowFacts[],
  more: Partial<StallFacts> & { unpolled?: readonly string[] } = {},
): StallFacts {
  const { unpolled, ...rest } = more;
  return {
    now: new Date(NOW),
    campaign: CAMPAIGN,
    elsewhere: [],
    hosts: [],
    server: server(workflows, unpolled),
    ...rest,
  };
}

export function workflow(
  label: string,
  activities: PendingActivity[],
  more: Partial<WorkflowFacts> = {},
): WorkflowFacts {
  const kind = label.startsWith('t0') ? 'trial' : label === 'night-1' ? 'campaign' : 'lane';
  const id = kind === 'campaign' ? label : `night-1/${label}`;
  return { id, label, kind, status: 'running', ending: '', activities, step: null, ...more };
}

/** Training that has been at work for a minute, and was heard of two seconds ago. */
export const TRAINING: PendingActivity = {
  type: 'train',
  queue: 'assay-train-cpu-x1',
  state: 'started',
  attempt: 1,
  failure: null,
  nextAttemptAt: null,
  failedAt: null,
  scheduledAt: before(61),
  startedAt: before(60),
  heartbeatAt: before(2),
  heartbeatTimeoutMs: 120_000,
  startToCloseMs: 80_000_000,
  worker: 'host-a:1',
  doing: 'training',
};
export const QUEUED: PendingActivity = {
  ...TRAINING,
  state: 'scheduled',
  scheduledAt: before(30),
  startedAt: null,
  heartbeatAt: null,
  worker: '',
  doing: null,
};
export const TURN: PendingActivity = { ...TRAINING, type: 'takeTurn', queue: 'assay-model', doing: null };
