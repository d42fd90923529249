import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withLock } from '../../src/dev/process/lock.js';
import { homeAt } from '../../src/dev/paths.js';
import { TINY } from '../fixtures/tiny.js';
import { NOTHING, TestHome, until, type Running } from './command.js';

/** An end bounds itself at 20 s; one that hangs, or waits for a training of 50 s, takes longer than this. */
const ORDERLY_MS = 30_000;
/** An end in order gives the work of workers 8 s, of which a second press finds more than this left. */
const AT_ONCE_MS = 5000;

let home: TestHome;
beforeEach(async () => {
  home = await TestHome.open();
});
afterEach(() => home.remove());

/** Ends the command; returns how it ended, and after how many milliseconds of `send`. */
async function end(command: Running, send: () => void) {
  const at = performance.now();
  send();
  const { code, signal, atMs } = await command.ended;
  return { code, signal, afterMs: atMs - at };
}

const training = (): Promise<true> =>
  until('a training', () => home.runs().some(({ what }) => what.endsWith('/train')) || null, 120);

describe('a demo that npm runs, interrupted from the terminal in mid-training', () => {
  it('ends once, in order, leaves nothing, says how to continue, and dev finishes it', async () => {
    const demo = home.type(['npm', 'run', 'demo', '--', '--trials', '1', '--train-seconds', '8']);
    await training();
    const ended = await end(demo, () => demo.press());
    expect(ended.afterMs).toBeLessThan(ORDERLY_MS);
    expect(ended.code ?? ended.signal).toSatisfy((how) => how === 130 || how === 'SIGINT');
    expect(demo.said).toContain('draining');
    expect(demo.said).toContain('campaign demo is kept; `npx assay dev` resumes it');
    expect(demo.said).not.toContain('at once: asked twice');
    expect(await home.left()).toEqual(NOTHING);

    const dev = home.run(['dev']);
    await dev.says('workers:');
    const watch = home.run(['watch', 'demo']);
    expect(await watch.ended, watch.said).toMatchObject({ code: 0 });
    const stopped = await end(dev, () => dev.signal('SIGTERM'));
    expect(stopped.code).toBe(143);
    expect(stopped.afterMs).toBeLessThan(ORDERLY_MS);
    expect(await home.left()).toEqual(NOTHING);
  }, 240_000);
});

describe('workers in mid-training', () => {
  let recipe: string;
  beforeEach(async () => {
    recipe = await mkdtemp(join(tmpdir(), 'assay-slow-'));
    await cp(join(TINY, 'recipe'), recipe, { recursive: true });
    const file = join(recipe, 'train.py');
    await writeFile(file, (await readFile(file, 'utf8')).replace('SLEEP = 0.0', 'SLEEP = 50.0'));
  });
  afterEach(() => rm(recipe, { recursive: true, force: true }));

  it('let go of their work on SIGTERM; killed by a second Ctrl-C they leave nothing; servers that hang do not delay an end', async () => {
    const worker = home.run(['worker', '--slots', '1']);
    await worker.says('workers:');
    const submit = home.run([
      ...['submit', '--task', TINY, '--recipe', recipe],
      ...['--hypothesis', 'slow', '--train-seconds', '55'],
    ]);
    expect(await submit.ended, submit.said).toMatchObject({ code: 0 });
    const slow = (): Promise<true> =>
      until('the slow training', async () => {
        await sleep(1000);
        return home.runs().some(({ what }) => what.endsWith('/train')) || null;
      });
    await slow();
    const drained = await end(worker, () => worker.signal('SIGTERM'));
    expect(drained.code).toBe(143);
    expect(drained.afterMs).toBeLessThan(ORDERLY_MS);
    expect(worker.said).toContain('taken up by the next worker');
    expect(worker.said).not.toContain('ERROR');
    expect(await home.left()).toEqual(NOTHING);

    // the heartbeat of the attempt that was let go would time out after two minutes only
    const dev = home.run(['dev', '--slots', '1']);
    await slow();
    dev.press();
    await dev.says('draining');
    await sleep(600);
    const killed = await end(dev, () => dev.press());
    expect(killed.code).toBe(130);
    expect(killed.afterMs).toBeLessThan(AT_ONCE_MS);
    expect(dev.said).toContain('at once: asked twice');
    expect(await home.left()).toEqual(NOTHING);

    const hung = home.run(['dev', '--slots', '1']);
    await hung.says('workers:');
    const { temporal, store } = await home.servers();
    for (const pid of [temporal, store]) process.kill(pid ?? Number.NaN, 'SIGSTOP');
    const late = await end(hung, () => hung.press());
    expect(late.code).toBe(130);
    expect(late.afterMs).toBeLessThan(ORDERLY_MS);
    expect(hung.said).toContain('did not end in time and was killed');
    expect(await home.left()).toEqual(NOTHING);
  }, 240_000);
});

describe('an interrupt while dev starts', () => {
  it.each([
    ['as the servers start', 'starting ', 'SIGINT', 130],
    ['as the workers start', 'UI http', 'SIGTERM', 143],
    ['as its terminal goes away', 'workers:', 'SIGHUP', 129],
  ] as const)('%s leaves nothing', async (_when, words, signal, code) => {
    const dev = home.run(['dev']);
    await dev.says(words);
    if (signal === 'SIGHUP') dev.hangUp();
    const ended = await end(dev, () => dev.press(signal));
    expect(ended.code, dev.said).toBe(code);
    expect(ended.afterMs).toBeLessThan(ORDERLY_MS);
    expect(await home.left()).toEqual(NOTHING);
  });

  it('ends its wait for another command', async () => {
    const { lock } = homeAt(home.folder);
    await withLock(
      lock,
      () => undefined,
      async () => {
        const dev = home.run(['dev']);
        await dev.says('waiting for another assay command');
        const ended = await end(dev, () => dev.press());
        expect(ended.code, dev.said).toBe(130);
        expect(dev.said).toContain('the same command begins again');
        expect(home.processes()).toEqual([]);
      },
    );
    expect(await home.left()).toEqual(NOTHING);
  });
});
