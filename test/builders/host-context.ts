import type { Machine } from '../../src/domain/devices/host-class.js';
import type { Isolation } from '../../src/domain/task/isolation.js';
import type { Lineage } from '../../src/lineage/lineage.js';
import type { HostContext } from '../../src/measure/host-context.js';
import { HostTurn } from '../../src/sandbox/host/host-turn.js';
import { LeasePool } from '../../src/sandbox/host/lease.js';
import type { Sandbox } from '../../src/sandbox/run.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
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

/** A host of one slot, at tier E. */
export async function hostContext(
  lineage: Lineage,
  { folder = '/nowhere', pid = 'none', run, machine = MACHINE }: Choices = {},
): Promise<HostContext> {
  const sandbox = await openSandbox({ tier: 'E' });
  return {
    lineage,
    host: { name: 'host', machine, worker: 'host:1', process: 'p', work: folder },
    tasks: new TaskHost(folder, folder, sandbox),
    sandbox: {
      isolation: { ...sandbox.isolation, pid },
      run: run ?? ((request) => sandbox.run(request)),
      serve: (request) => sandbox.serve(request),
    },
    leases: new LeasePool('cpu', 1, folder),
    devices: null,
    granted: null,
    turn: new HostTurn(folder),
  };
}
