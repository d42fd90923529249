import { pingStore } from '../lineage/ping.js';
import { namespaceOf } from './external.js';
import { homeAt } from './paths.js';
import type { Entry, ServerKind } from './record.js';
import type { ServerProcess } from './process/server-process.js';
import { findStoreProgram } from './store/store-program.js';
import { startStore, urlOf } from './store/store-server.js';
import { findTemporalProgram } from './temporal/temporal-program.js';
import { askTemporal } from './temporal/temporal-health.js';
import { addressOf, startTemporal } from './temporal/temporal-server.js';

/** Needs of starting a server. */
export interface ServerStart {
  home: string;
  /** The ports of last time, if there was one. */
  ports: Readonly<Record<string, number>>;
  say: (line: string) => void;
  signal: AbortSignal;
  /** Writes the server down as soon as its process exists. */
  note: (entry: Omit<Entry, 'owner'>) => Promise<void>;
}

/** One of the two servers that assay can run for a clone. */
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
      await askTemporal(address, namespaceOf(), ANSWER_MS);
    },
    async start({ home, ports: remembered, say, signal, note }) {
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
      await pingStore(address, ANSWER_MS);
    },
    async start({ home, ports: remembered, say, signal, note }) {
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
