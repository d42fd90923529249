import { accessSync, constants, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endGroup, type GroupGround } from './control-group.js';
import { lacks, refusalOf, type Refusal } from './probing.js';
import { membersOf } from '../process/kill-runs.js';

interface Mount {
  root: string;
  point: string;
  type: string;
  options: string[];
}

/** Finds where this process may make control groups with both controllers, or the reason why it may not. */
export function cgroupRoot(): GroupGround | Refusal {
  if (process.platform !== 'linux') return lacks('control groups need Linux');
  try {
    const mounts = groupMounts();
    const memory = ownFolder(mounts, 'memory');
    const pids = ownFolder(mounts, 'pids');
    if (memory === null || pids === null) {
      const ground = unifiedGround(mounts);
      return typeof ground === 'string' ? lacks(ground) : ground;
    }
    for (const folder of [memory, pids]) accessSync(folder, constants.W_OK);
    return { version: 1, memory, pids, cpu: writableOrNull(ownFolder(mounts, 'cpu')) };
  } catch (error) {
    const { kind, why } = refusalOf(error);
    return { kind, why: `control groups cannot be made here: ${why}` };
  }
}

function groupMounts(): Mount[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  return lines.flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , root = '', point = ''] = left.split(' ');
    const [type = '', , options = ''] = right.split(' ');
    return type === 'cgroup' || type === 'cgroup2'
      ? [{ root, point, type, options: options.split(',') }]
      : [];
  });
}

/** The group of this process for a controller of version 1, or (null) of the one hierarchy of version 2. */
function ownFolder(mounts: readonly Mount[], controller: string | null): string | null {
  const mount = mounts.find(({ type, options }) =>
    controller === null ? type === 'cgroup2' : type === 'cgroup' && options.includes(controller),
  );
  const own = readFileSync('/proc/self/cgroup', 'utf8')
    .trim()
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
    .find((found) =>
      controller === null ? found?.[1] === '' : found?.[1]?.split(',').includes(controller) === true,
    )?.[2];
  if (mount === undefined || own === undefined) return null;
  const below = mount.root !== '/' && own.startsWith(mount.root) ? own.slice(mount.root.length) : own;
  return join(mount.point, below);
}

/**
 * With version 2 a group that holds processes cannot bound its children, so groups are made beside the worker's own,
 * in its parent: systemd's `Delegate=` with `DelegateSubgroup=` prepares exactly that.
 */
function unifiedGround(mounts: readonly Mount[]): GroupGround | string {
  const own = ownFolder(mounts, null);
  const mount = mounts.find(({ type }) => type === 'cgroup2');
  if (own === null || mount === undefined) return 'no control groups are mounted';
  if (own === mount.point || own === join(mount.point, '/'))
    return 'the worker is in the root of its control groups, beside which none can be made';
  const parent = dirname(own);
  const has = (file: string, ...wanted: string[]): boolean => {
    const words = readFileSync(join(parent, file), 'utf8').trim().split(/\s+/);
    return wanted.every((word) => words.includes(word));
  };
  if (!has('cgroup.controllers', 'memory', 'pids')) return `${parent} has no memory and pids controllers`;
  if (!has('cgroup.subtree_control', 'memory', 'pids')) {
    if (parent !== mount.point && membersOf(parent).length > 0)
      return `${parent} holds processes itself, so that its groups cannot be bounded`;
    writeFileSync(join(parent, 'cgroup.subtree_control'), '+memory +pids');
  }
  accessSync(parent, constants.W_OK);
  if (has('cgroup.controllers', 'cpu') && !has('cgroup.subtree_control', 'cpu'))
    writeFileSync(join(parent, 'cgroup.subtree_control'), '+cpu');
  const cpu = has('cgroup.subtree_control', 'cpu') ? parent : null;
  return { version: 2, memory: parent, pids: parent, cpu };
}

function writableOrNull(folder: string | null): string | null {
  try {
    if (folder !== null) accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    return null;
  }
}

/** Names of groups begin with this, then say in which pid namespace their worker is, which one, and a number. */
const PREFIX = 'assay';

export function groupName(worker: string, count: number): string {
  return [PREFIX, pidNamespace(), worker, count].join('.');
}

/** The number of this process's pid namespace; `0` where it cannot be read. */
export function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

const DEEPEST = 8;

/** Ends the groups of workers that are dead; returns their folders and how many processes were in them. */
export async function sweepGroups(
  isDead: (worker: string) => Promise<boolean>,
  dryRun: boolean,
): Promise<{ folder: string; killed: number }[]> {
  const swept: { folder: string; killed: number }[] = [];
  if (process.platform !== 'linux') return swept;
  const named = new RegExp(`^${PREFIX}\\.${pidNamespace()}\\.(\\d+-\\w+)\\.\\d+$`);
  const open = groupMounts()
    .filter(
      ({ type, options }) =>
        type === 'cgroup2' || ['memory', 'pids', 'cpu'].some((controller) => options.includes(controller)),
    )
    .map(({ point }) => ({ folder: point, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { folder, depth } = next;
    for (const name of foldersIn(folder)) {
      const path = join(folder, name);
      const worker = named.exec(name)?.[1];
      if (worker === undefined) {
        if (depth < DEEPEST) open.push({ folder: path, depth: depth + 1 });
        continue;
      }
      if (!(await isDead(worker))) continue;
      const killed = membersOf(path).length;
      if (!dryRun) for (let round = 0; round < 50 && !endGroup([path]); round += 1) await sleep(10);
      swept.push({ folder: path, killed });
    }
  }
  return swept;
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
  } catch {
    return [];
  }
}
