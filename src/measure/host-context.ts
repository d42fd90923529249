import type { Admitted } from '../devices/admitted.js';
import type { DeviceLease } from '../devices/device-lease.js';
import type { HostDevices } from '../devices/host-devices.js';
import type { Machine } from '../domain/devices/host-class.js';
import type { LeasePool } from '../sandbox/host/lease.js';
import type { Blobs } from '../lineage/blob-store/blobs.js';
import type { Lineage } from '../lineage/lineage.js';
import type { HostTurn } from '../sandbox/host/host-turn.js';
import type { Sandbox } from '../sandbox/run.js';
import type { TaskHost } from '../tasks/host.js';
import type { HostStore } from './host-store/host-store.js';

/** Everything that running a recipe on this host uses; of the store only where its files are read from. */
export interface RunHost {
  lineage: { blobs: Pick<Blobs, 'tree' | 'readFiles'> };
  host: HostIdentity;
  tasks: TaskHost;
  sandbox: Sandbox;
  leases: LeasePool;
  /** Accelerators of this host; null where its pool has none. */
  devices: HostDevices | null;
  /** Accelerators that the work at hand holds; null while it holds none. */
  granted: DeviceLease | null;
  /** Way in which the work at hand came to this host. */
  admitted: Admitted;
  /** Whatever runs a recipe's code takes it once, at its outermost level. */
  turn: HostTurn;
}

/** Everything that measuring a trial on this host uses. */
export interface HostContext extends RunHost {
  lineage: Lineage;
  /** Outputs that are too large for the store. */
  kept: HostStore;
}

export interface HostIdentity {
  /** Name of the host in records and messages. */
  name: string;
  /** What it has of the class of hosts that its measurements can be compared with. */
  machine: Machine;
  /** This process, as Temporal shows it. */
  worker: string;
  /** This process among all that this machine has run; the prefix of its runs. */
  process: string;
  /** A folder of this process for workspaces that are removed after use. */
  work: string;
}
