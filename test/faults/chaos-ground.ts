import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { MongoClient, type Db } from 'mongodb';
import { homeAt } from '../../src/dev/paths.js';
import { markerFor } from '../../src/dev/process/server-process.js';
import { findStoreProgram } from '../../src/dev/store/store-program.js';
import { startStore } from '../../src/dev/store/store-server.js';
import { findTemporalProgram } from '../../src/dev/temporal/temporal-program.js';
import { startTemporal } from '../../src/dev/temporal/temporal-server.js';
import type { StoreServer } from '../../src/dev/store/store-server.js';
import type { TemporalServer } from '../../src/dev/temporal/temporal-server.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { processName } from '../../src/sandbox/host/worker-folders.js';
import { openModelGate, ProcessWitness, survivors, type ModelGate } from './chaos-witness.js';

const ASSAY = fileURLToPath(new URL('../../bin/assay.js', import.meta.url));
const DATABASE = 'chaos';
const NAMESPACE = 'default';
const READY_SECONDS = 120;

/**
 * `assay worker` with all roles on its own host: own name, own home folder. When killed, it is started again there.
 */
export class ChaosWorker {
  /** `PID-START` of every process it has been. */
  readonly names: string[] = [];
  /** Output of a process that ended though it was not killed. */
  readonly surprises: string[] = [];
  #child: ChildProcess | null = null;
  #gone: Promise<void> = Promise.resolve();

  constructor(
    readonly host: string,
    readonly home: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /** Folder of its processes. */
  get work(): string {
    return join(this.home, 'work');
  }

  /** Starts it and waits until it polls. */
  async start(): Promise<void> {
    await mkdir(this.home, { recursive: true });
    const child = spawn(process.execPath, [ASSAY, 'worker'], {
      env: { ...process.env, ...this.env, ASSAY_HOME: this.home, ASSAY_HOST: this.host },
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const { pid, stderr } = child;
    if (pid === undefined) throw new Error(`${this.host} did not start`);
    this.#child = child;
    this.names.push(await processName(pid));
    stderr.pipe(createWriteStream(join(this.home, 'worker.log'), { flags: 'a' }));
    let said = '';
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.host} does not poll: ${said}`)),
        READY_SECONDS * 1000,
      );
      stderr.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-4000);
        if (said.includes('workers:')) resolve();
      });
      this.#gone = new Promise((gone) =>
        child.once('exit', () => {
          clearTimeout(timer);
          if (this.#child === child) this.surprises.push(`${this.host} ended by itself: ${said.slice(-600)}`);
          reject(new Error(`${this.host} ended before it polled: ${said}`));
          gone();
        }),
      );
      void this.#gone.then(() => clearTimeout(timer));
    });
  }

  get running(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ends only this process; its children are left running. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.exitCode === null && child.signalCode === null) child.kill(signal);
    await this.#gone;
  }
}

/** Servers and workers in their own folder, each of which can be killed and started again. */
export interface ChaosGround {
  home: string;
  temporal: TemporalServer;
  store: StoreServer;
  workers: readonly ChaosWorker[];
  gate: ModelGate;
  witness: ProcessWitness;
  client: Client;
  /** The product's door to the store. */
  lineage: Lineage;
  /** The store itself, for questions that the product does not ask. */
  database: Db;
  /** Runs an assay command on a host and returns its stdout. */
  assay(worker: ChaosWorker, args: readonly string[]): Promise<string>;
  /** Everything ends; returns the processes that outlived it, and removes the folder unless it is kept. */
  stop(keep: boolean): Promise<string[]>;
}

/** Starts it all and waits until it can be used. */
export async function openGround(hosts: number, say: (line: string) => void): Promise<ChaosGround> {
  const home = await mkdtemp(join(tmpdir(), 'assay-chaos-'));
  const gate = await openModelGate();
  const servers = { home: join(home, 'servers') };
  const [store, temporal] = await Promise.all([
    startStore({ ...servers, program: await findStoreProgram(homeAt(servers.home), say) }),
    startTemporal({ ...servers, namespace: NAMESPACE, program: await findTemporalProgram(say) }),
  ]);
  const env = {
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: NAMESPACE,
    ASSAY_MONGODB_URL: store.url,
    ASSAY_MONGODB_DATABASE: DATABASE,
    ANTHROPIC_BASE_URL: gate.url,
    ANTHROPIC_API_KEY: 'counted',
    NO_COLOR: '1',
  };
  const workers = Array.from(
    { length: hosts },
    (_, at) => new ChaosWorker(`host-${at + 1}`, join(home, `host-${at + 1}`), env),
  );
  const witness = new ProcessWitness();
  const mongo = new MongoClient(store.url, { serverSelectionTimeoutMS: 2000 });
  const connection = await Connection.connect({ address: temporal.address });
  const lineage = await openLineage({ url: store.url, database: DATABASE });
  const ground = { home, temporal, store, workers, gate, witness, lineage, database: mongo.db(DATABASE) };
  return {
    ...ground,
    client: new Client({ connection, namespace: NAMESPACE }),
    assay: (worker, args) => command(args, { ...env, ASSAY_HOME: worker.home }),
    stop: async (keep) => {
      for (const worker of workers) await worker.end('SIGKILL');
      await lineage.close();
      await mongo.close();
      await connection.close();
      await Promise.all([temporal.stop(), store.stop()]);
      witness.stop();
      await gate.stop();
      const marks = ['temporal', 'store'].map((part) => markerFor(homeAt(servers.home).folder, part));
      const left = survivors(
        workers.flatMap(({ names }) => names),
        marks,
      );
      if (!keep) await rm(home, { recursive: true, force: true });
      return left;
    },
  };
}

async function command(args: readonly string[], env: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, [ASSAY, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`assay ${args.join(' ')} ended with ${code ?? 'a signal'}: ${said.stderr}`);
  return said.stdout;
}
