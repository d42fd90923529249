import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findServers } from '../src/dev/servers.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** host:port of a real Temporal server, for `inject`. */
    temporalAddress: string;
    /** URL of a real store, for `inject`; every test uses its own database. */
    storeUrl: string;
  }
}

/** One Temporal and one store for the whole run, in their own folder, which is removed at the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = await mkdtemp(join(tmpdir(), 'assay-servers-'));
  try {
    const say = (line: string): boolean => process.stderr.write(`${line}\n`);
    const servers = await findServers({ home, need: ['temporal', 'store'], say });
    project.provide('temporalAddress', servers.temporal.address);
    project.provide('storeUrl', servers.store.url);
    return async () => {
      await servers.stop();
      await rm(home, { recursive: true, force: true });
    };
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}
