import { join } from 'node:path';
import { AssayError } from '../../domain/errors.js';
import { NEVER } from '../process/abortable.js';
import { outputOf } from '../process/commands.js';
import { downloadMongod, downloadedBefore } from '../programs/downloads.js';
import type { StoreKind, StoreProgram } from './store-kind.js';
import { fallbackStore, fallbackStoreInCache } from './fallback-store.js';
import { hasFiles, onPath } from '../files.js';
import type { Home } from '../paths.js';
import { firstThatWorks, failureLines, type FailedStep, type FallbackStep } from '../fallback-chain.js';

const MONGOD_VERSION = '8.2.6';

/** The folder of a kind of store in a home. */
export function storeFolder(home: Home, kind: StoreKind): string {
  return join(home.store, kind);
}

/**
 * Finds a program for the store of this home, or provisions one.
 * @throws AssayError STORE_UNAVAILABLE with what was tried and the remedy of each way
 */
export async function findStoreProgram(
  home: Home,
  say: (line: string) => void,
  signal: AbortSignal = NEVER,
): Promise<StoreProgram> {
  const begun = await kindBegun(home);
  const { found, misses } = await firstThatWorks(waysFor(begun, say, signal), say, signal);
  if (found === null) throw storeUnavailable(home, begun, misses);
  if (found.kind === 'fallback') {
    say(
      'the store is mongo-java-server, a stand-in for MongoDB: fit for one machine, without transactions or login',
    );
  }
  return found;
}

/** The store program that is there already, without any download; for `assay doctor`. */
export async function presentStoreProgram(home: Home): Promise<StoreProgram | null> {
  const quiet = (): void => undefined;
  const mongod = [pathWay, cachedMongodWay];
  const begun = await kindBegun(home);
  const ways =
    begun === null ? [...mongod, cachedFallbackWay] : begun === 'mongod' ? mongod : [cachedFallbackWay];
  return (await firstThatWorks(ways, quiet)).found;
}

async function kindBegun(home: Home): Promise<StoreKind | null> {
  if (await hasFiles(storeFolder(home, 'mongod'))) return 'mongod';
  return (await hasFiles(storeFolder(home, 'fallback'))) ? 'fallback' : null;
}

function waysFor(
  begun: StoreKind | null,
  say: (line: string) => void,
  signal: AbortSignal,
): FallbackStep<StoreProgram>[] {
  const mongod = [pathWay, cachedMongodWay];
  const fallback = [cachedFallbackWay, packagesWay(say, signal)];
  if (begun === 'fallback') return fallback;
  if (begun === 'mongod') return [...mongod, downloadWay(say, signal)];
  return [...mongod, downloadWay(say, signal), ...fallback];
}

function storeUnavailable(home: Home, begun: StoreKind | null, misses: readonly FailedStep[]): AssayError {
  const bound = begun === null ? '' : ` that can read ${storeFolder(home, begun)}`;
  const address = '\n  - a MongoDB that runs already: set ASSAY_MONGODB_URL to its address';
  return new AssayError(
    'STORE_UNAVAILABLE',
    `no store${bound} could be had; tried:${failureLines(misses)}${address}`,
  );
}

const pathWay: FallbackStep<StoreProgram> = {
  name: '`mongod` on PATH',
  remedy: 'install MongoDB Community',
  async find() {
    const file = await onPath('mongod');
    if (file === null) return null;
    const version = /db version v(\S+)/.exec((await outputOf(file, ['--version'])) ?? '')?.[1];
    if (version === undefined) throw new Error(`${file} does not tell its version`);
    if (Number.parseFloat(version) < 4.4) throw new Error(`${file} is MongoDB ${version}, older than 4.4`);
    return mongod(file, version, `mongod ${version} on PATH`);
  },
};

const cachedMongodWay: FallbackStep<StoreProgram> = {
  name: 'a mongod downloaded earlier',
  remedy: 'nothing to do; the cache is filled by the official download',
  async find() {
    const file = await downloadedBefore('mongod', MONGOD_VERSION);
    return file === null ? null : mongod(file, MONGOD_VERSION, `mongod ${MONGOD_VERSION}, official download`);
  },
};

function downloadWay(say: (line: string) => void, signal: AbortSignal): FallbackStep<StoreProgram> {
  return {
    name: 'the official download of mongod',
    remedy: 'let this machine reach the download site of MongoDB',
    async find() {
      say(`getting mongod ${MONGOD_VERSION} …`);
      const file = await downloadMongod(MONGOD_VERSION, signal);
      return mongod(file, MONGOD_VERSION, `mongod ${MONGOD_VERSION}, official download`);
    },
  };
}

const cachedFallbackWay: FallbackStep<StoreProgram> = {
  name: 'a mongo-java-server got earlier',
  remedy: 'nothing to do; the cache is filled by the Maven packages',
  find: () => fallbackStoreInCache(),
};

function packagesWay(say: (line: string) => void, signal: AbortSignal): FallbackStep<StoreProgram> {
  return {
    name: 'mongo-java-server from Maven packages',
    remedy: 'install a JDK (17 or later) and Maven, and let Maven reach its repository',
    find: () => fallbackStore(say, signal),
  };
}

function mongod(file: string, version: string, how: string): StoreProgram {
  return {
    kind: 'mongod',
    version,
    how,
    file,
    args: (port, folder) => [
      ...['--dbpath', folder, '--port', String(port), '--bind_ip', '127.0.0.1'],
      ...['--nounixsocket', '--wiredTigerCacheSizeGB', '0.5'],
    ],
    // A single server keeps its journal in memory for up to 100 ms unless a write asks for it.
    query: '?directConnection=true&journal=true',
  };
}
