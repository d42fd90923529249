import { link, lstat, mkdir, readdir, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { removeOnExit } from '../process/kill-on-exit.js';
import { pidNamespace } from '../tiers/cgroup-roots.js';
import { removeTree } from '../remove-tree.js';
import { SYSTEM_PATH } from '../tiers/stage.js';
import { programOnPath } from '../tiers/launch.js';
import { processName } from '../host/worker-name.js';

/** The most that an image may have to lie in memory, in bytes; a larger one is read from disk past the page cache. */
export const LARGEST_IN_MEMORY = 2 ** 30;
/** Share of the free space of a file system in memory that an image may take. */
const SHARE_OF_MEMORY = 0.5;
const TMPFS = 0x0102_1994;
/** Folders in memory that Linux systems have. */
const IN_MEMORY = ['/run', '/dev/shm'];
const PREFIX = 'assay-roots';

/** By this its folders, and names of images, tell whose they are: the pid means something in its namespace alone. */
const ownMark = async (): Promise<string> =>
  [PREFIX, pidNamespace(), await processName(process.pid)].join('.');

/** Folders that every user may pass through: a sandbox with a user of its own reads what is mounted there. */
const OPEN = process.getuid?.() === 0 ? ['/run', '/tmp'] : [tmpdir()];

/** An empty folder of this process, over which each sandbox mounts what it needs. */
export async function stageFolder(): Promise<string> {
  const mark = await ownMark();
  let fault: unknown;
  for (const base of OPEN) {
    const own = join(base, mark);
    try {
      const stage = join(own, 'stage');
      await mkdir(stage, { recursive: true, mode: 0o755 });
      removeOnExit(own);
      return stage;
    } catch (error) {
      fault = error;
    }
  }
  throw fault;
}

/** A folder of this process in memory where so many bytes find room, or null. */
export async function memoryFor(bytes: number): Promise<string | null> {
  if (bytes > LARGEST_IN_MEMORY) return null;
  for (const base of IN_MEMORY) {
    const found = await statfs(base).catch(() => null);
    if (found?.type !== TMPFS || found.bavail * found.bsize * SHARE_OF_MEMORY < bytes) continue;
    const own = join(base, await ownMark());
    await mkdir(join(own, 'images'), { recursive: true, mode: 0o755 });
    removeOnExit(own);
    return join(own, 'images');
  }
  return null;
}

/** Another name of an image on disk, which says that this process uses it. */
export async function ownName(image: string): Promise<string> {
  const own = `${image}.${await ownMark()}`;
  await link(image, own);
  removeOnExit(own);
  return own;
}

/** First seen by `performance.now`, of devices that are attached and will not go by themselves. */
const lingering = new Map<string, number>();
/** A sandbox that is being started has attached its device and not yet mounted it for no longer than this. */
const STARTING_MS = 20_000;

/**
 * Detaches loop devices that a sandbox left which was killed between attaching and mounting: those of this process's
 * images that do not go with a mount and were there a while ago.
 */
export async function detachLingering(): Promise<void> {
  const mark = await ownMark();
  const now = performance.now();
  const present = (await loopDevices()).filter(
    ({ file, goesByItself }) => file.includes(mark) && !goesByItself,
  );
  for (const device of lingering.keys())
    if (!present.some((one) => one.device === device)) lingering.delete(device);
  for (const { device } of present) {
    const since = lingering.get(device) ?? now;
    lingering.set(device, since);
    if (now - since < STARTING_MS) continue;
    await detach(device);
    lingering.delete(device);
  }
}

async function detach(device: string): Promise<void> {
  await execa('losetup', ['-d', device], { reject: false, env: { PATH: SBIN } });
}

/** Returns true when a path carries the mark of a dead process; null where it carries none. */
async function isOfDead(path: string, isDead: (worker: string) => Promise<boolean>): Promise<boolean | null> {
  const worker = new RegExp(`${PREFIX}\\.${pidNamespace()}\\.(\\d+-\\w+)`).exec(path)?.[1];
  return worker === undefined ? null : isDead(worker);
}

/** Finds entries of a folder of images that are named after dead processes. Those of living ones stay. */
export async function isAbandonedName(path: string): Promise<boolean | null> {
  return isOfDead(path, async (worker) => (await processName(Number.parseInt(worker, 10))) !== worker);
}

/** Removes folders in memory and elsewhere, and detaches loop devices, of processes that are dead; returns them. */
export async function sweepRoots(
  isDead: (worker: string) => Promise<boolean>,
  dryRun: boolean,
): Promise<string[]> {
  if (process.platform !== 'linux') return [];
  const swept: string[] = [];
  for (const { device, file } of await loopDevices()) {
    if ((await isOfDead(file, isDead)) !== true) continue;
    if (!dryRun) await detach(device);
    swept.push(device);
  }
  for (const base of new Set([...OPEN, ...IN_MEMORY, tmpdir()]))
    for (const name of await readdir(base).catch(() => [])) {
      if (!name.startsWith(PREFIX) || (await isOfDead(name, isDead)) !== true) continue;
      const path = join(base, name);
      if (!(await mayRemove(path))) continue;
      if (!dryRun) await removeTree(path);
      swept.push(path);
    }
  return swept;
}

/** Returns true for what this user can remove: what a worker of another user has left is for the next one of theirs. */
async function mayRemove(path: string): Promise<boolean> {
  const user = process.getuid?.();
  const owner = await lstat(path).catch(() => null);
  return owner !== null && (user === undefined || user === 0 || owner.uid === user);
}

const SBIN = SYSTEM_PATH.join(':');

interface LoopDevice {
  device: string;
  /** Goes with the mount that holds it. */
  goesByItself: boolean;
  file: string;
}

/** Loop devices of this host with the files behind them; none where they cannot be seen. */
async function loopDevices(): Promise<LoopDevice[]> {
  if (process.getuid?.() !== 0 || programOnPath('losetup', SYSTEM_PATH) === null) return [];
  const columns = ['--list', '--noheadings', '--output', 'NAME,AUTOCLEAR,BACK-FILE'];
  const { stdout } = await execa('losetup', columns, { reject: false, env: { PATH: SBIN } });
  return stdout.split('\n').flatMap((line) => {
    const [, device, clears, file] = /^(\S+)\s+([01])\s+(\S.*)$/.exec(line) ?? [];
    if (device === undefined || file === undefined) return [];
    return [{ device, goesByItself: clears === '1', file }];
  });
}
