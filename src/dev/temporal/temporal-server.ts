import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AssayError, messageOf } from '../../domain/errors.js';
import { NEVER } from '../process/abortable.js';
import { homeAt } from '../paths.js';
import { portLike } from '../process/ports.js';
import { RunningServer } from '../process/running-server.js';
import {
  EndedAtOnce,
  end,
  HURRIED_MS,
  launch,
  markerFor,
  untilAnswers,
  type ServerProcess,
} from '../process/server-process.js';
import { askTemporal } from './temporal-health.js';
import type { TemporalProgram } from './temporal-program.js';

const START_MS = 60_000;

/** Search attributes that the Temporal UI lists campaigns and trials with. */
const SEARCH_ATTRIBUTES: Readonly<Record<string, string>> = {
  AssayTask: 'Keyword',
  AssayRole: 'Keyword',
  AssayStatus: 'Keyword',
  AssayScore: 'Double',
  AssayTrial: 'Int',
};

/**
 * Settings by which hosts share work fairly, as in temporal-config/dynamic.yaml: what waits in a queue is told as it is
 * now, in the order in which it came, and campaigns of one priority take turns.
 */
export const QUEUE_SETTINGS: Readonly<Record<string, string>> = {
  'matching.TaskQueueInfoByBuildIdTTL': '"500ms"',
  'matching.numTaskqueueWritePartitions': '1',
  'matching.enableFairness': 'true',
};

export interface TemporalPorts {
  port: number;
  uiPort: number;
}

/** The development server of Temporal. */
export class TemporalServer extends RunningServer {
  constructor(
    readonly ports: TemporalPorts,
    first: ServerProcess,
    again: () => Promise<ServerProcess>,
  ) {
    super(first, again);
  }

  get address(): string {
    return addressOf(this.ports);
  }

  get uiUrl(): string {
    return `http://127.0.0.1:${this.ports.uiPort}`;
  }
}

export interface TemporalStart {
  home: string;
  program: TemporalProgram;
  namespace: string;
  /** The ports of last time. */
  ports?: Partial<TemporalPorts>;
  /** Told of every process as soon as it exists, before it answers. */
  started?: (process: ServerProcess, ports: TemporalPorts) => Promise<void>;
  /** Aborting ends the server again; the start rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Starts the development server on the database of a home folder and waits until it answers.
 * @throws AssayError TEMPORAL_UNAVAILABLE with the last lines of its log
 */
export async function startTemporal(options: TemporalStart): Promise<TemporalServer> {
  const ports = { port: await portLike(options.ports?.port), uiPort: await portLike(options.ports?.uiPort) };
  return new TemporalServer(ports, await launched(options, ports), () => launched(options, ports));
}

/** The address of a server of ours. */
export function addressOf(ports: TemporalPorts): string {
  return `127.0.0.1:${ports.port}`;
}

/** Starts of one server: it draws ports of its own besides ours, which others may take before it does. */
const MOST_STARTS = 3;

async function launched(options: TemporalStart, ports: TemporalPorts): Promise<ServerProcess> {
  for (let start = 1; ; start += 1) {
    try {
      return await launchedOnce(options, ports);
    } catch (error) {
      const isOver = !(error instanceof AssayError) || !(error.cause instanceof EndedAtOnce);
      if (isOver || start >= MOST_STARTS) throw error;
    }
  }
}

async function launchedOnce(options: TemporalStart, ports: TemporalPorts): Promise<ServerProcess> {
  const home = homeAt(options.home);
  await mkdir(home.folder, { recursive: true });
  const log = join(home.logs, 'temporal.log');
  const process = await launch({
    file: options.program.file,
    args: flags(home.temporalDatabase, ports, options.namespace),
    cwd: home.folder,
    log,
    marker: markerFor(home.folder, 'temporal'),
  });
  await options.started?.(process, ports);
  try {
    await untilAnswers(process, log, START_MS, options.signal ?? NEVER, async () => {
      await askTemporal(addressOf(ports), options.namespace, 5000);
    });
  } catch (error) {
    await (options.signal?.aborted === true ? end(process, HURRIED_MS) : end(process));
    options.signal?.throwIfAborted();
    const message = `${options.program.how} does not start: ${messageOf(error)}`;
    throw new AssayError('TEMPORAL_UNAVAILABLE', message, { cause: error });
  }
  return process;
}

function flags(database: string, ports: TemporalPorts, namespace: string): string[] {
  return [
    ...[
      'server',
      'start-dev',
      '--ip',
      '127.0.0.1',
      '--port',
      String(ports.port),
      '--ui-port',
      String(ports.uiPort),
    ],
    ...['--db-filename', database, '--namespace', namespace, '--log-level', 'warn'],
    ...Object.entries(QUEUE_SETTINGS).flatMap(([name, value]) => [
      '--dynamic-config-value',
      `${name}=${value}`,
    ]),
    ...Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
  ];
}
