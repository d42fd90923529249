import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithMe, noLongerMine } from '../../src/dev/last-resort.js';
import { homeAt, type Home } from '../../src/dev/places.js';
import { freePort } from '../../src/dev/ports.js';
import { RunningServer } from '../../src/dev/running-server.js';
import { launch, markerFor, untilAnswers, type ServerProcess } from '../../src/dev/server-process.js';
import { findStoreProgram, findTemporalProgram, startStore } from '../../src/dev/servers.js';
import { askTemporal } from '../../src/dev/temporal-health.js';

/** Servers of one test: they can be killed, stopped and started again on the same ports and data. */
export interface OwnServers {
  temporal: RunningServer;
  store: RunningServer;
  temporalAddress: string;
  storeUrl: string;
  /** Ends both and removes their data. */
  stop(): Promise<void>;
}

const say = (line: string): boolean => process.stderr.write(`${line}\n`);

/** Starts a store and a bare Temporal server: no search attribute of ours, no setting but the given flags. */
export async function openOwnServers(flags: readonly string[] = []): Promise<OwnServers> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-own-'));
  const home = homeAt(folder);
  const [temporal, store] = await Promise.all([bareTemporal(home, flags), ownStore(home)]);
  return {
    temporal: temporal.server,
    store: store.server,
    temporalAddress: temporal.address,
    storeUrl: store.url,
    stop: async () => {
      for (const { server } of [temporal, store]) {
        await server.stop();
        noLongerMine(server.pid);
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ownStore(home: Home): Promise<{ server: RunningServer; url: string }> {
  const program = await findStoreProgram(home, say);
  const started = (server: ServerProcess): Promise<void> => {
    endWithMe(server.pid);
    return Promise.resolve();
  };
  const server = await startStore({ home: home.folder, program, started });
  return { server, url: server.url };
}

async function bareTemporal(
  home: Home,
  flags: readonly string[],
): Promise<{ server: RunningServer; address: string }> {
  const { file } = await findTemporalProgram(say);
  const address = `127.0.0.1:${await freePort()}`;
  const [ip = '', port = ''] = address.split(':');
  const log = join(home.logs, 'temporal.log');
  await mkdir(home.logs, { recursive: true });
  const args = [
    ...['server', 'start-dev', '--headless', '--ip', ip, '--port', port, '--log-level', 'warn'],
    ...['--db-filename', home.temporalDatabase, ...flags],
  ];
  const start = async (): Promise<ServerProcess> => {
    const marker = markerFor(home.folder, 'temporal');
    const server = await launch({ file, args, cwd: home.folder, log, marker });
    endWithMe(server.pid);
    await untilAnswers(server, log, 60_000, async () => {
      await askTemporal(address, 'default', 5000);
    });
    return server;
  };
  return { server: new RunningServer(await start(), start), address };
}
