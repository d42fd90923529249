import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { killGroupOnExit, releaseGroup } from '../../src/dev/process/kill-servers-on-exit.js';
import { SimulatedDevices } from '../../src/devices/simulated/daemon.js';
import type { Connection } from '../../src/devices/simulated/protocol.js';

const ASSAY = fileURLToPath(new URL('../../bin/assay.js', import.meta.url));
const GIB = 2 ** 30;

/** A simulated host: its devices, its home, and its one worker, which can be killed and started again. */
export class BenchHost {
  #worker: ChildProcess | null = null;
  killed = 0;

  private constructor(
    readonly name: string,
    readonly daemon: SimulatedDevices,
    readonly home: string,
    /** Folder of the devices' sockets. */
    readonly sockets: string,
    private readonly env: Record<string, string>,
  ) {}

  static async open(
    folder: string,
    name: string,
    count: number,
    env: Record<string, string>,
  ): Promise<BenchHost> {
    const [home, sockets] = [join(folder, name), join(folder, `${name}-s`)];
    await mkdir(home, { recursive: true });
    const daemon = await SimulatedDevices.start({
      folder: sockets,
      count,
      memoryBytes: 80 * GIB,
      prefix: name,
    });
    const own = { ASSAY_HOME: home, ASSAY_HOST: name, ASSAY_DEVICES: `simulated:${sockets}` };
    return new BenchHost(name, daemon, home, sockets, { ...env, ...own });
  }

  /** Names of the devices' leases. */
  get names(): string[] {
    return this.daemon.states().map(({ uuid }) => `device-${uuid}.0`);
  }

  get leases(): string {
    return join(this.home, 'leases');
  }

  /** Connections to its devices. */
  get log(): readonly Connection[] {
    return this.daemon.log;
  }

  async start(): Promise<void> {
    const worker = spawn(process.execPath, [ASSAY, 'worker', 'trainer', 'evaluator', '--pool', 'gpu'], {
      env: { ...process.env, ...this.env },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    this.#worker = worker;
    if (worker.pid !== undefined) endsWithThisProcess(worker, worker.pid);
    let said = '';
    await new Promise<void>((resolve, reject) => {
      worker.stderr.on('data', (chunk: Buffer) => {
        said = `${said}${chunk.toString()}`.slice(-4000);
        if (said.includes('workers:')) resolve();
      });
      worker.once('exit', () => reject(new Error(`the worker of ${this.name} ended: ${said}`)));
    });
  }

  async kill(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    if (worker === null || worker.exitCode !== null || worker.signalCode !== null) return;
    const exited = once(worker, 'exit');
    worker.kill('SIGKILL');
    await exited;
  }

  async killAndRestart(): Promise<void> {
    this.killed += 1;
    await this.kill();
    await this.start();
  }

  async stop(): Promise<void> {
    const worker = this.#worker;
    if (worker !== null && worker.exitCode === null && worker.signalCode === null) {
      const exited = once(worker, 'exit');
      worker.kill('SIGINT');
      await exited;
    }
    await this.daemon.stop();
  }
}

/** A bench or test that ends early leaves no worker behind. */
function endsWithThisProcess(worker: ChildProcess, pid: number): void {
  killGroupOnExit(pid);
  worker.once('exit', () => releaseGroup(pid));
}
