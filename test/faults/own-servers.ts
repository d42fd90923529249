import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killGroupOnExit, releaseGroup } from '../../src/dev/process/kill-servers-on-exit.js';
import { homeAt, type Home } from '../../src/dev/paths.js';
import { freePort } from '../../src/dev/process/ports.js';
import { RunningServer } from '../../src/dev/process/running-server.js';
import { launch, markerFor, untilAnswers, type ServerProcess } from '../../src/dev/process/server-process.js';
import { findStoreProgram } from '../../src/dev/store/store-program.js';
import { startStore } from '../../src/dev/store/store-server.js';
import { findTemporalProgram } from '../../src/dev/temporal/temporal-program.js';
import { askTemporal } from '../../src/dev/temporal/temporal-health.js';

/** A server of one test: it can be killed, stopped and started again on the same port and data. */
export interface OwnServer {
  server: RunningServer;
  /** host:port of Temporal, the URL of a store. */
  address: string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

const say = (line: string): boolean => process.stderr.write(`${line}\n`);

/** A bare Temporal server: no search attribute of ours, no setting but the given flags. */
export async function openOwnTemporal(flags: readonly string[] = []): Promise<OwnServer> {
  const home = await freshHome();
  await mkdir(home.logs, { recursive: true });
  const { file } = await findTemporalProgram(say);
  const [ip, port] = ['127.0.0.1', await freePort()];
  const address = `${ip}:${port}`;
  const log = join(home.logs, 'temporal.log');
  const args = [
    ...['server', 'start-dev', '--headless', '--ip', ip, '--port', String(port), '--log-level', 'warn'],
    ...['--db-filename', home.temporalDatabase, ...flags],
  ];
  const start = async (): Promise<ServerProcess> => {
    const marker = markerFor(home.folder, 'temporal');
    const server = await launch({ file, args, cwd: home.folder, log, marker });
    killGroupOnExit(server.pid);
    await untilAnswers(server, log, 60_000, new AbortController().signal, async () => {
      await askTemporal(address, 'default', 5000);
    });
    return server;
  };
  return ownServer(home, new RunningServer(await start(), start), address);
}

/** A store with nothing in it. */
export async function openOwnStore(): Promise<OwnServer> {
  const home = await freshHome();
  const program = await findStoreProgram(home, say);
  const started = (server: ServerProcess): Promise<void> => {
    killGroupOnExit(server.pid);
    return Promise.resolve();
  };
  const server = await startStore({ home: home.folder, program, started });
  return ownServer(home, server, server.url);
}

async function freshHome(): Promise<Home> {
  return homeAt(await mkdtemp(join(tmpdir(), 'assay-own-')));
}

function ownServer(home: Home, server: RunningServer, address: string): OwnServer {
  const stop = async (): Promise<void> => {
    await server.stop();
    releaseGroup(server.pid);
    await rm(home.folder, { recursive: true, force: true });
  };
  return { server, address, stop };
}
