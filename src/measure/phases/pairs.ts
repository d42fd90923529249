import type { DeviceLease } from '../../devices/device-lease.js';
import { AssayError, type ErrorCode } from '../../domain/errors.js';
import { START } from '../../domain/keys.js';
import { gpusOf } from '../../domain/task/device-needs.js';
import { comparesTimes, type Task } from '../../domain/task/task.js';
import type { Failure } from '../../domain/trial/outcome.js';
import { givesUp, loadDifference, slownessCounts } from '../../domain/trial/pair-load.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import { persist } from '../../lineage/persist.js';
import type { RunHost } from '../host-context.js';
import type { StartTime } from './baseline-timing.js';
import type { TrainingOf } from './training.js';

/** Builds the record of a pair of which only the candidate is measured. */
export const unpaired = (
  { host }: { host: Pick<RunHost['host'], 'name'> },
  others: number,
  first: 'start' | 'candidate' = 'candidate',
): NonNullable<PhaseRun['pair']> => ({
  ...{ first, others, startOthers: null, startSpeed: null },
  host: host.name,
});

/**
 * Returns true for a run whose pair was begun elsewhere, on another host or on other accelerators: the start timed here
 * would be compared with what it never ran beside.
 */
export function isBegunElsewhere(
  { host, granted }: Pick<RunHost, 'host'> & { granted: Pick<DeviceLease, 'accessTo'> | null },
  task: Task,
  { pair, startMs, devices }: Pick<PhaseRun, 'pair' | 'startMs' | 'devices'>,
): boolean {
  if (!comparesTimes(task) || startMs !== null) return false;
  if (pair?.host !== host.name) return true;
  const gpus = gpusOf(task, 'train');
  const here = gpus === 0 || granted === null ? [] : granted.accessTo(gpus).uuids;
  return here.length !== devices.length || devices.some(({ uuid }) => !here.includes(uuid));
}

/** The measurement that a pair is of: whose, and what for. */
export interface PairOf {
  purpose: ReplicateDocument['purpose'];
  isStart: boolean;
}

/** The measurement that the pairs of a training are of. */
export const pairOf = ({ work, attempt }: Pick<TrainingOf, 'work' | 'attempt'>): PairOf => ({
  purpose: attempt.replicate.purpose,
  isStart: work.trial.number === START,
});

/**
 * Enters the start's time beside a run; gives it, in milliseconds.
 * @throws AssayError LOAD_CHANGED, CANDIDATE_SLOWED where the two were measured under different loads, so that they say nothing
 */
export function pairWith(
  run: Pick<PhaseRun, 'hostSpeed' | 'startMs' | 'pair'>,
  start: StartTime,
  of: PairOf,
): number {
  const { first, others, host } = run.pair ?? { first: 'candidate', others: null, host: null };
  const differs = loadDifference(start, { hostSpeed: run.hostSpeed, others });
  if (differs !== null && !(differs.mayBeItsOwn && slownessCounts(of)))
    throw new AssayError(
      differs.mayBeItsOwn ? 'CANDIDATE_SLOWED' : 'LOAD_CHANGED',
      `its time cannot be compared: ${differs.why}`,
    );
  const { others: startOthers, hostSpeed: startSpeed } = start;
  run.startMs = start.wallMs;
  run.pair = { first, others, startOthers, startSpeed, host };
  return start.wallMs;
}

const VOID: readonly ErrorCode[] = ['LOAD_CHANGED', 'CANDIDATE_SLOWED', 'DEVICE_THROTTLED'];

/** Returns true for the error of a pair that says nothing. */
export const isVoid = (error: unknown): error is AssayError =>
  error instanceof AssayError && VOID.includes(error.code);

/**
 * The failure of a trial that was slower than the start beside it again and again, so that its pairs were void: one
 * recipe may not hold up a campaign, nor draw again as often as it likes.
 * @throws AssayError what was caught, where it may pass, is the start's own, or is of the host and its other work
 */
export async function voidedOrThrow(training: TrainingOf, error: AssayError): Promise<Failure> {
  if (error.code !== 'CANDIDATE_SLOWED') throw error;
  const { context, attempt, signal } = training;
  const { faults, owner, snapshot, purpose } = attempt.replicate;
  const inRun = faults.filter(({ code }) => code === error.code).length + 1;
  const { replicates } = context.lineage;
  const before = await persist(signal, () => replicates.faultCount({ owner, snapshot, purpose }, error.code));
  if (!givesUp({ inRun, inAll: before + 1 }, pairOf(training).isStart)) throw error;
  const reason = `${error.message}; so it was ${inRun} times in this run and ${before + 1} times in all, while the start can be timed`;
  return { status: 'crash', phase: 'train', reason, limit: null, tail: '' };
}
