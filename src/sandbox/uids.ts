/** Users of runs at tier D: a range that neither distributions nor systemd hand out, so many for each process id. */
const FIRST = 1_879_048_192;
/** Process ids are below 2^22 on Linux. */
const MOST_PIDS = 2 ** 22;

/** Runs that one worker can have at the same time. */
export const UIDS_PER_WORKER = 64;

/** The first user of a worker's runs; the others follow. */
export function firstUid(workerPid: number): number {
  return FIRST + (workerPid % MOST_PIDS) * UIDS_PER_WORKER;
}

/** Whether a user is one of some worker's runs. */
export function isRunUid(uid: number): boolean {
  return uid >= FIRST && uid < FIRST + MOST_PIDS * UIDS_PER_WORKER;
}
