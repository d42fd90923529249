import type { Client } from '@temporalio/client';
import {
  Worker,
  type CustomSlotSupplier,
  type NativeConnection,
  type SlotInfo,
  type WorkerOptions,
} from '@temporalio/worker';
import type { Arrive } from '../src/measure/arrive.js';
import { campaignActivities } from '../activities/campaign.js';
import type { OrchestratorContext } from '../activities/context.js';
import type { ModelContext } from '../src/session/take-turn.js';
import type { HostContext } from '../src/measure/host-context.js';
import { claimActivities } from '../activities/claim.js';
import { decideActivities } from '../activities/decide.js';
import { evaluateActivities } from '../activities/evaluate.js';
import { modelActivities } from '../activities/model.js';
import { parkedActivities } from '../activities/parked.js';
import { prepareActivities } from '../activities/prepare.js';
import { reconcileActivities } from '../activities/reconcile.js';
import { sessionActivities } from '../activities/session.js';
import { submitActivities } from '../activities/submit.js';
import { reuseActivities, trainActivities } from '../activities/train.js';
import { benchOf, checkerOf, workspaceActivities } from '../activities/workspace.js';
import { hostQueue } from '../src/domain/host-queues.js';
import { failureInterceptor } from './failures.js';
import type { Gate } from './gate.js';
import { trainQueue } from '../src/domain/devices/size-classes.js';
import type { HostWatch } from './host-watch.js';
import { GRACE_MS, type Role } from './role-names.js';
import type { SizeAdmission } from './size-admission.js';
import { sizedSlots } from './sized-slots.js';
import { workflowBundle } from './workflow-bundle.js';

/** Connections and settings that a worker of any role needs. */
export interface WorkerGround {
  connection: NativeConnection;
  namespace: string;
  identity: string;
}

function optionsOf(ground: WorkerGround, graceMs = GRACE_MS): WorkerOptions {
  return {
    ...ground,
    taskQueue: '',
    interceptors: { activity: [failureInterceptor] },
    maxHeartbeatThrottleInterval: '5 seconds',
    shutdownGraceTime: graceMs,
  };
}

/** Activities of these that wait, a handful of bytes each, as long as it takes. */
const WAITING = 5000;

/** Workflows and the light activities on the queue `assay`, and those that only wait on one of their own. */
export async function orchestratorWorkers(
  ground: WorkerGround,
  context: OrchestratorContext,
): Promise<Worker[]> {
  const waiting = await Worker.create({
    ...optionsOf(ground, 0),
    taskQueue: 'assay-wait',
    activities: {
      ...campaignActivities(context),
      ...submitActivities(context),
      ...claimActivities(context),
      ...reconcileActivities(context),
      ...reuseActivities(context),
    },
    maxConcurrentActivityTaskExecutions: WAITING,
  });
  const main = await Worker.create({
    ...optionsOf(ground, 0),
    taskQueue: 'assay',
    workflowBundle: await workflowBundle(),
    activities: {
      ...campaignActivities(context),
      ...sessionActivities(context),
      ...submitActivities(context),
      ...decideActivities(context),
      ...parkedActivities(context),
      ...claimActivities(context),
      // an earlier assay schedules them here
      ...reconcileActivities(context),
      ...workspaceActivities({ lineage: context.lineage, check: null }),
    },
    maxConcurrentActivityTaskExecutions: 200,
    maxConcurrentWorkflowTaskExecutions: 40,
  });
  return [main, waiting];
}

/** Turns of conversations, on the queue `assay-model`. */
export async function modelWorker(ground: WorkerGround, context: ModelContext): Promise<Worker> {
  return Worker.create({
    ...optionsOf(ground),
    taskQueue: 'assay-model',
    activities: modelActivities(context),
    maxConcurrentActivityTaskExecutions: 64,
  });
}

/** Keeps an unhealthy host from taking work. */
export interface HostGuard {
  gate: Gate;
  watch: HostWatch;
}

function guardedBy(watch: HostWatch, slots: CustomSlotSupplier<SlotInfo>): Partial<WorkerOptions> {
  const none = { type: 'fixed-size', numSlots: 1 } as const;
  return {
    // the first is the outermost: failures of ours become Temporal's after the watch has seen them
    interceptors: { activity: [failureInterceptor, watch.interceptor()] },
    tuner: {
      activityTaskSlotSupplier: slots,
      workflowTaskSlotSupplier: none,
      localActivityTaskSlotSupplier: none,
      nexusTaskSlotSupplier: none,
    },
  };
}

/** Training on this host's leases: one worker for each size, and one for what an earlier assay scheduled. */
export async function trainWorkers(
  ground: WorkerGround,
  context: HostContext,
  admission: SizeAdmission,
  { gate, watch }: HostGuard,
): Promise<Worker[]> {
  const workerOf = (size: number | null): Promise<Worker> => {
    const arrive = (): ReturnType<Arrive> => admission.arrive(size);
    return Worker.create({
      ...optionsOf(ground),
      ...guardedBy(watch, sizedSlots(gate, admission.asking(size))),
      activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 1 },
      taskQueue: trainQueue(context.leases.name, size),
      // checks and evaluations come here where they take accelerators
      activities: {
        ...trainActivities(context, arrive),
        ...prepareActivities(context, arrive),
        ...evaluateActivities(context, arrive),
        ...workspaceActivities({
          lineage: context.lineage,
          check: checkerOf(context, arrive),
          bench: benchOf(context, arrive),
        }),
      },
    });
  };
  return Promise.all([...admission.sizes, null].map(workerOf));
}

/** Checks and evaluations of this host. */
export async function evalWorker(
  ground: WorkerGround,
  context: HostContext,
  pool: string,
  concurrency: number,
  guard: HostGuard,
): Promise<Worker> {
  return Worker.create({
    ...optionsOf(ground),
    ...guardedBy(guard.watch, guard.gate.slots(concurrency)),
    taskQueue: `assay-eval-${pool}`,
    activities: {
      ...prepareActivities(context),
      ...evaluateActivities(context),
      ...workspaceActivities({
        lineage: context.lineage,
        check: checkerOf(context),
        bench: benchOf(context),
      }),
    },
  });
}

/** The same work for files that only this host keeps; whoever takes it waits here for a lease or a turn. */
export async function keptWorkers(
  ground: WorkerGround,
  context: HostContext,
  guard: HostGuard,
  { roles, arrive }: { roles: readonly Role[]; arrive: Arrive },
): Promise<Worker[]> {
  const { place } = context.kept;
  const on = (kind: 'train' | 'eval', capacity: number, activities: object): Promise<Worker> =>
    Worker.create({
      ...optionsOf(ground),
      ...guardedBy(guard.watch, guard.gate.slots(capacity)),
      taskQueue: hostQueue(kind, place),
      activities,
    });
  const workers: Worker[] = [];
  if (roles.includes('trainer'))
    workers.push(await on('train', context.leases.capacity, trainActivities(context, arrive)));
  // a place of its own: its polls must not take one from the queue of the pool
  if (roles.includes('evaluator')) workers.push(await on('eval', 1, evaluateActivities(context, arrive)));
  return workers;
}

/** The search attributes of ours that the server knows; without permission to ask, none. */
export async function registeredAttributes<Name extends string>(
  client: Client,
  namespace: string,
  names: readonly Name[],
): Promise<Name[]> {
  try {
    const answer = await client.connection.operatorService.listSearchAttributes({ namespace });
    const known = Object.keys(answer.customAttributes);
    return names.filter((name) => known.includes(name));
  } catch {
    return [];
  }
}
