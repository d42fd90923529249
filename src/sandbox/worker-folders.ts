import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { goesWithMe } from './exit.js';
import { startOf, sweepStrays } from './processes.js';

/** `PID-START`: names a process for as long as its machine is up. */
export async function processName(pid: number): Promise<string> {
  return `${pid}-${(await startOf(pid)) ?? 'unknown'}`;
}

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
  goesWithMe(folder);
  return { folder, name };
}

/** Ends what dead workers of this host have left: their process groups first, then their folders. */
export async function sweepDeadWorkers(work: string, dryRun = false): Promise<Swept[]> {
  const swept: Swept[] = [];
  for (const name of await readdir(work).catch(() => [])) {
    const pid = Number(/^(\d+)-/.exec(name)?.[1]);
    if (!Number.isInteger(pid) || (await processName(pid)) === name) continue;
    const killed = dryRun ? 0 : await sweepStrays({ prefix: `${name}/` });
    if (!dryRun) await rm(join(work, name), { recursive: true, force: true });
    swept.push({ folder: join(work, name), killed });
  }
  return swept;
}
