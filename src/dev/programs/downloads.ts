import { chmod, copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { provision, provisioned } from './cache.js';
import { mustRun } from '../process/commands.js';
import { unlessRefused } from '../fallback-chain.js';

const MINUTES_15 = 15 * 60;

/** Runs a few lines of JavaScript in a process of their own, so that what they print and start stays apart. */
async function inNode(
  script: string,
  module: string,
  args: string[],
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const url = pathToFileURL(createRequire(import.meta.url).resolve(module)).href;
  await mustRun(process.execPath, ['--input-type=module', '--eval', guarded(script), '--', url, ...args], {
    cwd: folder,
    seconds: MINUTES_15,
    signal,
    env: {
      // the client of the mongod download checks certificates only when npm is told to
      npm_config_strict_ssl: 'true',
      MONGOMS_MAX_RETRIES: '1',
      // the client of the Temporal download talks to the server that it starts, to which no proxy leads
      no_grpc_proxy: '127.0.0.1,localhost',
    },
  });
}

/** The reason as the only line with the word error, so that it is the one shown. */
const guarded = (script: string): string =>
  `try {${script}\n} catch (reason) { console.log('error: ' + reason.message); process.exit(1); }`;

const TEMPORAL_SCRIPT = `
const [url, downloadDir, version] = process.argv.slice(1);
const testing = await import(url);
const { TestWorkflowEnvironment } = testing.TestWorkflowEnvironment ? testing : testing.default;
const executable = { type: 'cached-download', downloadDir, version };
const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
await environment.teardown();`;

const MONGOD_SCRIPT = `
const [url, downloadDir, version] = process.argv.slice(1);
const { MongoBinary } = await import(url);
await MongoBinary.getPath({ downloadDir, version, checkMD5: true, systemBinary: '' });`;

/** The Temporal CLI of its makers, through the client of the SDK. */
export function downloadTemporal(version: string, signal: AbortSignal): Promise<string> {
  return download('temporal', version, signal, (folder) =>
    inNode(TEMPORAL_SCRIPT, '@temporalio/testing', [folder, `v${version}`], folder, signal),
  );
}

/** The mongod of its makers, through the client of mongodb-memory-server; its archive is checked against its MD5. */
export function downloadMongod(version: string, signal: AbortSignal): Promise<string> {
  return download('mongod', version, signal, (folder) =>
    inNode(MONGOD_SCRIPT, 'mongodb-memory-server-core', [folder, version], folder, signal),
  );
}

const folderName = (program: string, version: string): string =>
  `${program}-${version}-official-${process.platform}-${process.arch}`;

/** The program of an earlier download, or null. */
export async function downloadedBefore(
  program: 'temporal' | 'mongod',
  version: string,
): Promise<string | null> {
  const folder = await provisioned(folderName(program, version));
  return folder === null ? null : join(folder, program);
}

/**
 * Puts a program into the cache. Its makers publish a digest per platform and archive, not per program, so the
 * digest of the first download is what later uses are checked against.
 */
async function download(
  program: string,
  version: string,
  signal: AbortSignal,
  fetch: (folder: string) => Promise<void>,
): Promise<string> {
  const name = folderName(program, version);
  const folder = await unlessRefused(
    name,
    () =>
      provision(name, {}, async (fresh) => {
        const landing = join(fresh, 'landing');
        await mkdir(landing);
        await fetch(landing);
        const file = (await readdir(landing)).find(
          (entry) => entry.startsWith(program) && !/\.(md5|downloading|lock)$/.test(entry),
        );
        if (file === undefined) throw new Error(`the download of ${program} left no program`);
        await copyFile(join(landing, file), join(fresh, program));
        await chmod(join(fresh, program), 0o755);
        await rm(landing, { recursive: true });
      }),
    signal,
  );
  return join(folder, program);
}
