import { describe, expect, it } from 'vitest';
import { UNSIZED } from '../../src/devices/admitted.js';
import { AssayError, type ErrorCode } from '../../src/domain/errors.js';
import type { DrainDocument } from '../../src/lineage/documents/drain.js';
import { arrived } from '../../src/measure/arrive.js';
import type { Backlog } from '../../workers/backlog.js';
import { DrainNotes } from '../../workers/drain-notes.js';
import { Gate } from '../../workers/gate.js';
import { SizeAdmission } from '../../workers/size-admission.js';

/** A host without servers, whose clock and backlog the test sets. */
function hostOf(capacity: number) {
  const world = {
    nowMs: 0,
    free: capacity,
    fit: capacity,
    waiting: new Map<number, Backlog>(),
    isAway: false,
    notes: new Map<string, number>(),
  };
  const drains = {
    renew: (_: string, host: string, size: number) => Promise.resolve(void world.notes.set(host, size)),
    end: (_: string, host: string) => Promise.resolve(void world.notes.delete(host)),
    list: () => Promise.resolve<DrainDocument[]>([]),
  };
  const admission = new SizeAdmission({
    pool: 'gpu',
    leases: {
      capacity,
      freeSlots: () => Promise.resolve(world.free),
      fitSlots: () => Promise.resolve(world.fit),
    },
    notes: new DrainNotes(drains, 'gpu', 'host-a'),
    gate: new Gate(),
    backlog: (size) =>
      world.isAway
        ? Promise.reject(new Error('the server is away'))
        : Promise.resolve(world.waiting.get(size) ?? { count: 0, oldestS: 0 }),
    clock: () => world.nowMs,
  });
  /** Sizes that it asks for after a look at a moment. */
  const asksAt = async (seconds: number): Promise<number[]> => {
    world.nowMs = seconds * 1000;
    await admission.look();
    return admission.sizes.filter((size) => admission.asking(size).mayAsk());
  };
  return { world, admission, asksAt };
}
const old: Backlog = { count: 1, oldestS: 500 };

describe('a host leaves a size to others', () => {
  it('while it has fewer fit slots than a request of it takes', async () => {
    const { world, admission, asksAt } = hostOf(8);
    Object.assign(world, { free: 3, fit: 7 });
    world.waiting.set(8, old);
    expect(await asksAt(0)).toEqual([1, 2]);
    expect(world.notes.size).toBe(0);
    world.fit = 8;
    expect(await asksAt(1)).toEqual([]);
    expect(admission.draining).toBe(8);
  });

  it('after a request that needed more slots than it has', async () => {
    const { world, admission, asksAt } = hostOf(6);
    world.waiting.set(8, old);
    expect(await asksAt(0)).toEqual([8]);
    const large = await admission.arrive(8);
    large.wants(8);
    large.ended();
    expect(await asksAt(1)).toEqual([1, 2, 4]);
    // a later one may take five
    expect(await asksAt(61)).toEqual([8]);
  });

  it('after requests that it had to refuse, longer each time, until it has served one', async () => {
    const { world, admission, asksAt } = hostOf(8);
    const came = async (end: 'refused' | 'leased'): Promise<void> => {
      const request = await admission.arrive(8);
      request[end]();
      request.ended();
    };
    world.waiting.set(8, old);
    const asksFor8 = async (seconds: number) => (await asksAt(seconds)).includes(8);
    expect(await asksFor8(0)).toBe(true);
    await came('refused');
    world.free = 4;
    expect(await asksAt(59)).toEqual([1, 2, 4]);
    expect([admission.draining, world.notes.size]).toEqual([null, 0]);
    world.free = 8;
    expect(await asksFor8(60)).toBe(true);
    await came('refused');
    expect([await asksFor8(179), await asksFor8(180)]).toEqual([false, true]);
    await came('leased');
    expect(await asksFor8(181)).toBe(true);
    await came('refused');
    expect([await asksFor8(240), await asksFor8(241)]).toEqual([false, true]);
  });

  it.each<[ErrorCode, boolean]>([
    ['HOST_CLASS_DIFFERS', true],
    ['ISOLATION_TOO_WEAK', true],
    ['NO_FREE_SLOTS', false],
    ['HOST_FAULT', false],
  ])('after a request that ended with %s: %s', async (code, isLeft) => {
    const { admission, asksAt } = hostOf(8);
    await asksAt(0);
    const work = () => Promise.reject(new AssayError(code, 'not here'));
    await expect(arrived({ admitted: UNSIZED }, () => admission.arrive(8), work)).rejects.toMatchObject({
      code,
    });
    expect(!(await asksAt(1)).includes(8)).toBe(isLeft);
  });

  it('but not requests of one slot, for which no host drains', async () => {
    const { admission, asksAt } = hostOf(1);
    await asksAt(0);
    const request = await admission.arrive(1);
    request.refused();
    request.ended();
    expect(await asksAt(1)).toEqual([1]);
  });
});

it('asks for nothing while a request of its own queue waits for slots, and lets nothing pass it', async () => {
  const { world, admission, asksAt } = hostOf(8);
  world.free = 4;
  const own = admission.arriveHere();
  // it may need no slots at all
  expect(await asksAt(1)).toEqual([1, 2, 4]);
  own.wants(8);
  expect(await asksAt(3600)).toEqual([]);
  await expect(admission.arrive(1)).rejects.toMatchObject({ code: 'NO_FREE_SLOTS' });
  world.free = 0;
  own.leased();
  world.free = 8;
  own.ended();
  expect(await asksAt(3601)).toEqual([1, 2, 4, 8]);
});

it('gives released slots to the next request before the first has stored what it measured', async () => {
  const { world, admission, asksAt } = hostOf(8);
  world.waiting.set(8, old);
  expect(await asksAt(0)).toEqual([8]);
  const first = await admission.arrive(8);
  first.wants(8);
  world.free = 0;
  first.leased();
  expect(await asksAt(1)).toEqual([]);
  world.free = 8;
  first.released();
  await expect.poll(() => admission.asking(8).mayAsk()).toBe(true);
  (await admission.arrive(8)).ended();
  first.ended();
});

it('keeps slots for a request that is prepared on it for some seconds only', async () => {
  const { admission, asksAt } = hostOf(8);
  await asksAt(0);
  const slow = await admission.arrive(8);
  expect(await asksAt(9)).toEqual([]);
  expect(await asksAt(10)).toEqual([1, 2, 4, 8]);
  slow.wants(8);
  expect(await asksAt(19)).toEqual([]);
  expect(await asksAt(20)).toEqual([1, 2, 4, 8]);
});

it('goes on draining while the server fails to answer for some seconds', async () => {
  const { world, admission, asksAt } = hostOf(8);
  world.free = 4;
  world.waiting.set(8, old);
  expect(await asksAt(0)).toEqual([]);
  world.isAway = true;
  expect(await asksAt(14)).toEqual([]);
  expect(admission.draining).toBe(8);
  // then everything that fits is asked for
  expect(await asksAt(15)).toEqual([1, 2, 4]);
});
