import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { provision, provisioned } from '../programs/cache.js';
import { mavenProxy } from '../programs/maven-proxy.js';
import { mustRun, outputOf } from '../process/commands.js';
import { FALLBACK_JARS, FALLBACK_VERSION } from './fallback-jars.js';
import { isExecutable, onPath } from '../files.js';
import type { StoreProgram } from './store-kind.js';

const OLDEST_JAVA = 17;
const LAUNCHER = fileURLToPath(new URL('./fallback-store/Launcher.java', import.meta.url));
const POM = fileURLToPath(new URL('./fallback-store/pom.xml', import.meta.url));

/**
 * mongo-java-server with the launcher of this version of assay, from package registries.
 * @throws Error when Java or Maven is missing, or a package cannot be had or is not the pinned one
 */
export async function fallbackStore(say: (line: string) => void, signal: AbortSignal): Promise<StoreProgram> {
  const java = await javaProgram();
  const compiler = await javaTool('javac');
  if (compiler === null) throw new Error('there is no javac: a JDK is needed, a runtime is not enough');
  const maven = await onPath('mvn');
  if (maven === null) throw new Error('there is no mvn on PATH');
  say(`getting mongo-java-server ${FALLBACK_VERSION} as Maven packages …`);
  const folder = await provision(await cacheName(), FALLBACK_JARS, async (fresh) => {
    const jars = join(fresh, 'lib');
    await mkdir(jars);
    await copyFile(POM, join(fresh, 'pom.xml'));
    const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${jars}`, '-DincludeScope=runtime'];
    await mustRun(maven, ['--batch-mode', '--no-transfer-progress', ...mavenProxy(process.env), ...copy], {
      cwd: fresh,
      seconds: 600,
      signal,
    });
    await mustRun(compiler, ['-d', join(fresh, 'classes'), '-cp', join(jars, '*'), LAUNCHER], {
      cwd: fresh,
      seconds: 120,
      signal,
    });
  });
  return served(java, folder);
}

/** Finds it where an earlier command got it; null when none did. */
export async function fallbackStoreInCache(): Promise<StoreProgram | null> {
  const folder = await provisioned(await cacheName(), FALLBACK_JARS);
  return folder === null ? null : served(await javaProgram(), folder);
}

/** Another launcher or another list of jars is another folder: clones of different versions may share a cache. */
async function cacheName(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of [POM, LAUNCHER]) hash.update(await readFile(file));
  return `mongo-java-server-${FALLBACK_VERSION}-${hash.digest('hex').slice(0, 12)}`;
}

async function javaProgram(): Promise<string> {
  const java = await javaTool('java');
  if (java === null) throw new Error('there is no java on PATH');
  const version = Number(/version "(\d+)/.exec((await outputOf(java, ['-version'])) ?? '')?.[1] ?? 0);
  if (version < OLDEST_JAVA)
    throw new Error(`${java} is Java ${version || 'of no known version'}, older than ${OLDEST_JAVA}`);
  return java;
}

/** A tool of the JDK that JAVA_HOME names, else of the one on PATH. */
export async function javaTool(name: 'java' | 'javac'): Promise<string | null> {
  const chosen = process.env['JAVA_HOME'];
  if (chosen) {
    const file = join(chosen, 'bin', name);
    if (await isExecutable(file)) return file;
  }
  return onPath(name);
}

function served(java: string, folder: string): StoreProgram {
  const memory = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const classes = ['-cp', `${join(folder, 'classes')}:${join(folder, 'lib', '*')}`];
  return {
    kind: 'fallback',
    version: FALLBACK_VERSION,
    how: `mongo-java-server ${FALLBACK_VERSION} (a stand-in for MongoDB)`,
    file: java,
    args: (port, data) => [
      ...memory,
      ...classes,
      'Launcher',
      ...['--port', String(port), '--file', join(data, 'store.mv')],
    ],
    query: '?directConnection=true',
  };
}
