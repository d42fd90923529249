import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Machine } from '../../src/domain/devices/host-class.js';
import { cacheFolder } from '../../src/dev/paths.js';
import type { Lineage } from '../../src/lineage/lineage.js';
import type { HostContext } from '../../src/measure/host-context.js';
import { HostTurn } from '../../src/sandbox/host/host-turn.js';
import { UNSIZED } from '../../src/devices/admitted.js';
import { LeasePool } from '../../src/sandbox/host/lease.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { TaskHost } from '../../src/tasks/host.js';
import { findPython } from '../../src/tasks/python.js';
import { hostStore } from './host-context.js';
import { MACHINE } from './machine.js';

/** Hosts of one slot at the strongest tier, in folders of their own. */
export class RealHosts {
  /** Ids of all that their sandboxes ran. */
  readonly runs: string[] = [];
  readonly #homes: string[] = [];

  constructor(readonly lineage: Lineage) {}

  /** `env`: what its runs find in their environment besides, by which a class of hosts makes a difference to them. */
  async open(
    name: string,
    machine: Machine = MACHINE,
    env: Record<string, string> = {},
  ): Promise<HostContext> {
    const home = await mkdtemp(join(tmpdir(), `assay-${name}-`));
    this.#homes.push(home);
    await chmod(home, 0o755);
    const python = await findPython(cacheFolder(), null, new AbortController().signal);
    const needed = [home, cacheFolder(), ...python.folders];
    const sandbox = await openSandbox({ needed: () => Promise.resolve(needed) });
    const run = sandbox.run.bind(sandbox);
    sandbox.run = (request) => {
      this.runs.push(request.id);
      return run({ ...request, env: { ...request.env, ...env } });
    };
    const process = `${name}-${globalThis.process.pid}`;
    return {
      lineage: this.lineage,
      host: { name, machine, worker: name, process, work: join(home, 'work') },
      tasks: new TaskHost(home, cacheFolder(), sandbox),
      sandbox,
      kept: await hostStore(join(home, 'kept'), { host: name }),
      devices: null,
      granted: null,
      admitted: UNSIZED,
      leases: new LeasePool('cpu', 1, join(home, 'leases')),
      turn: new HostTurn(join(home, 'turn')),
    };
  }

  async remove(): Promise<void> {
    for (const home of this.#homes) await rm(home, { recursive: true, force: true });
  }
}
