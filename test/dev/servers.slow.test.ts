import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { homeAt } from '../../src/dev/paths.js';
import { OpenRecord } from '../../src/dev/record.js';
import { findServers } from '../../src/dev/servers.js';
import { pingStore } from '../../src/lineage/ping.js';
import { startOf } from '../../src/sandbox/process/process-table.js';

const COMMAND = new URL('./command.ts', import.meta.url).pathname;
const answerShape = z.object({ url: z.string(), alone: z.boolean() });
const recordShape = z.object({
  store: z.object({ process: z.object({ pid: z.number().int().positive() }) }),
});
const quiet = (): void => undefined;

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'assay-dev-'));
});
afterEach(async () => {
  const left = await findServers({ home, need: ['store'], say: quiet });
  await left.stop();
  await rm(home, { recursive: true, force: true });
});

/** A command in a process of its own, up to the line that tells what it found. */
async function command(ending: 'stop' | 'hold') {
  const child = execa(process.execPath, ['--import', 'tsx', COMMAND, home, ending], { reject: false });
  const [line] = z.tuple([z.instanceof(Buffer)]).parse(await once(child.stdout, 'data'));
  return { child, answer: answerShape.parse(JSON.parse(line.toString())) };
}

/** Throws when none is written down: a signal to "process 0" would hit the test run itself. */
async function serverPid(): Promise<number> {
  const text = await readFile(join(home, 'servers.json'), 'utf8');
  return recordShape.parse(JSON.parse(text)).store.process.pid;
}

const rawShape = z.object({
  temporal: z.null(),
  store: z.looseObject({ users: z.array(z.looseObject({})) }),
});
const rawRecord = async (file: string) => rawShape.parse(JSON.parse(await readFile(file, 'utf8')));

async function goneWithin(pid: number, seconds: number): Promise<boolean> {
  for (let tries = 0; tries < seconds * 20; tries += 1) {
    if ((await startOf(pid)) === null) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

/** Ends a command in order. */
async function ended({ child }: Awaited<ReturnType<typeof command>>): Promise<void> {
  child.stdin.end();
  await child;
}

describe('the servers of a clone', () => {
  it('are shared: whichever command ends last stops them, also when another was killed', async () => {
    const first = await command('hold');
    const pid = await serverPid();
    const second = await command('hold');
    const killed = await command('hold');
    expect(second.answer).toEqual({ url: first.answer.url, alone: false });
    await (
      await command('stop')
    ).child;
    killed.child.kill('SIGKILL');
    await killed.child;
    await ended(first);
    expect(await serverPid()).toBe(pid);
    await expect(pingStore(first.answer.url, 5000)).resolves.toBeDefined();
    await ended(second);
    expect(await startOf(pid)).toBeNull();
  });

  it('are started once when two commands begin at the same moment', async () => {
    const both = await Promise.all([command('hold'), command('hold')]);
    expect(new Set(both.map(({ answer }) => answer.url)).size).toBe(1);
    expect(both.filter(({ answer }) => answer.alone)).toHaveLength(1);
    await Promise.all(both.map(ended));
  });

  it('are taken over by the next command when their commands were killed', async () => {
    const killed = await command('hold');
    const pid = await serverPid();
    killed.child.kill('SIGKILL');
    await killed.child;
    const next = await findServers({ home, need: ['store'], say: quiet });
    expect(next.alone).toBe(true);
    expect(next.store.url).toBe(killed.answer.url);
    expect(await serverPid()).toBe(pid);
    await next.stop();
    expect(await startOf(pid)).toBeNull();
  });

  it('are left by a command that exits at once, for another that uses them', async () => {
    const held = await command('hold');
    const pid = await serverPid();
    const interrupted = await command('hold');
    interrupted.child.kill('SIGINT');
    await interrupted.child;
    await expect(pingStore(held.answer.url, 5000)).resolves.toBeDefined();
    expect(await serverPid()).toBe(pid);
    await ended(held);
    expect(await startOf(pid)).toBeNull();
  });

  it('come back by themselves on the same address, as does a record that was removed', async () => {
    const said: string[] = [];
    const dev = await findServers({ home, need: ['store'], say: (line) => said.push(line) });
    const beside = await command('hold');
    const first = await serverPid();
    process.kill(-first, 'SIGKILL');
    await expect.poll(serverPid, { timeout: 60_000 }).not.toBe(first);
    await expect.poll(() => pingStore(dev.store.url, 1000), { timeout: 60_000 }).toBeDefined();
    const again = await serverPid();
    await rm(homeAt(home).record);
    await expect.poll(() => serverPid().catch(() => null), { timeout: 60_000 }).toBe(again);
    await dev.stop();
    await expect(pingStore(beside.answer.url, 5000)).resolves.toBeDefined();
    expect(await serverPid()).toBe(again);
    await ended(beside);
    expect(await startOf(again)).toBeNull();
    expect(said.join('\n')).toMatch(/has ended: it is started again|had ended and was started again/);
  });

  it('are not started again while one in another container shows that it uses them', async () => {
    const held = await findServers({ home, need: ['store'], say: quiet });
    const record = await OpenRecord.read(homeAt(home).record);
    const store = record.parts.store;
    if (store?.process == null) throw new Error('no store is recorded');
    await held.stop();
    const elsewhere = { pid: 1, start: '1', space: 'another boot/pid:[1]' };
    const user = { ...elsewhere, id: 'there', role: 'run' as const };
    record.parts.store = { ...store, process: elsewhere, users: [user] };
    await record.save();
    await writeFile(join(homeAt(home).users, user.id), '');
    const stopping = new AbortController();
    const said: string[] = [];
    const watched = process.listenerCount('SIGHUP');
    const found = findServers({
      home,
      need: ['store'],
      say: (line) => void said.push(line),
      signal: stopping.signal,
    });
    found.catch(quiet);
    await expect.poll(() => said.join(), { timeout: 60_000 }).toContain('(process 1) is slow to answer');
    // its pid is that of another process here, which is not killed when this one exits
    expect(process.listenerCount('SIGHUP')).toBe(watched);
    stopping.abort(new Error('enough'));
    await expect(found).rejects.toThrow('enough');
    expect((await OpenRecord.read(homeAt(home).record)).parts.store?.process).toEqual(elsewhere);
    said.length = 0;
    const waiting = findServers({ home, need: ['store'], say: (line) => void said.push(line) });
    await expect.poll(() => said.join(), { timeout: 60_000 }).toContain('(process 1) is slow to answer');
    const long = new Date(Date.now() - 60_000);
    await utimes(join(homeAt(home).users, user.id), long, long);
    const next = await waiting;
    await expect(pingStore(next.store.url, 5000)).resolves.toBeDefined();
    await next.stop();
  });

  it('end when their command is interrupted', async () => {
    const interrupted = await command('hold');
    const pid = await serverPid();
    interrupted.child.kill('SIGINT');
    await interrupted.child;
    expect(await goneWithin(pid, 10)).toBe(true);
  });

  it('of an assay that knew of one owner only are shared as well', async () => {
    const held = await command('hold');
    const pid = await serverPid();
    const { record } = homeAt(home);
    const { store, temporal } = await rawRecord(record);
    const { users, ...old } = store;
    const [owner] = users;
    await writeFile(record, JSON.stringify({ temporal, store: { ...old, owner } }));
    await (
      await command('stop')
    ).child;
    await expect(pingStore(held.answer.url, 5000)).resolves.toBeDefined();
    await ended(held);
    expect(await startOf(pid)).toBeNull();
  });
});

describe('a server named in the environment', () => {
  it('is never replaced by another when it does not answer', async () => {
    process.env['ASSAY_TEMPORAL_ADDRESS'] = '127.0.0.1:1';
    try {
      const found = findServers({ home, need: ['temporal'], say: quiet });
      await expect(found).rejects.toMatchObject({ code: 'TEMPORAL_UNAVAILABLE' });
      await expect(found).rejects.toThrow('ASSAY_TEMPORAL_ADDRESS');
    } finally {
      delete process.env['ASSAY_TEMPORAL_ADDRESS'];
    }
  });
});
