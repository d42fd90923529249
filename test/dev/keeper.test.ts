import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { homeAt } from '../../src/dev/paths.js';
import { withLock } from '../../src/dev/process/lock.js';
import { OpenRecord } from '../../src/dev/record.js';
import { findServers, type Servers } from '../../src/dev/servers.js';
import { ensureKeeper } from '../../src/dev/store/keeper.js';
import { noteUse } from '../../src/dev/store/store-use.js';
import { pingStore } from '../../src/lineage/ping.js';
import { startOf } from '../../src/sandbox/process/process-table.js';

const COMMAND = fileURLToPath(new URL('./keeper-command.ts', import.meta.url));
const IDLE_MS = 6000;
const pid = z.object({ pid: z.number().int().positive() });
const recordShape = z.object({ store: z.object({ process: pid, owner: pid }) });
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
  return { store: store.process.pid, keeper: store.owner.pid };
}

const gone = async (...all: number[]): Promise<void> => {
  for (const one of all) await expect.poll(() => startOf(one), { timeout: 60_000, interval: 200 }).toBeNull();
};

describe('the store of commands that read', () => {
  it('is found by the next one, stays while it is used, and then ends by itself', async () => {
    const first = await reading();
    expect(first).toMatchObject({ owned: false, alone: true });
    await first.stop();
    const begun = await pids();
    const second = await reading();
    expect(second.store.url).toBe(first.store.url);
    await second.stop();
    expect(await pids()).toEqual(begun);
    for (const until = Date.now() + 1.5 * IDLE_MS; Date.now() < until;) {
      await noteUse(homeAt(home));
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await expect(pingStore(first.store.url, 5000)).resolves.toBeDefined();
    await gone(begun.store, begun.keeper);
  });

  it('is started once for two at the same moment, and again after its keeper and it were killed', async () => {
    const [one, other] = await Promise.all([reading(), reading()]);
    expect(other.store.url).toBe(one.store.url);
    const { store, keeper } = await pids();
    process.kill(keeper, 'SIGKILL');
    process.kill(-store, 'SIGKILL');
    await gone(store, keeper);
    const next = await reading();
    expect(next).toMatchObject({ owned: false, alone: true });
    await expect(pingStore(next.store.url, 5000)).resolves.toBeDefined();
  });

  it('is taken over by a command that runs servers, and its keeper leaves it alone', async () => {
    const read = await reading();
    const { store, keeper } = await pids();
    const dev = await findServers({ home, need: ['store'], say: quiet });
    expect(dev).toMatchObject({ owned: true, alone: true });
    await gone(keeper);
    expect(await pids()).toEqual({ store, keeper: process.pid });
    await expect(pingStore(read.store.url, 5000)).resolves.toBeDefined();
    const beside = await findServers({ home, need: ['store'], say: quiet, role: 'read' });
    expect(beside).toMatchObject({ owned: false, alone: false });
    await dev.stop();
    await gone(store);
  });

  it('is left alone as well by a keeper that cannot wait for the command that takes it over', async () => {
    const read = await reading();
    const { store, keeper } = await pids();
    const self = { pid: process.pid, start: (await startOf(process.pid)) ?? '' };
    await withLock(homeAt(home).lock, quiet, async () => {
      const record = await OpenRecord.read(homeAt(home).record);
      const entry = record.parts.store;
      if (entry == null) throw new Error('no store is recorded');
      record.parts.store = { ...entry, owner: self };
      await record.save();
      await gone(keeper);
    });
    await expect(pingStore(read.store.url, 5000)).resolves.toBeDefined();
    expect(await pids()).toEqual({ store, keeper: process.pid });
  });

  it('ends with its keeper where the record of it was removed', async () => {
    await reading();
    const { store, keeper } = await pids();
    await rm(homeAt(home).record);
    await gone(keeper, store);
  });
});
