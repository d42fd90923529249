import { pingStore } from '../lineage/ping.js';
import { namespaceOf } from './external.js';
import { homeAt } from './paths.js';
import type { Entry, ServerKind } from './record.js';
import { probePort } from './process/probe-port.js';
import type { ServerProcess } from './process/server-process.js';

/** Needs of starting a server. */
export interface ServerStart {
  home: string;
  /** The ports of last time, if there was one. */
  ports: Readonly<Record<string, number>>;
  say: (line: string) => void;
  signal: AbortSignal;
  /** Writes the server down as soon as its process exists. */
  note: (entry: Omit<Entry, 'users' | 'uses'>) => Promise<void>;
}

/** One of the two servers that assay can run for a clone; a command loads what it needs of either. */
export interface ServerKindRules {
  title: string;
  /** @throws Error when the server does not answer */
  ask(address: string): Promise<void>;
  start(options: ServerStart): Promise<void>;
}

const ANSWER_MS = 10_000;

export const SERVER_KINDS: Readonly<Record<ServerKind, ServerKindRules>> = {
  temporal: {
    title: 'Temporal',
    async ask(address) {
      const { askTemporal } = await import('./temporal/temporal-health.js');
      await askTemporal(address, namespaceOf(), ANSWER_MS);
    },
    async start({ home, ports: remembered, say, signal, note }) {
      const { findTemporalProgram } = await import('./temporal/temporal-program.js');
      const { addressOf, startTemporal } = await import('./temporal/temporal-server.js');
      const program = await findTemporalProgram(say, signal);
      const { how, version } = program;
      say(`starting ${how} …`);
      await startTemporal({
        home,
        program,
        signal,
        namespace: namespaceOf(),
        ports: chosen(remembered, 'port', 'uiPort'),
        started: (process: ServerProcess, ports) =>
          note({ process, ports: { ...ports }, address: addressOf(ports), how, version }),
      });
    },
  },
  store: {
    title: 'the store',
    async ask(address) {
      // the driver goes on trying where nothing listens
      await probePort(new URL(address).host, ANSWER_MS);
      await pingStore(address, ANSWER_MS);
    },
    async start({ home, ports: remembered, say, signal, note }) {
      const { findStoreProgram } = await import('./store/store-program.js');
      const { startStore, urlOf } = await import('./store/store-server.js');
      const program = await findStoreProgram(homeAt(home), say, signal);
      const { how, version, query } = program;
      say(`starting ${how} …`);
      await startStore({
        home,
        program,
        signal,
        ports: chosen(remembered, 'port'),
        started: (process: ServerProcess, ports) =>
          note({ process, ports: { ...ports }, address: urlOf(ports, query), how, version }),
      });
    },
  },
};

function chosen<Name extends string>(ports: Readonly<Record<string, number>>, ...names: Name[]) {
  const found: Partial<Record<Name, number>> = {};
  for (const name of names) {
    const port = ports[name];
    if (port !== undefined) found[name] = port;
  }
  return found;
}
