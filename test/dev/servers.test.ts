import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findServers } from '../../src/dev/servers.js';
import { pingStore } from '../../src/lineage/ping.js';
import { startOf } from '../../src/sandbox/process/process-table.js';

const COMMAND = new URL('./command.ts', import.meta.url).pathname;
const answerShape = z.object({ url: z.string(), owned: z.boolean() });
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

async function goneWithin(pid: number, seconds: number): Promise<boolean> {
  for (let tries = 0; tries < seconds * 20; tries += 1) {
    if ((await startOf(pid)) === null) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

describe('the servers of a clone', () => {
  it('are shared by a second command, which leaves them running', async () => {
    const first = await command('hold');
    const pid = await serverPid();
    const second = await command('stop');
    await second.child;
    expect(second.answer).toEqual({ url: first.answer.url, owned: false });
    expect(await serverPid()).toBe(pid);
    await expect(pingStore(first.answer.url, 5000)).resolves.toBeDefined();
    first.child.stdin.end();
    await first.child;
    expect(await startOf(pid)).toBeNull();
  });

  it('are started once when two commands begin at the same moment', async () => {
    const both = await Promise.all([command('hold'), command('hold')]);
    expect(new Set(both.map(({ answer }) => answer.url)).size).toBe(1);
    expect(both.filter(({ answer }) => answer.owned)).toHaveLength(1);
    for (const { child } of both) child.stdin.end();
    await Promise.all(both.map(({ child }) => child));
  });

  it('are adopted by the next command when their command was killed', async () => {
    const killed = await command('hold');
    const pid = await serverPid();
    killed.child.kill('SIGKILL');
    await killed.child;
    const next = await findServers({ home, need: ['store'], say: quiet });
    expect(next.owned).toBe(true);
    expect(next.store.url).toBe(killed.answer.url);
    expect(await serverPid()).toBe(pid);
    await next.stop();
    expect(await startOf(pid)).toBeNull();
  });

  it('end when their command is interrupted', async () => {
    const interrupted = await command('hold');
    const pid = await serverPid();
    interrupted.child.kill('SIGINT');
    await interrupted.child;
    expect(await goneWithin(pid, 10)).toBe(true);
  });

  it('come back on the same address after they were killed', async () => {
    const first = await findServers({ home, need: ['store'], say: quiet });
    const killed = await serverPid();
    process.kill(-killed, 'SIGKILL');
    await goneWithin(killed, 10);
    const second = await findServers({ home, need: ['store'], say: quiet });
    expect(second.store.url).toBe(first.store.url);
    await first.stop();
    await expect(pingStore(second.store.url, 5000)).resolves.toBeDefined();
    await second.stop();
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
