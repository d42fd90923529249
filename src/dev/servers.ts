import { mkdir } from 'node:fs/promises';
import { startOf } from '../sandbox/process/process-table.js';
import {
  checkNamedStore,
  checkNamedTemporal,
  databaseOf,
  namedStore,
  namedTemporal,
  namespaceOf,
} from './external.js';
import { NEVER, abortable } from './process/abortable.js';
import { startLogRotation, rotateLogs, type LogRotation } from './process/log-rotation.js';
import { killGroupOnExit, releaseGroup } from './process/kill-servers-on-exit.js';
import { withLock, withLockNow } from './process/lock.js';
import { SERVER_KINDS } from './server-kinds.js';
import { homeAt, type Home } from './paths.js';
import { noteUse } from './store/store-use.js';
import { noteGoneNow, OpenRecord, type Entry, type ServerKind, type ServerRecord } from './record.js';
import { checkDiskSpace } from './disk-space.js';
import { end, HURRIED_MS, isAlive, type ServerProcess } from './process/server-process.js';

/** The real servers that a command works with. */
export interface Servers {
  /** `address` is host:port, empty when this part was not asked for and does not run. */
  temporal: { address: string; namespace: string; uiUrl: string | null; how: string };
  /** `url` is empty when this part was not asked for and does not run. */
  store: { url: string; database: string; how: string };
  /**
   * Stops the servers that this command started or adopted, and no others. May be called twice. One that does not end
   * within ten seconds, or four when hurried, is killed, which `say` is told; that loses nothing acknowledged.
   */
  stop(how?: { hurried?: boolean; onlyIf?: () => Promise<boolean> }): Promise<void>;
  /** True when this process started or adopted one of them, and so stops it. */
  owned: boolean;
  /** True when no other command runs the store: this one started it, or it is kept for reading commands. */
  alone: boolean;
}

export interface FindOptions {
  /** The folder of this clone, see `homeOf`. */
  home: string;
  need: readonly ServerKind[];
  /** Progress, a line each, for stderr. */
  say: (line: string) => void;
  /** Aborting ends what was started until then; the search rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Use of the store: `read` leaves it to a keeper, `keep` is that keeper. */
  role?: Role;
}

/** A command that starts and stops servers, one that only reads the store, and the keeper of a store for these. */
type Role = 'run' | 'read' | 'keep';

const CLEAN_END_MS = 10_000;
/** Time for which an ending command waits for one that is starting servers. */
const LOCK_MS = 2000;

/** Intent of a command towards the servers of its clone. */
interface Claim {
  home: Home;
  say: (line: string) => void;
  signal: AbortSignal;
  role: Role;
  /** Those that this process must stop. */
  mine: Map<ServerKind, ServerProcess>;
}

/**
 * Finds the servers a command needs: those named in the environment, else those that another command of this clone
 * runs, else its own. Servers whose command was killed are adopted; dead ones start again on the same data and ports.
 * @throws AssayError TEMPORAL_UNAVAILABLE, STORE_UNAVAILABLE, DISK_FULL
 */
export async function findServers(options: FindOptions): Promise<Servers> {
  const { say, signal = NEVER, role = 'run' } = options;
  const home = homeAt(options.home);
  const external = await abortable(signal, namedServers(options.need));
  const local = options.need.filter((part) => external[part] === null);
  const claim: Claim = { home, say, signal, role, mine: new Map() };
  const record =
    local.length === 0 ? (await OpenRecord.read(home.record)).parts : await claimed(claim, local);
  const temporal = external.temporal ?? (await entryInUse(record.temporal));
  const store = external.store ?? (await entryInUse(record.store));
  const uiPort = external.temporal === null ? record.temporal?.ports['uiPort'] : undefined;
  const rotation: LogRotation | null = claim.mine.size > 0 ? startLogRotation(home, say) : null;
  return {
    temporal: {
      address: temporal.address,
      namespace: namespaceOf(),
      uiUrl: uiPort === undefined || temporal.address === '' ? null : `http://127.0.0.1:${uiPort}`,
      how: temporal.how,
    },
    store: { url: store.address, database: databaseOf(), how: store.how },
    stop: async (how) => {
      await released(claim, how?.hurried === true ? HURRIED_MS : CLEAN_END_MS, how?.onlyIf);
      if (claim.mine.size === 0) rotation?.stop();
    },
    get owned() {
      return claim.mine.size > 0;
    },
    alone: claim.mine.size > 0 || (external.store === null && record.store?.kept === true),
  };
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

async function entryInUse(entry: Entry | null): Promise<Address> {
  const runs = entry?.process ? await isAlive(entry.process) : false;
  return entry !== null && runs
    ? { address: entry.address, how: entry.how }
    : { address: '', how: 'not running' };
}

/** Has every part running; those that this process must stop later are put into `mine`. */
async function claimed(claim: Claim, parts: readonly ServerKind[]): Promise<ServerRecord> {
  const { home, say, signal } = claim;
  await mkdir(home.folder, { recursive: true, mode: 0o700 });
  const waiting = (pid: number): void => say(`waiting for another assay command (process ${pid}) …`);
  const work = async (): Promise<ServerRecord> => {
    const record = await OpenRecord.read(home.record);
    const ready = await Promise.allSettled(parts.map((part) => claimPart(claim, record, part)));
    const failed = ready.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return record.parts;
  };
  try {
    return await withLock(home.lock, waiting, work, signal);
  } catch (error) {
    await released(claim, signal.aborted ? HURRIED_MS : CLEAN_END_MS);
    throw error;
  }
}

async function claimPart(
  { home, say, signal, role, mine }: Claim,
  record: OpenRecord,
  part: ServerKind,
): Promise<void> {
  const rules = SERVER_KINDS[part];
  const self = { pid: process.pid, start: (await startOf(process.pid)) ?? '' };
  const own = async (entry: Omit<Entry, 'owner'>): Promise<void> => {
    record.parts[part] = { ...entry, owner: self, kept: role === 'keep' };
    if (entry.process !== null) {
      const { pid } = entry.process;
      mine.set(part, entry.process);
      killGroupOnExit(pid, () => withLockNow(home.lock, () => noteGoneNow(home.record, part, pid)));
    }
    await record.save();
  };
  const entry = record.parts[part];
  if (role === 'read') await noteUse(home);
  if (entry?.process && (await isAlive(entry.process))) {
    await rotateLogs(home);
    const answers = await abortable(signal, rules.ask(entry.address)).then(
      () => true,
      () => false,
    );
    signal.throwIfAborted();
    if (answers && entry.owner !== null && (await isAlive(entry.owner)))
      return entry.kept === true && role === 'run' ? own(entry) : undefined;
    if (answers) {
      say(`${rules.title} still runs after its command was killed: taken over`);
      return own(entry);
    }
    say(`${rules.title} does not answer: started again`);
    await end(entry.process);
  }
  await checkDiskSpace(home.folder, say);
  await rules.start({ home: home.folder, ports: entry?.ports ?? {}, say, signal, note: own });
}

/** Stops what is in `mine`, unless another command has taken it over meanwhile. */
async function released(
  { home, say, mine, role }: Claim,
  cleanMs: number,
  onlyIf: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<void> {
  if (mine.size === 0) return;
  const own = [...mine];
  const stopAll = async (parts: Partial<ServerRecord>): Promise<void> => {
    const stopped = own.map(async ([part, server]) => {
      const entry = parts[part];
      // without an entry the record is gone, and nobody can have taken the server over
      if (entry == null || (entry.process?.pid === server.pid && entry.owner?.pid === process.pid)) {
        if (!(await end(server, cleanMs)))
          say(`${SERVER_KINDS[part].title} did not end in time and was killed`);
        if (entry) parts[part] = { ...entry, process: null, owner: null };
      }
      releaseGroup(server.pid);
    });
    await Promise.all(stopped);
  };
  const work = async (): Promise<void> => {
    if (!(await onlyIf())) return;
    mine.clear();
    const record = await OpenRecord.read(home.record);
    await stopAll(record.parts);
    await record.save();
  };
  const patience = AbortSignal.timeout(LOCK_MS);
  try {
    await withLock(home.lock, () => undefined, work, patience);
  } catch (error) {
    if (error !== patience.reason) throw error;
    if (role === 'keep') return letGoOfTaken(home, mine);
    // who holds the lock looks at who is alive, whatever the record says
    if (!(await onlyIf())) return;
    mine.clear();
    await stopAll({});
  }
}

/** Leaves to another command what it has taken over; the keeper looks at the rest again. */
async function letGoOfTaken(home: Home, mine: Claim['mine']): Promise<void> {
  const { parts } = await OpenRecord.read(home.record);
  for (const [part, server] of [...mine]) {
    const owner = parts[part]?.owner;
    if (owner == null || owner.pid === process.pid) continue;
    mine.delete(part);
    releaseGroup(server.pid);
  }
}
