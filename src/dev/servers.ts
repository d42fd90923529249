import {
  checkNamedStore,
  checkNamedTemporal,
  databaseOf,
  namedStore,
  namedTemporal,
  namespaceOf,
} from './external.js';
import { homeAt, type Home } from './paths.js';
import { NEVER, abortable } from './process/abortable.js';
import { CLEAN_END_MS, HURRIED_MS } from './process/server-process.js';
import { OpenRecord, runs, type Entry, type Role, type ServerKind } from './record.js';
import { claim, type Claimed } from './use/claim.js';
import { release } from './use/release.js';
import { beginUse, othersOf, type ServerUse } from './use/server-use.js';
import { ServerWatch } from './use/watch.js';

/** The real servers that a command works with. */
export interface Servers {
  /** `address` is host:port, empty when this part was not asked for and does not run. */
  temporal: { address: string; namespace: string; uiUrl: string | null; how: string };
  /** `url` is empty when this part was not asked for and does not run. */
  store: { url: string; database: string; how: string };
  /**
   * Ends this use of them: the last of the commands that use a server stops it. May be called twice. One that does not
   * end within ten seconds, or four when hurried, is killed, which `say` is told; that loses nothing acknowledged.
   */
  stop(how?: { hurried?: boolean }): Promise<void>;
  /** True when no other command worked with them when this one began: nobody else serves what it asks. */
  alone: boolean;
  /** Pids of the other commands that use them now. */
  others(): Promise<number[]>;
}

export interface FindOptions {
  /** The folder of this clone, see `homeOf`. */
  home: string;
  need: readonly ServerKind[];
  /** Progress, a line each, for stderr. */
  say: (line: string) => void;
  /** Aborting ends what was started until then; the search rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Default: `run`. */
  role?: Role;
}

/**
 * Finds the servers a command needs: those named in the environment, else those of this clone, which it then shares
 * with every other command that uses them. They are looked after until `stop`: see {@link ServerWatch}. Servers whose
 * commands were all killed are taken over; dead ones start again on the same data and ports.
 * @throws AssayError TEMPORAL_UNAVAILABLE, STORE_UNAVAILABLE, DISK_FULL
 */
export async function findServers(options: FindOptions): Promise<Servers> {
  const { say, signal = NEVER, role = 'run' } = options;
  const home = homeAt(options.home);
  const external = await abortable(signal, namedServers(options.need));
  const local = options.need.filter((part) => external[part] === null);
  const use = await beginUse(home, role, say);
  const { record, beside } = await claimed(use, local, signal);
  const temporal = external.temporal ?? (await entryInUse(home, record.temporal));
  const store = external.store ?? (await entryInUse(home, record.store));
  const uiPort = external.temporal === null ? record.temporal?.ports['uiPort'] : undefined;
  const watch = local.length === 0 ? null : new ServerWatch(use);
  return {
    temporal: {
      address: temporal.address,
      namespace: namespaceOf(),
      uiUrl: uiPort === undefined || temporal.address === '' ? null : `http://127.0.0.1:${uiPort}`,
      how: temporal.how,
    },
    store: { url: store.address, database: databaseOf(), how: store.how },
    stop: async (how) => {
      await watch?.stop();
      await release(use, how?.hurried === true ? HURRIED_MS : CLEAN_END_MS);
    },
    alone: local.length > 0 && !beside.some((other) => other.role === 'run'),
    others: () => othersNow(use),
  };
}

async function claimed(use: ServerUse, local: readonly ServerKind[], signal: AbortSignal): Promise<Claimed> {
  if (local.length === 0) return { record: (await OpenRecord.read(use.home.record)).parts, beside: [] };
  try {
    return await claim(use, local, signal);
  } catch (error) {
    await release(use, signal.aborted ? HURRIED_MS : CLEAN_END_MS);
    throw error;
  }
}

async function othersNow(use: ServerUse): Promise<number[]> {
  const { parts } = await OpenRecord.read(use.home.record);
  const others = await Promise.all([...use.held.keys()].map((part) => othersOf(use, parts[part])));
  return [...new Set(others.flat().flatMap(({ pid, role }) => (role === 'keep' ? [] : [pid])))];
}

interface Address {
  address: string;
  how: string;
}

async function namedServers(need: readonly ServerKind[]): Promise<Record<ServerKind, Address | null>> {
  const temporal = namedTemporal();
  const store = namedStore();
  const check = async (part: ServerKind, ask: () => Promise<string>, variable: string): Promise<string> =>
    need.includes(part) ? `version ${await ask()}, named by ${variable}` : `named by ${variable}`;
  const [temporalHow, storeHow] = await Promise.all([
    temporal && check('temporal', () => checkNamedTemporal(temporal), temporal.variable),
    store && check('store', () => checkNamedStore(store), store.variable),
  ]);
  return {
    temporal: temporal && { address: temporal.address, how: temporalHow ?? '' },
    store: store && { address: store.address, how: storeHow ?? '' },
  };
}

async function entryInUse(home: Home, entry: Entry | null): Promise<Address> {
  return entry !== null && (await runs(home, entry))
    ? { address: entry.address, how: entry.how }
    : { address: '', how: 'not running' };
}
