import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { cacheFolder } from '../src/dev/paths.js';
import { findServers } from '../src/dev/servers.js';
import { openLineage, type Lineage } from '../src/lineage/lineage.js';
import { startFleet } from '../workers/fleet.js';
import { ROLES } from '../workers/role-names.js';

/** Servers and all workers of one bench, on a home of its own that is gone afterwards. */
export interface BenchGround {
  lineage: Lineage;
  client: Client;
  /** Way in which the store was found. */
  store: string;
  stop(): Promise<void>;
}

/** @param modelUrl an endpoint with the Messages API, which every model of its campaigns is asked at */
export async function openBenchGround(
  modelUrl: string,
  slots: number,
  say: (line: string) => unknown,
): Promise<BenchGround> {
  const home = await mkdtemp(join(tmpdir(), 'assay-bench-'));
  const servers = await findServers({ home, need: ['temporal', 'store'], say });
  const lineage = await openLineage(servers.store);
  const fleet = await startFleet(ROLES, {
    temporal: servers.temporal,
    store: servers.store,
    home,
    cache: cacheFolder(),
    pool: 'cpu',
    slots,
    env: { ...process.env, ANTHROPIC_API_KEY: 'bench', ANTHROPIC_BASE_URL: modelUrl, ASSAY_HOST: 'bench' },
  });
  const connection = await Connection.connect({ address: servers.temporal.address });
  return {
    lineage,
    client: new Client({ connection, namespace: servers.temporal.namespace }),
    store: servers.store.how,
    stop: async () => {
      await fleet.stop();
      await lineage.close();
      await connection.close();
      await servers.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}
