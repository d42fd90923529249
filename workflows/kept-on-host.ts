import { ActivityFailure, patched, proxyActivities, TimeoutFailure } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import type { EvaluateActivities } from '../activities/evaluate.js';
import type { TrainActivities } from '../activities/train.js';
import { hostQueue } from '../src/domain/host-queues.js';
import {
  CHECK_HEARTBEAT_SECONDS,
  ended,
  patient,
  phaseActivities,
  turnOf,
  WAITING_SECONDS,
  type Frozen,
} from './proxies.js';

type Trained = Awaited<ReturnType<TrainActivities['train']>>;

/** The folder of a host that keeps files of a trial. */
export type HostPlace = Extract<Trained, { next: 'there' }>['place'];

/** The phases that a host may have to do because it keeps their files. */
export type KeptPhases = Pick<ReturnType<typeof phaseActivities>, 'train' | 'evaluate'>;

/** A host that is silent for so many times the heartbeat timeout of its trainings is not waited for any longer. */
const SILENT_TIMES = 5;

/** Phases on the queue of one host, which ends their wait when that host does not take them. */
function hostActivities(frozen: Frozen, place: HostPlace): KeptPhases {
  const { phaseSeconds, trainHeartbeatSeconds } = frozen;
  const options = (kind: 'train' | 'eval', seconds: number, heartbeatSeconds: number): ActivityOptions => ({
    taskQueue: hostQueue(kind, place),
    scheduleToStartTimeout: SILENT_TIMES * trainHeartbeatSeconds * 1000,
    startToCloseTimeout: (seconds + WAITING_SECONDS) * 1000,
    heartbeatTimeout: heartbeatSeconds * 1000,
    ...ended,
    ...turnOf(frozen),
    retry: patient,
  });
  const { train } = proxyActivities<TrainActivities>(
    options('train', phaseSeconds.train, trainHeartbeatSeconds),
  );
  const { evaluate } = proxyActivities<EvaluateActivities>(
    options('eval', phaseSeconds.evaluate, CHECK_HEARTBEAT_SECONDS),
  );
  return { train, evaluate };
}

interface Result {
  next: string;
  place?: HostPlace;
}

/** The folder whose host was asked in vain before; `refused` where it answered that it may not do this. */
type Asking = { tried?: string; refused?: true };

/** A phase as it is run: on some queue, and told which host was asked in vain before. */
export type KeptPhase<T> = (phases: KeptPhases, asking: Asking) => Promise<T>;

/** Result as a caller sees it: where the files are is settled by then. */
type Done<T> = Exclude<T, { next: 'there' } | { next: 'refused' }>;

/**
 * Runs a phase on the host that keeps its files, if one does, else on any of the pool. When that host does not take it
 * in time, one of the pool decides: it waits for the host again, or goes on without those files. A host that may not do
 * it is not asked again.
 */
export async function whereFilesAre<T extends Result>(
  frozen: Frozen,
  first: HostPlace | undefined,
  phase: KeptPhase<T>,
): Promise<Done<T>> {
  let place = first !== undefined && patched('kept-on-host') ? first : null;
  let asking: Asking = {};
  for (;;) {
    const result =
      place === null
        ? await phase(phaseActivities(frozen), asking)
        : await unlessLate(phase(hostActivities(frozen, place), {}));
    if (result !== null && isDone(result)) return result;
    if (result?.next === 'there') place = result.place ?? null;
    else [asking, place] = [askedInVain(place, result), null];
  }
}

function askedInVain(place: HostPlace | null, result: Result | null): Asking {
  if (place === null) return {};
  return { tried: place.folder, ...(result?.next === 'refused' ? { refused: true } : {}) };
}

const isDone = <T extends Result>(result: T): result is Done<T> =>
  result.next !== 'there' && result.next !== 'refused';

/** Null when no worker took the activity in time. */
async function unlessLate<T>(activity: Promise<T>): Promise<T | null> {
  try {
    return await activity;
  } catch (error) {
    const cause = error instanceof ActivityFailure ? error.cause : undefined;
    if (cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START') return null;
    throw error;
  }
}
