import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { DOING } from '../../src/domain/trial/doing.js';
import { HostTurn } from '../../src/sandbox/host/host-turn.js';
import { freshFolder } from './programs.js';

const MODULE = new URL('../../src/sandbox/host/host-turn.ts', import.meta.url).href;
const RUN = ['--import', 'tsx', '--input-type=module', '-e'];

function moment() {
  const controller = new AbortController();
  const came = once(controller.signal, 'abort');
  return { came, come: () => controller.abort() };
}

/** One request for a turn: its messages, and moments to wait for. */
function asker(turn: HostTurn, kind: 'beside' | 'alone', doing = 'working') {
  const told: string[] = [];
  const cancel = new AbortController();
  const [begun, finish, waits] = [moment(), moment(), moment()];
  const tell = (now: string): void => {
    told.push(now);
    if (now !== doing) waits.come();
  };
  const over = turn[kind]({ signal: cancel.signal, doing, tell }, async () => {
    begun.come();
    await finish.came;
  });
  over.catch(() => undefined);
  return { told, cancel, began: begun.came, waiting: waits.came, finish: finish.come, over };
}

/** Another worker process of this host that has a turn, or waits for one, until it is killed. */
async function keeper(folder: string, kind: 'beside' | 'alone', until = 'working') {
  const code = `
    const { HostTurn } = await import(${JSON.stringify(MODULE)});
    const asked = { signal: new AbortController().signal, doing: 'working', tell: (now) => console.log(now) };
    await new HostTurn(${JSON.stringify(folder)}).${kind}(asked, () => new Promise((resolve) => process.stdin.once('data', resolve)));`;
  const child = execa(process.execPath, [...RUN, code], { reject: false });
  await new Promise<void>((resolve) =>
    child.stdout.on('data', (chunk: Buffer) => (chunk.toString().includes(until) ? resolve() : undefined)),
  );
  return {
    stop: () => child.kill('SIGSTOP'),
    kill: async () => {
      child.kill('SIGKILL');
      await child;
    },
  };
}

async function expectEmpty(folder: string): Promise<void> {
  for (const kind of ['alone', 'beside']) expect(await readdir(join(folder, kind))).toEqual([]);
}

describe('HostTurn', () => {
  it('lets many run beside each other, and one alone', async () => {
    const folder = freshFolder();
    const turn = new HostTurn(folder);
    const [one, two] = [asker(turn, 'beside'), asker(turn, 'beside')];
    await Promise.all([one.began, two.began]);
    expect([one.told, two.told]).toEqual([['working'], ['working']]);
    const alone = asker(turn, 'alone');
    await alone.waiting;
    one.finish();
    await one.over;
    expect(alone.told).toEqual([DOING.waitsToBeAlone]);
    two.finish();
    await alone.began;
    alone.finish();
    await alone.over;
    expect(alone.told).toEqual([DOING.waitsToBeAlone, 'working']);
    await expectEmpty(folder);
  });

  it('has those who come queue behind one that waits to be alone, so that it does not starve', async () => {
    const turn = new HostTurn(freshFolder());
    const first = asker(turn, 'beside');
    await first.began;
    const alone = asker(turn, 'alone');
    await alone.waiting;
    const later = Array.from({ length: 5 }, () => asker(turn, 'beside'));
    const another = asker(turn, 'alone');
    await Promise.all([...later, another].map(({ waiting }) => waiting));
    expect([...later, another].map(({ told }) => told)).toEqual(
      Array.from({ length: 6 }, () => [DOING.waitsForAlone]),
    );
    first.finish();
    await alone.began;
    alone.finish();
    await another.began;
    expect(later.every(({ told }) => told.length === 1)).toBe(true);
    another.finish();
    await Promise.all(later.map(({ began }) => began));
    for (const each of later) each.finish();
    await Promise.all(later.map(({ over }) => over));
  });

  it('is left by who is aborted while it waits, and by work that fails', async () => {
    const folder = freshFolder();
    const turn = new HostTurn(folder);
    const first = asker(turn, 'beside');
    await first.began;
    const alone = asker(turn, 'alone');
    await alone.waiting;
    const behind = asker(turn, 'alone');
    const beside = asker(turn, 'beside');
    await Promise.all([behind.waiting, beside.waiting]);
    for (const each of [behind, alone]) each.cancel.abort(new Error('enough'));
    for (const each of [behind, alone]) await expect(each.over).rejects.toThrow('enough');
    await beside.began;
    beside.finish();
    first.finish();
    const signal = new AbortController().signal;
    const asked = { signal, doing: 'working', tell: () => undefined };
    for (const kind of ['beside', 'alone'] as const)
      await expect(turn[kind](asked, () => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    const held = asker(turn, 'alone');
    await held.began;
    const waiting = asker(turn, 'beside');
    await waiting.waiting;
    waiting.cancel.abort(new Error('enough'));
    await expect(waiting.over).rejects.toThrow('enough');
    held.finish();
    await held.over;
    await expectEmpty(folder);
  });

  it('is refused to work that has one, which could wait for itself', async () => {
    const turn = new HostTurn(freshFolder());
    const asked = { signal: new AbortController().signal, doing: 'working', tell: () => undefined };
    const nothing = () => Promise.resolve();
    for (const [outer, inner] of [
      ['beside', 'beside'],
      ['beside', 'alone'],
      ['alone', 'beside'],
      ['alone', 'alone'],
    ] as const)
      await expect(turn[outer](asked, () => turn[inner](asked, nothing))).rejects.toMatchObject({
        code: 'INTERNAL',
      });
    await turn.alone(asked, nothing);
  });

  it('waits for a process that lives, also one that is stopped, and has the turn of one that was killed', async () => {
    const folder = freshFolder();
    const turn = new HostTurn(folder);
    const beside = await keeper(folder, 'beside');
    const alone = asker(turn, 'alone');
    await alone.waiting;
    beside.stop();
    expect(alone.told).toEqual([DOING.waitsToBeAlone]);
    await beside.kill();
    await alone.began;
    alone.finish();
    await alone.over;

    const holder = await keeper(folder, 'alone');
    const waiting = asker(turn, 'beside');
    await waiting.waiting;
    holder.stop();
    expect(waiting.told).toEqual([DOING.waitsForAlone]);
    await holder.kill();
    await waiting.began;

    // one that was killed while it waited to be alone keeps no other process waiting either
    const waiter = await keeper(folder, 'alone', DOING.waitsToBeAlone);
    const late = asker(turn, 'beside');
    await late.waiting;
    await waiter.kill();
    await late.began;
    for (const each of [waiting, late]) each.finish();
    await Promise.all([waiting.over, late.over]);
  });

  it('never lets anything run beside one alone, whichever processes ask', async () => {
    const folder = freshFolder();
    const code = `
      const { HostTurn } = await import(${JSON.stringify(MODULE)});
      const { mkdirSync, readdirSync, rmdirSync } = await import('node:fs');
      const folder = ${JSON.stringify(folder)};
      const turn = new HostTurn(folder + '/turn');
      const inside = folder + '/inside';
      mkdirSync(inside, { recursive: true });
      const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      const asked = { signal: new AbortController().signal, doing: '', tell: () => undefined };
      const work = async (kind, name) => {
        for (let i = 0; i < 12; i += 1)
          await turn[kind](asked, async () => {
            mkdirSync(inside + '/' + name);
            const others = readdirSync(inside).filter((other) => other !== name);
            if (kind === 'alone' ? others.length > 0 : others.some((other) => other.startsWith('alone')))
              throw new Error(name + ' beside ' + others);
            await wait(Math.random() * 4);
            rmdirSync(inside + '/' + name);
          });
      };
      const own = process.pid;
      await Promise.all([work('beside', 'beside-a-' + own), work('beside', 'beside-b-' + own), work('alone', 'alone-' + own)]);`;
    const runs = await Promise.all(
      [1, 2, 3].map(() => execa(process.execPath, [...RUN, code], { reject: false })),
    );
    expect(runs.map((run) => [run.exitCode, run.stderr.slice(-500)])).toEqual(runs.map(() => [0, '']));
  }, 120_000);
});
