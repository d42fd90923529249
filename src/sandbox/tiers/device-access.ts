import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { AssayError } from '../../domain/errors.js';
import type { Isolation } from '../../domain/task/isolation.js';
import type { RunRequest } from '../run.js';
import { closedAbove, lets, READ, WRITE } from './reach.js';

type Using = Pick<RunRequest, 'devices'>;

/**
 * Variables that name the accelerators of a run. Empty ones without any: where nothing hides a host's accelerators, a
 * run that was given none takes none by accident.
 */
export function deviceVariables({ devices }: Using): { CUDA_VISIBLE_DEVICES: string } {
  return { CUDA_VISIBLE_DEVICES: devices?.uuids.join(',') ?? '' };
}

/** Isolation as it holds a run that uses accelerators, or none. */
export function heldWithDevices(isolation: Isolation, { devices }: Using): Isolation {
  if (devices === undefined) return isolation;
  return {
    ...isolation,
    // elsewhere nothing but a variable tells the run which are its own
    gpu: isolation.gpu === 'enforced' ? 'enforced' : 'advisory',
    // an accelerator is one for all that use it, now or later
    channels: isolation.channels === 'closed' ? 'bounded' : isolation.channels,
  };
}

/**
 * Requires that the user of a run can open every node of its accelerators. `uid`: a user without groups; null for the
 * worker's own. `inPlace`: the folders above a node have to let it pass as well.
 * @throws AssayError HOST_FAULT when it cannot
 */
export function requireDevices({ devices }: Using, uid: number | null, inPlace: boolean): void {
  for (const node of devices?.nodes ?? []) {
    const fault = faultOf(node, uid, inPlace);
    if (fault === null) continue;
    throw new AssayError('HOST_FAULT', `a run cannot use the accelerator's ${node}: ${fault}`, {
      remedy:
        uid === null
          ? 'Let the user of the worker read and write it (mode 0666, a group or an ACL), and start the worker again.'
          : 'Let every user read and write it (mode 0666): at this tier, and for servers, runs have users of their own.',
    });
  }
}

function faultOf(node: string, uid: number | null, inPlace: boolean): string | null {
  try {
    if (uid === null) accessSync(node, constants.R_OK | constants.W_OK);
    else if (!lets(statSync(node), uid, READ | WRITE)) return `it is closed to user ${uid}`;
    const closed = uid !== null && inPlace ? closedAbove(node, uid) : null;
    return closed === null ? null : `${closed} is closed to user ${uid}`;
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return missing ? 'it does not exist' : 'it is closed to the user of the worker';
  }
}

/** Folders of the kernel's own file systems, which no root can hold a copy of. */
const OF_THE_KERNEL = ['/sys/', '/proc/', '/dev/'];
const isOfTheKernel = (path: string): boolean => OF_THE_KERNEL.some((folder) => path.startsWith(folder));
const isOfTheSystem = (path: string): boolean => /^\/(usr|lib|lib32|lib64|libx32|bin|sbin)\//.test(path);

const readableThere = ({ devices }: Using): string[] =>
  (devices?.readable ?? []).filter((path) => existsSync(path));

/** Paths that a run with accelerators reads and that have to be mounted: all but those of the system's folders. */
export const mountedForDevices = (request: Using): string[] =>
  readableThere(request).filter((path) => !isOfTheSystem(path));

/** Files that a root of its own has to hold for accelerators, such as libraries of the driver. */
export const filesForDevices = (request: Using): string[] =>
  readableThere(request).filter((path) => !isOfTheKernel(path));

/** A request whose root holds the files for its accelerators, so that none of the host is mounted. */
export function withoutFilesOfHost<T extends Using>(request: T): T {
  const { devices } = request;
  if (devices === undefined) return request;
  return { ...request, devices: { ...devices, readable: devices.readable.filter(isOfTheKernel) } };
}

/** Nodes that a run is given, each once; their order is that of their places on a stage. */
export const nodesOf = ({ devices }: Using): readonly string[] => [...new Set(devices?.nodes ?? [])];
