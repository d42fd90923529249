import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AssayError, messageOf } from '../../domain/errors.js';
import { pingStore } from '../../lineage/ping.js';
import { NEVER } from '../process/abortable.js';
import { homeAt } from '../paths.js';
import { probePort } from '../process/probe-port.js';
import { portLike } from '../process/ports.js';
import { RunningServer } from '../process/running-server.js';
import {
  end,
  HURRIED_MS,
  launch,
  markerFor,
  untilAnswers,
  type ServerProcess,
} from '../process/server-process.js';
import { storeFolder } from './store-program.js';
import type { StoreProgram } from './store-kind.js';

const START_MS = 60_000;

export interface StorePorts {
  port: number;
}

/** The store of a home folder. */
export class StoreServer extends RunningServer {
  constructor(
    readonly ports: StorePorts,
    private readonly query: string,
    first: ServerProcess,
    again: () => Promise<ServerProcess>,
  ) {
    super(first, again);
  }

  get url(): string {
    return urlOf(this.ports, this.query);
  }
}

export interface StoreStart {
  home: string;
  program: StoreProgram;
  /** The port of last time. */
  ports?: Partial<StorePorts>;
  /** Told of every process as soon as it exists, before it answers. */
  started?: (process: ServerProcess, ports: StorePorts) => Promise<void>;
  /** Aborting ends the server again; the start rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Starts the store on the files of a home folder and waits until it answers.
 * @throws AssayError STORE_UNAVAILABLE with the last lines of its log
 */
export async function startStore(options: StoreStart): Promise<StoreServer> {
  const ports = { port: await portLike(options.ports?.port) };
  const first = await launched(options, ports);
  return new StoreServer(ports, options.program.query, first, () => launched(options, ports));
}

/** The address of a server of ours. */
export function urlOf(ports: StorePorts, query: string): string {
  return `mongodb://127.0.0.1:${ports.port}/${query}`;
}

async function launched(options: StoreStart, ports: StorePorts): Promise<ServerProcess> {
  const home = homeAt(options.home);
  const folder = storeFolder(home, options.program.kind);
  await mkdir(folder, { recursive: true });
  const log = join(home.logs, 'store.log');
  const process = await launch({
    file: options.program.file,
    args: options.program.args(ports.port, folder),
    cwd: home.folder,
    log,
    marker: markerFor(home.folder, 'store'),
  });
  await options.started?.(process, ports);
  try {
    await untilAnswers(process, log, START_MS, options.signal ?? NEVER, async () => {
      await probePort(`127.0.0.1:${ports.port}`, 1000);
      await pingStore(urlOf(ports, options.program.query), 5000);
    });
  } catch (error) {
    await (options.signal?.aborted === true ? end(process, HURRIED_MS) : end(process));
    options.signal?.throwIfAborted();
    const message = `${options.program.how} does not start: ${messageOf(error)}`;
    throw new AssayError('STORE_UNAVAILABLE', message, { cause: error });
  }
  return process;
}
