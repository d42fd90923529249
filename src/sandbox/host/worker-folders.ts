import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeOnExit } from '../process/kill-on-exit.js';
import { sweepGroups } from '../tiers/cgroup-roots.js';
import { sweepRoots } from '../private-root/own-folders.js';
import { markedProcesses, processesOfUsers, sweepOrphans, sweepUsers } from '../process/process-table.js';
import { removeTree } from '../remove-tree.js';
import { firstUid, UIDS_PER_WORKER } from '../tiers/uids.js';
import { removeIpcObjects } from '../tiers/ipc-cleanup.js';
import { processName } from './worker-name.js';

export { processName };

export interface Swept {
  folder: string;
  /** Processes of the dead worker that were still alive. */
  killed: number;
}

/** The folder of this worker below `work`; its runs carry its name as their prefix. It goes with this process. */
export async function openWorkerFolder(work: string): Promise<{ folder: string; name: string }> {
  const name = await processName(process.pid);
  const folder = join(work, name);
  await mkdir(folder, { recursive: true });
  removeOnExit(folder);
  return { folder, name };
}

/** A process of a run of a worker. */
export interface WorkerRun {
  pid: number;
  worker: string;
  living: boolean;
  /** The rest of the run's name; empty where only its user says whose it is. */
  of: string;
}

/** Workers that have a folder below `work`, and everything on this host that runs for a worker. */
export interface WorkersHere {
  workers: { name: string; living: boolean; folders: string[] }[];
  /** Runs of workers that have no folder below `work` because they have another home. */
  runs: WorkerRun[];
  /** Control groups of those of the workers that are dead. */
  groups: string[];
}

/** Looks at workers and what they have left, and changes nothing. */
export async function workersHere(work: string): Promise<WorkersHere> {
  const workers: WorkersHere['workers'] = [];
  for (const name of await readdir(work).catch(() => []))
    if (pidIn(name) !== null)
      workers.push({
        name,
        living: !(await isDead(name)),
        folders: await readdir(join(work, name)).catch(() => []),
      });
  const runs: WorkerRun[] = [];
  for (const { pid, run } of await markedProcesses()) {
    const [, worker, of] = /^(\d+-\w+)\/(.*)$/.exec(run) ?? [];
    if (worker === undefined || of === undefined) continue;
    runs.push({ pid, worker, of, living: !(await isDead(worker)) });
  }
  const dead = workers.flatMap(({ name, living }) => (living ? [] : [name]));
  for (const worker of dead)
    for (const { pid } of await processesOfUsers(await usersOf(worker)))
      if (!runs.some((run) => run.pid === pid)) runs.push({ pid, worker, of: '', living: false });
  const groups = await sweepGroups(async (name) => dead.includes(name) && (await isDead(name)), true);
  return { workers, runs, groups: groups.map(({ folder }) => folder) };
}

/** Ends what dead workers of this host have left: processes first, then what these left, control groups and folders. */
export async function sweepDeadWorkers(work: string, dryRun = false): Promise<Swept[]> {
  const swept: Swept[] = [];
  for (const name of await readdir(work).catch(() => [])) {
    if (!(await isDead(name))) continue;
    const killed = dryRun ? 0 : (await sweepOrphans({ prefix: `${name}/` })) + (await sweepUsersOf(name));
    if (!dryRun) await removeTree(join(work, name));
    swept.push({ folder: join(work, name), killed });
  }
  const roots = (await sweepRoots(isDead, dryRun)).map((folder) => ({ folder, killed: 0 }));
  return [...swept, ...(await sweepGroups(isDead, dryRun)), ...roots];
}

function pidIn(worker: string): number | null {
  const pid = Number(/^(\d+)-/.exec(worker)?.[1]);
  return Number.isInteger(pid) ? pid : null;
}

async function isDead(worker: string): Promise<boolean> {
  const pid = pidIn(worker);
  return pid !== null && (await processName(pid)) !== worker;
}

async function sweepUsersOf(worker: string): Promise<number> {
  const matches = await usersOf(worker);
  const killed = await sweepUsers(matches);
  await removeIpcObjects(matches);
  return killed;
}

/** The users of a dead worker's runs. A living process may have its id by now, and then the users are its own. */
async function usersOf(worker: string): Promise<(uid: number) => boolean> {
  const pid = pidIn(worker);
  if (pid === null || (await processName(pid)) !== `${pid}-unknown`) return () => false;
  const first = firstUid(pid);
  return (uid) => uid >= first && uid < first + UIDS_PER_WORKER;
}
