import { ActivityCancellationType, proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { CampaignActivities } from '../activities/campaign.js';
import type { ClaimActivities } from '../activities/claim.js';
import type { DecideActivities } from '../activities/decide.js';
import type { EvaluateActivities } from '../activities/evaluate.js';
import type { ModelActivities } from '../activities/model.js';
import type { ParkedActivities } from '../activities/parked.js';
import type { PrepareActivities } from '../activities/prepare.js';
import type { ReconcileActivities } from '../activities/reconcile.js';

import type { SessionActivities } from '../activities/session.js';
import type { SubmitActivities } from '../activities/submit.js';
import type { ReuseActivities, TrainActivities } from '../activities/train.js';
import type { WorkspaceActivities } from '../activities/workspace.js';
import { DEFAULT_PRIORITY, type FrozenCampaign } from '../src/domain/campaign/campaign.js';
import { sizeClass, trainQueue } from '../src/domain/devices/size-classes.js';

export type Frozen = Pick<
  FrozenCampaign,
  'name' | 'owner' | 'task' | 'pool' | 'attributes' | 'phaseSeconds' | 'trainHeartbeatSeconds'
> &
  // an earlier assay has given its workflows none of them
  Partial<Pick<FrozenCampaign, 'slots' | 'gpus' | 'priority'>>;

const HOURS = 3600;
/** The activity waits for the lease; the limits of a phase are enforced where it runs. */
export const WAITING_SECONDS = 24 * HOURS;
/** Short, because checks and evaluations are cheap to repeat. */
export const CHECK_HEARTBEAT_SECONDS = 30;

export const patient = {
  initialInterval: '1 second',
  backoffCoefficient: 2,
  maximumInterval: '15 seconds',
} as const;

/** Short reads and writes of the store, retried for as long as the store is unreachable. */
const light: ActivityOptions = { taskQueue: 'assay', startToCloseTimeout: '30 seconds', retry: patient };

export const campaignActivities = proxyActivities<Omit<CampaignActivities, 'watch' | 'awaitControl'>>(light);
export const sessionActivities = proxyActivities<SessionActivities>(light);
export const submitActivities =
  proxyActivities<Omit<SubmitActivities, 'awaitTwin' | 'awaitTrials' | 'awaitEnd'>>(light);
export const claimActivities = proxyActivities<Omit<ClaimActivities, 'awaitMilestone'>>(light);
export const decideActivities = proxyActivities<DecideActivities>(light);
export const parkedActivities = proxyActivities<ParkedActivities>(light);

/**
 * Whatever waits, with a heartbeat: for a condition, for processes and for workflows to end. It has a queue of its
 * own, so that it never occupies a slot that the awaited work needs, however many campaigns run.
 */
const waiting: ActivityOptions = {
  taskQueue: 'assay-wait',
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '15 seconds',
  retry: patient,
};

export const reconcileActivities = proxyActivities<ReconcileActivities>(waiting);

/** One per campaign. */
export const { watch } = proxyActivities<Pick<CampaignActivities, 'watch'>>(waiting);

/** Activities of lanes and trials that wait for a condition. */
export const waitingActivities = proxyActivities<
  Pick<CampaignActivities, 'awaitControl'> &
    Pick<SubmitActivities, 'awaitTwin' | 'awaitTrials' | 'awaitEnd'> &
    Pick<ClaimActivities, 'awaitMilestone'> &
    ReuseActivities
>(waiting);

/** Work that is waited for after a cancel: none of it may outlive its workflow. */
export const ended = { cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED } as const;

/**
 * One turn of a conversation. Replies can be long, and an unreachable provider is waited for. The heartbeat timeout
 * is long, because a server outage that outlasts it cuts off paid requests.
 */
export const modelActivities = proxyActivities<ModelActivities>({
  ...ended,
  taskQueue: 'assay-model',
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '2 minutes',
  retry: { initialInterval: '2 seconds', backoffCoefficient: 2, maximumInterval: '2 minutes' },
});

/** Order among campaigns that wait for the same hosts: by priority, and in turn between those of the same one. */
export function turnOf({ name, priority = DEFAULT_PRIORITY }: Frozen): Pick<ActivityOptions, 'priority'> {
  return { priority: { priorityKey: priority, fairnessKey: name } };
}

/** The queue of a campaign's trainings; one that an earlier assay froze keeps the queue of all sizes. */
function queueOfTrainings({ pool, slots = null }: Frozen): string {
  return trainQueue(pool, slots === null ? null : sizeClass(slots));
}

/** The queue of work that takes so many accelerators, which is that of trainings of that size, or of the evaluators. */
const queueOfChecks = ({ pool }: Frozen, gpus = 0): string =>
  gpus === 0 ? `assay-eval-${pool}` : trainQueue(pool, sizeClass(gpus));

/**
 * Activities of the workspace: tools that only edit run anywhere; those that start processes run on a host of the
 * pool, and those that take a lease with the trainings.
 */
export function workspaceActivities(frozen: Frozen, { needsHost, needsLease = false }: ToolsNeed) {
  const { gpus, phaseSeconds } = frozen;
  const leased = needsLease ? Math.max(1, gpus?.prepare ?? 0) : (gpus?.prepare ?? 0);
  // a check runs the whole preflight, and a probe as long as a training
  const seconds = phaseSeconds.prepare + (needsLease ? phaseSeconds.train : 0) + WAITING_SECONDS;
  return proxyActivities<WorkspaceActivities>({
    ...(needsHost ? { ...ended, ...turnOf(frozen) } : {}),
    taskQueue: needsHost ? queueOfChecks(frozen, leased) : 'assay',
    startToCloseTimeout: needsHost ? seconds * 1000 : '10 minutes',
    heartbeatTimeout: '20 seconds',
    retry: patient,
  });
}

/** Needs of the tool calls of a turn. */
interface ToolsNeed {
  needsHost: boolean;
  needsLease?: boolean;
}

/** Phases of a trial, on the queues of its pool. A cancelled phase ends when its processes are dead. */
export function phaseActivities(frozen: Frozen) {
  const options = (queue: string, seconds: number, heartbeatSeconds: number): ActivityOptions => ({
    taskQueue: queue,
    startToCloseTimeout: (seconds + WAITING_SECONDS) * 1000,
    heartbeatTimeout: heartbeatSeconds * 1000,
    ...ended,
    ...turnOf(frozen),
    retry: patient,
  });
  const { gpus, phaseSeconds, trainHeartbeatSeconds } = frozen;
  const { prepare } = proxyActivities<PrepareActivities>(
    options(queueOfChecks(frozen, gpus?.prepare), phaseSeconds.prepare, CHECK_HEARTBEAT_SECONDS),
  );
  const { train } = proxyActivities<TrainActivities>(
    options(queueOfTrainings(frozen), phaseSeconds.train, trainHeartbeatSeconds),
  );
  const { evaluate } = proxyActivities<EvaluateActivities>(
    options(queueOfChecks(frozen, gpus?.evaluate), phaseSeconds.evaluate, CHECK_HEARTBEAT_SECONDS),
  );
  return { prepare, train, evaluate };
}
