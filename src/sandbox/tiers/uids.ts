import { AssayError } from '../../domain/errors.js';

/** Users of runs that have one of their own: a range that neither distributions nor systemd hand out, so many for each process id. */
const FIRST = 1_879_048_192;
/** Process ids are below 2^22 on Linux. */
const MOST_PIDS = 2 ** 22;

/** Runs that one worker can have at the same time. */
export const UIDS_PER_WORKER = 64;

/** The first user of a worker's runs; the others follow. */
export function firstUid(workerPid: number): number {
  return FIRST + (workerPid % MOST_PIDS) * UIDS_PER_WORKER;
}

/** Returns true when a user belongs to a worker's runs. */
export function isRunUid(uid: number): boolean {
  return uid >= FIRST && uid < FIRST + MOST_PIDS * UIDS_PER_WORKER;
}

const taken = new Set<number>();
let latest = -1;

/**
 * A user for one run of this process: the one that was free longest, since the dead of a run count as its user's until
 * the system has collected them.
 * @throws AssayError HOST_FAULT when all are in use
 */
export function takeUid(): number {
  const first = firstUid(process.pid);
  for (let tried = 0; tried < UIDS_PER_WORKER; tried += 1) {
    latest = (latest + 1) % UIDS_PER_WORKER;
    const uid = first + latest;
    if (taken.has(uid)) continue;
    taken.add(uid);
    return uid;
  }
  throw new AssayError('HOST_FAULT', `more than ${UIDS_PER_WORKER} runs at once in one worker`);
}

/** Lets another run have the user of one that is over. */
export function releaseUid(uid: number): void {
  taken.delete(uid);
}
