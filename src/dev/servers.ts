import { mkdir } from 'node:fs/promises';
import { startOf } from '../sandbox/processes.js';
import {
  checkNamedStore,
  checkNamedTemporal,
  databaseOf,
  namedStore,
  namedTemporal,
  namespaceOf,
} from './external.js';
import { endWithMe, noLongerMine } from './last-resort.js';
import { withLock } from './lock.js';
import { PARTS } from './parts.js';
import { homeAt, type Home } from './places.js';
import { OpenRecord, type Entry, type Part, type ServerRecord } from './record.js';
import { end, isAlive, type ServerProcess } from './server-process.js';

/** The real servers that a command works with. */
export interface Servers {
  /** `address` is host:port, empty when this part was not asked for and does not run. */
  temporal: { address: string; namespace: string; uiUrl: string | null; how: string };
  /** `url` is empty when this part was not asked for and does not run. */
  store: { url: string; database: string; how: string };
  /** Stops the servers that this command started or adopted, and no others. May be called twice. */
  stop(): Promise<void>;
  /** True when this process started or adopted one of them, and so stops it. */
  owned: boolean;
}

export interface FindOptions {
  /** The folder of this clone, see `homeOf`. */
  home: string;
  need: readonly Part[];
  /** Progress, a line each, for stderr. */
  say: (line: string) => void;
}

/**
 * Finds the servers a command needs: those named in the environment, else those that another command of this clone
 * runs, else its own. Servers whose command was killed are adopted; dead ones start again on the same data and ports.
 * @throws AssayError TEMPORAL_UNAVAILABLE, STORE_UNAVAILABLE
 */
export async function findServers(options: FindOptions): Promise<Servers> {
  const home = homeAt(options.home);
  const external = await namedServers(options.need);
  const local = options.need.filter((part) => external[part] === null);
  const mine = new Map<Part, ServerProcess>();
  const record =
    local.length === 0
      ? (await OpenRecord.read(home.record)).parts
      : await claimed(home, local, mine, options.say);
  const temporal = external.temporal ?? (await entryInUse(record.temporal));
  const store = external.store ?? (await entryInUse(record.store));
  const uiPort = external.temporal === null ? record.temporal?.ports['uiPort'] : undefined;
  return {
    temporal: {
      address: temporal.address,
      namespace: namespaceOf(),
      uiUrl: uiPort === undefined || temporal.address === '' ? null : `http://127.0.0.1:${uiPort}`,
      how: temporal.how,
    },
    store: { url: store.address, database: databaseOf(), how: store.how },
    stop: () => released(home, mine),
    owned: mine.size > 0,
  };
}

interface Address {
  address: string;
  how: string;
}

async function namedServers(need: readonly Part[]): Promise<Record<Part, Address | null>> {
  const temporal = namedTemporal();
  const store = namedStore();
  const check = async (part: Part, ask: () => Promise<string>, variable: string): Promise<string> =>
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

async function entryInUse(entry: Entry | null): Promise<Address> {
  const runs = entry?.process ? await isAlive(entry.process) : false;
  return entry !== null && runs
    ? { address: entry.address, how: entry.how }
    : { address: '', how: 'not running' };
}

/** Has every part running; those that this process must stop later are put into `mine`. */
async function claimed(
  home: Home,
  parts: readonly Part[],
  mine: Map<Part, ServerProcess>,
  say: (line: string) => void,
): Promise<ServerRecord> {
  await mkdir(home.folder, { recursive: true, mode: 0o700 });
  const waiting = (pid: number): void => say(`waiting for another assay command (process ${pid}) …`);
  try {
    return await withLock(home.lock, waiting, async () => {
      const record = await OpenRecord.read(home.record);
      const ready = await Promise.allSettled(parts.map((part) => claim(home, record, part, mine, say)));
      const failed = ready.find((each) => each.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      return record.parts;
    });
  } catch (error) {
    await released(home, mine);
    throw error;
  }
}

async function claim(
  home: Home,
  record: OpenRecord,
  part: Part,
  mine: Map<Part, ServerProcess>,
  say: (line: string) => void,
): Promise<void> {
  const rules = PARTS[part];
  const self = { pid: process.pid, start: (await startOf(process.pid)) ?? '' };
  const own = async (entry: Omit<Entry, 'owner'>): Promise<void> => {
    record.parts[part] = { ...entry, owner: self };
    if (entry.process !== null) {
      mine.set(part, entry.process);
      endWithMe(entry.process.pid);
    }
    await record.save();
  };
  const entry = record.parts[part];
  if (entry?.process && (await isAlive(entry.process))) {
    const answers = await rules.ask(entry.address).then(
      () => true,
      () => false,
    );
    if (answers && entry.owner !== null && (await isAlive(entry.owner))) return;
    if (answers) {
      say(`${rules.title} still runs after its command was killed: taken over`);
      return own(entry);
    }
    say(`${rules.title} does not answer: started again`);
    await end(entry.process);
  }
  await rules.start({ home: home.folder, ports: entry?.ports ?? {}, say, note: own });
}

/** Stops what is in `mine`, unless another command has taken it over meanwhile. */
async function released(home: Home, mine: Map<Part, ServerProcess>): Promise<void> {
  if (mine.size === 0) return;
  await withLock(
    home.lock,
    () => undefined,
    async () => {
      const record = await OpenRecord.read(home.record);
      const own = [...mine];
      mine.clear();
      await Promise.all(
        own.map(async ([part, server]) => {
          const entry = record.parts[part];
          const still = entry?.process?.pid === server.pid && entry.owner?.pid === process.pid;
          if (still) {
            await end(server);
            record.parts[part] = { ...entry, process: null, owner: null };
          }
          noLongerMine(server.pid);
        }),
      );
      await record.save();
    },
  );
}

export { startStore } from './store-server.js';
export { startTemporal } from './temporal-server.js';
export { findStoreProgram } from './store-program.js';
export { findTemporalProgram } from './temporal-program.js';
export { homeOf } from './places.js';
