import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { expiredLeases, LeasePool, type Lease } from '../../src/sandbox/host/lease.js';
import { freshFolder } from './programs.js';

const MODULE = new URL('../../src/sandbox/host/lease.ts', import.meta.url).href;
const signal = new AbortController().signal;

/** Another worker process of this host that takes a slot, says so and keeps it. */
function keeper(folder: string, slots = 1, capacity = 1) {
  const code = `
    const { LeasePool } = await import(${JSON.stringify(MODULE)});
    const pool = new LeasePool('cpu', ${capacity}, ${JSON.stringify(folder)});
    await pool.withLease({ slots: ${slots}, signal: new AbortController().signal }, async () => {
      console.log('held');
      await new Promise((resolve) => process.stdin.once('data', resolve));
    });
    console.log('released');
    process.exit(0);`;
  const child = execa(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    reject: false,
  });
  const held = new Promise((resolve) => child.stdout.once('data', resolve));
  return { child, held };
}

describe('LeasePool', () => {
  it('keeps holders of one process apart, in the order they came', async () => {
    const pool = new LeasePool('cpu', 2, freshFolder());
    const events: string[] = [];
    let [used, most] = [0, 0];
    const use = (name: string, slots: number) =>
      pool.withLease({ slots, signal }, async (lease: Lease) => {
        events.push(name);
        expect(new Set(lease.slots).size).toBe(slots);
        used += slots;
        most = Math.max(most, used);
        await new Promise((resolve) => setTimeout(resolve, 20));
        used -= slots;
      });
    await Promise.all([use('a', 1), use('b', 2), use('c', 1), use('d', 1), use('e', 2)]);
    expect(events).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(most).toBe(2);
  });

  it('releases when the work fails, and a waiter that is aborted leaves the queue', async () => {
    const pool = new LeasePool('cpu', 1, freshFolder());
    await expect(
      pool.withLease({ slots: 1, signal }, () => Promise.reject(new Error('boom'))),
    ).rejects.toThrow('boom');
    const cancel = new AbortController();
    await pool.withLease({ slots: 1, signal }, async () => {
      const onWait = () => cancel.abort(new Error('enough'));
      const waiting = pool.withLease({ slots: 1, signal: cancel.signal, onWait }, () => Promise.resolve());
      await expect(waiting).rejects.toThrow('enough');
    });
    expect(await pool.withLease({ slots: 1, signal }, (lease) => Promise.resolve(lease.slots))).toEqual([0]);
  });

  it('lets a waiter go at once that is aborted behind others, and keeps no slot for it', async () => {
    const pool = new LeasePool('cpu', 1, freshFolder());
    const cancel = new AbortController();
    let next: Promise<number[]> = Promise.resolve([]);
    await pool.withLease({ slots: 1, signal }, async () => {
      const first = pool.withLease({ slots: 1, signal }, () => Promise.resolve('had it'));
      const behind = pool.withLease({ slots: 1, signal: cancel.signal }, () => Promise.resolve('never'));
      next = pool.withLease({ slots: 1, signal }, (lease) => Promise.resolve(lease.slots));
      cancel.abort(new Error('enough'));
      await expect(behind).rejects.toThrow('enough');
      expect(await Promise.race([first, Promise.resolve('waits')])).toBe('waits');
    });
    expect(await next).toEqual([0]);
  });

  it('refuses at once where that is asked for, and counts what is free', async () => {
    const pool = new LeasePool('cpu', 4, freshFolder());
    const atOnce = (slots: number) => pool.withLease({ slots, signal, atOnce: true }, () => pool.freeSlots());
    let waits: Promise<void> = Promise.resolve();
    expect(await pool.freeSlots()).toBe(4);
    await pool.withLease({ slots: 2, signal }, async () => {
      expect(await pool.freeSlots()).toBe(2);
      await expect(atOnce(3)).rejects.toMatchObject({ code: 'NO_FREE_SLOTS' });
      expect(await atOnce(2)).toBe(0);
      waits = pool.withLease({ slots: 4, signal }, () => Promise.resolve());
      // who waits in the queue keeps nobody from what is free
      expect(await Promise.all([atOnce(1), atOnce(1)])).toHaveLength(2);
    });
    await waits;
    expect(await pool.freeSlots()).toBe(4);
  });

  it('refuses more slots than the host has', async () => {
    const pool = new LeasePool('cpu', 1, freshFolder());
    await expect(pool.withLease({ slots: 2, signal }, () => Promise.resolve())).rejects.toMatchObject({
      code: 'HOST_FAULT',
    });
    // one that came from the queue of its size goes to another host
    await expect(
      pool.withLease({ slots: 2, signal, atOnce: true }, () => Promise.resolve()),
    ).rejects.toMatchObject({ code: 'NO_FREE_SLOTS' });
  });

  it('counts the slots that are fit, held ones too', async () => {
    const unfit = (slot: number) => Promise.resolve(slot === 1 ? 'it is ill' : null);
    const pool = new LeasePool('gpu', 3, freshFolder(), { unfit });
    const counts = () => Promise.all([pool.freeSlots(), pool.fitSlots()]);
    expect(await pool.withLease({ slots: 1, signal }, counts)).toEqual([1, 2]);
  });

  it('waits for another process that holds the slot, and takes over when that is killed', async () => {
    const folder = join(freshFolder(), 'leases');
    const pool = new LeasePool('cpu', 1, folder);
    const { child, held } = keeper(folder);
    await held;
    const cancel = new AbortController();
    const onWait = (reason: string) => cancel.abort(new Error(reason));
    const tried = pool.withLease({ slots: 1, signal: cancel.signal, onWait }, () => Promise.resolve());
    await expect(tried).rejects.toThrow(`process ${child.pid}`);
    // stopped is not dead: a living holder is never overtaken
    child.kill('SIGSTOP');
    const another = new AbortController();
    const again = { slots: 1, signal: another.signal, onWait: () => another.abort(new Error('held')) };
    await expect(pool.withLease(again, () => Promise.resolve())).rejects.toThrow('held');
    expect(await expiredLeases(folder)).toEqual([]);
    child.kill('SIGKILL');
    await child;
    expect(await expiredLeases(folder)).toEqual([{ slot: 'cpu.0', pid: child.pid }]);
    expect(await pool.withLease({ slots: 1, signal }, (lease) => Promise.resolve(lease.slots))).toEqual([0]);
  });

  it('lets many processes of one host use a slot only one at a time', async () => {
    const folder = freshFolder();
    const code = `
      const { LeasePool } = await import(${JSON.stringify(MODULE)});
      const { mkdirSync, rmdirSync } = await import('node:fs');
      const pool = new LeasePool('cpu', 1, ${JSON.stringify(join(folder, 'leases'))});
      for (let i = 0; i < 40; i += 1)
        await pool.withLease({ slots: 1, signal: new AbortController().signal }, async () => {
          mkdirSync(${JSON.stringify(join(folder, 'inside'))});
          await new Promise((resolve) => setTimeout(resolve, 1));
          rmdirSync(${JSON.stringify(join(folder, 'inside'))});
        });`;
    const argv = ['--import', 'tsx', '--input-type=module', '-e', code];
    const runs = await Promise.all([1, 2, 3].map(() => execa(process.execPath, argv, { reject: false })));
    expect(runs.map((run) => [run.exitCode, run.stderr.slice(-500)])).toEqual([
      [0, ''],
      [0, ''],
      [0, ''],
    ]);
  });
});
