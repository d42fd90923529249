/**
 * Measures how leases of accelerators are shared out: trials of mixed sizes on two simulated hosts of eight devices.
 * `npx tsx bench/devices.ts --trials 500` prints progress on stderr and JSON (assay.bench.devices/1) on stdout;
 * `--scale 0.1` makes runs of 1 to 6 s, `--kill-every 25` kills a worker after every 25 trials, `--seed` draws.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { cacheFolder } from '../src/dev/paths.js';
import { findServers } from '../src/dev/servers.js';
import { openLineage } from '../src/lineage/lineage.js';
import { Dice } from '../test/builders/dice.js';
import { startScriptedServer } from '../test/model/scripted-server.js';
import { startFleet } from '../workers/fleet.js';
import { measureDevices } from './devices/run.js';

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '500' },
    'at-once': { type: 'string', default: '12' },
    scale: { type: 'string', default: '0.2' },
    'kill-every': { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
  },
});
const say = (line: string): boolean => process.stderr.write(`${line}\n`);
const home = await mkdtemp(join(tmpdir(), 'assay-bench-'));
const servers = await findServers({ home, need: ['temporal', 'store'], say });
const lineage = await openLineage(servers.store);
const { temporal, store } = servers;
// campaigns take only what the bench submits
const model = await startScriptedServer(
  Array.from({ length: 100 }, () => () => new Promise<never>(() => undefined)),
);
const fleet = await startFleet(['orchestrator', 'model'], {
  ...{ temporal, store, home, cache: cacheFolder(), pool: 'gpu', slots: 1 },
  env: { ...process.env, ANTHROPIC_API_KEY: 'bench', ANTHROPIC_BASE_URL: model.url, ASSAY_HOST: 'office' },
});
const connection = await Connection.connect({ address: temporal.address });
const client = new Client({ connection, namespace: temporal.namespace });
const env = {
  ...{ TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace },
  ...{ ASSAY_MONGODB_URL: store.url, ASSAY_MONGODB_DATABASE: store.database, ASSAY_TIER: 'E' },
};
try {
  const asked = {
    trials: Number(values.trials),
    atOnce: Number(values['at-once']),
    scale: Number(values.scale),
    killEvery: Number(values['kill-every']),
  };
  const dice = new Dice(Number(values.seed));
  const figures = await measureDevices(
    { client, lineage, env },
    { ...asked, random: () => dice.uniform(), say },
  );
  process.stdout.write(
    `${JSON.stringify({ schema: 'assay.bench.devices/1', ...asked, seed: Number(values.seed), ...figures }, null, 1)}\n`,
  );
} finally {
  await fleet.stop();
  await lineage.close();
  await connection.close();
  await model.stop();
  await servers.stop();
  await rm(home, { recursive: true, force: true });
}
process.exit(0);
