import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { homeAt } from '../../src/dev/paths.js';
import { findServers, type Servers } from '../../src/dev/servers.js';
import { ensureKeeper } from '../../src/dev/store/keeper.js';
import { pingStore } from '../../src/lineage/ping.js';
import { startOf } from '../../src/sandbox/process/process-table.js';

const COMMAND = fileURLToPath(new URL('./keeper-command.ts', import.meta.url));
const IDLE_MS = 6000;
const pid = z.object({ pid: z.number().int().positive() });
const users = z.array(pid.extend({ role: z.string() }));
const recordShape = z.object({ store: z.object({ process: pid, users }) });
const quiet = (): void => undefined;
const never = new AbortController().signal;

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'assay-keeper-'));
});
afterEach(async () => {
  const left = await findServers({ home, need: ['store'], say: quiet });
  await left.stop();
  await rm(home, { recursive: true, force: true });
});

/** Starts the keeper and finds the store, like a command that only reads. */
async function reading(): Promise<Servers> {
  await ensureKeeper(
    home,
    [process.execPath, '--import', 'tsx', COMMAND, home, String(IDLE_MS)],
    quiet,
    never,
  );
  return findServers({ home, need: ['store'], say: quiet, role: 'read' });
}

async function pids(): Promise<{ store: number; keeper: number }> {
  const { store } = recordShape.parse(JSON.parse(await readFile(homeAt(home).record, 'utf8')));
  const keeper = store.users.find(({ role }) => role === 'keep');
  if (keeper === undefined) throw new Error('no keeper is recorded');
  return { store: store.process.pid, keeper: keeper.pid };
}

const gone = async (...all: number[]): Promise<void> => {
  for (const one of all) await expect.poll(() => startOf(one), { timeout: 60_000, interval: 200 }).toBeNull();
};

describe('the store of commands that read', () => {
  it('is found by the next one, stays while it is used, and then ends by itself', async () => {
    const first = await reading();
    expect(first.alone).toBe(true);
    await first.stop();
    const begun = await pids();
    const second = await reading();
    expect(second.store.url).toBe(first.store.url);
    await second.stop();
    expect(await pids()).toEqual(begun);
    const long = await reading();
    await new Promise((resolve) => setTimeout(resolve, 1.5 * IDLE_MS));
    await long.stop();
    await expect(pingStore(first.store.url, 5000)).resolves.toBeDefined();
    await gone(begun.store, begun.keeper);
  });

  it('is started once for two at the same moment, and again after its keeper and it were killed', async () => {
    const [one, other] = await Promise.all([reading(), reading()]);
    expect(other.store.url).toBe(one.store.url);
    await Promise.all([one.stop(), other.stop()]);
    const { store, keeper } = await pids();
    process.kill(keeper, 'SIGKILL');
    process.kill(-store, 'SIGKILL');
    await gone(store, keeper);
    const next = await reading();
    expect(next.alone).toBe(true);
    await expect(pingStore(next.store.url, 5000)).resolves.toBeDefined();
    await next.stop();
  });

  it('is left by its keeper to a command that runs servers, and by that to one that still reads', async () => {
    const read = await reading();
    const { store, keeper } = await pids();
    const pause = await findServers({ home, need: ['store'], say: quiet });
    expect(pause.alone).toBe(true);
    await gone(keeper);
    const beside = await findServers({ home, need: ['store'], say: quiet, role: 'read' });
    expect(beside.alone).toBe(false);
    await beside.stop();
    await pause.stop();
    await expect(pingStore(read.store.url, 5000)).resolves.toBeDefined();
    await read.stop();
    await gone(store);
  });

  it('ends with its keeper where the record of it was removed', async () => {
    await (await reading()).stop();
    const { store, keeper } = await pids();
    await rm(homeAt(home).record);
    await gone(keeper, store);
  });
});
