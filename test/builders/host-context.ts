import type { Machine } from '../../src/domain/devices/host-class.js';
import { join } from 'node:path';
import type { Isolation } from '../../src/domain/task/isolation.js';
import type { Lineage } from '../../src/lineage/lineage.js';
import type { HostContext } from '../../src/measure/host-context.js';
import { HostStore } from '../../src/measure/host-store/host-store.js';
import { HostTurn } from '../../src/sandbox/host/host-turn.js';
import { UNSIZED } from '../../src/devices/admitted.js';
import { LeasePool } from '../../src/sandbox/host/lease.js';
import type { Sandbox } from '../../src/sandbox/run.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { freshFolder } from '../sandbox/programs.js';
import { TaskHost } from '../../src/tasks/host.js';
import { MACHINE } from './machine.js';

interface Choices {
  /** Folder of the host; where it is left out, nothing may run. */
  folder?: string;
  /** The sandbox's isolation of processes. */
  pid?: Isolation['pid'];
  /** How the sandbox runs a program; by default at tier E. */
  run?: Sandbox['run'];
  machine?: Machine;
}

/** What a host keeps, with nothing that is needed unless a test says so. */
export const hostStore = (
  folder: string,
  of: Partial<Parameters<typeof HostStore.open>[0]> = {},
): Promise<HostStore> =>
  HostStore.open({
    ...{ folder, host: 'host', store: 'store', env: {} },
    ...{ isNeeded: () => Promise.resolve(false), onLeft: () => Promise.resolve() },
    ...of,
  });

/** A host of one slot, at tier E. */
export async function hostContext(
  lineage: Lineage,
  { folder = '/nowhere', pid = 'none', run, machine = MACHINE }: Choices = {},
): Promise<HostContext> {
  const sandbox = await openSandbox({ tier: 'E' });
  return {
    lineage,
    host: { name: 'host', machine, worker: 'host:1', process: 'p', work: folder },
    kept: await hostStore(folder === '/nowhere' ? freshFolder() : join(folder, 'kept')),
    tasks: new TaskHost(folder, folder, sandbox),
    sandbox: {
      isolation: { ...sandbox.isolation, pid },
      run: run ?? ((request) => sandbox.run(request)),
      serve: (request) => sandbox.serve(request),
    },
    leases: new LeasePool('cpu', 1, folder),
    devices: null,
    granted: null,
    admitted: UNSIZED,
    turn: new HostTurn(folder),
  };
}
