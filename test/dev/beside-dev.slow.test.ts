import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startOf } from '../../src/sandbox/process/process-table.js';
import { TINY } from '../fixtures/tiny.js';
import { NOTHING, TestHome, until, type Running } from '../shutdown/command.js';

/** Commands that start processes by the dozen, on a machine that may be busy. */
const LONG = 600_000;

let home: TestHome;
let recipe: string;
beforeEach(async () => {
  home = await TestHome.open();
  recipe = await mkdtemp(join(tmpdir(), 'assay-slow-'));
  await cp(join(TINY, 'recipe'), recipe, { recursive: true });
  await trainsFor(0.1);
});
afterEach(async () => {
  await home.remove();
  await rm(recipe, { recursive: true, force: true });
});

/** Makes the recipe train for so many seconds. */
async function trainsFor(seconds: number): Promise<void> {
  const file = join(recipe, 'train.py');
  await writeFile(
    file,
    (await readFile(file, 'utf8')).replace(/SLEEP = [\d.]+/, `SLEEP = ${seconds.toFixed(1)}`),
  );
}

const submission = (...more: string[]): string[] => [
  ...['submit', '--task', TINY, '--recipe', recipe],
  ...['--hypothesis', 'h', '--train-seconds', '30', ...more],
];

/** Runs a command to its end, which has to be a good one. */
async function done(args: readonly string[], env: Record<string, string> = {}): Promise<Running> {
  const command = home.run(args, env);
  expect(await command.ended, `${args.join(' ')}: ${command.said}`).toMatchObject({ code: 0 });
  return command;
}

/** Starts dev and waits for its workers. */
async function dev(env: Record<string, string> = {}): Promise<Running> {
  const command = home.run(['dev', '--slots', '1'], env);
  await command.says('workers:');
  return command;
}

async function stopped(command: Running): Promise<void> {
  command.press();
  expect(await command.ended, command.said).toMatchObject({ code: 130 });
}

/** Pids of the servers, both of which run. */
async function servers(): Promise<{ temporal: number; store: number }> {
  const { temporal, store } = await home.servers();
  if (temporal === null || store === null) throw new Error('a server is not recorded as running');
  expect([await startOf(temporal), await startOf(store)]).not.toContain(null);
  return { temporal, store };
}

describe('beside a command that began the servers', () => {
  it(
    'another uses them to its end, and the last one stops them',
    async () => {
      await trainsFor(15);
      const submit = home.run(submission('--wait'));
      await submit.says('campaign submit');
      const begun = await servers();
      const first = await dev();
      expect(await submit.ended, submit.said).toMatchObject({ code: 0 });
      expect(await servers()).toEqual(begun);
      await trainsFor(0.1);
      await done(submission('--wait'));
      const second = await dev();
      await stopped(first);
      expect(first.said).toContain(`servers stay for the commands that use them: process ${second.pid}`);
      expect(await servers()).toEqual(begun);
      await done(submission('--wait'));
      await stopped(second);
      expect(await home.left()).toEqual(NOTHING);
    },
    LONG,
  );

  it(
    'short commands and a demo leave them to dev',
    async () => {
      await trainsFor(20);
      const first = await dev();
      const begun = await servers();
      await done(submission());
      const campaign = 'submit';
      await done(['status']);
      await done(['pause', campaign]);
      await done(['status', campaign]);
      await done(['resume', campaign]);
      await done(['demo', '--trials', '1', '--train-seconds', '1', '--claim-runs', '0']);
      await done(['trials', campaign]);
      await done(['watch', campaign]);
      await done(['audit']);
      expect(await servers()).toEqual(begun);
      await stopped(first);
      expect(await home.left()).toEqual(NOTHING);
    },
    LONG,
  );
});

describe('a server that dev uses', () => {
  it(
    'is not ended by another command when it does not answer for a while',
    async () => {
      const first = await dev();
      const begun = await servers();
      process.kill(begun.store, 'SIGSTOP');
      const refused = home.run(['status']);
      expect(await refused.ended, refused.said).toMatchObject({ code: 3 });
      expect(refused.said).toContain(`(process ${begun.store}) did not answer for 30 s and is left alone`);
      await first.says(`the store (process ${begun.store}) does not answer`);
      process.kill(begun.temporal, 'SIGSTOP');
      const slow = home.run(submission('--wait'));
      await slow.says('slow to answer');
      for (const pid of [begun.store, begun.temporal]) process.kill(pid, 'SIGCONT');
      expect(await slow.ended, slow.said).toMatchObject({ code: 0 });
      await first.says('the store answers again');
      expect(await servers()).toEqual(begun);
      await stopped(first);
      expect(await home.left()).toEqual(NOTHING);
    },
    LONG,
  );

  it(
    'comes back within seconds after it was killed, and what waits for it continues',
    async () => {
      await trainsFor(15);
      const first = await dev();
      const submit = home.run(submission('--wait'));
      await submit.says('campaign submit');
      const begun = await servers();
      for (const pid of [begun.temporal, begun.store]) process.kill(-pid, 'SIGKILL');
      await until('new servers', async () => {
        const now = await home.servers();
        return (now.temporal !== begun.temporal && now.store !== begun.store) || null;
      });
      expect(await submit.ended, submit.said).toMatchObject({ code: 0 });
      expect(`${first.said}${submit.said}`).toContain('has ended: it is started again on the same data');
      expect(submit.said).not.toContain('the workers that were here have ended');
      await trainsFor(0.1);
      await done(submission('--wait'));
      await stopped(first);
      expect(await home.left()).toEqual(NOTHING);
    },
    LONG,
  );

  it(
    'is reached whatever proxies the environment names',
    async () => {
      const names = ['http_proxy', 'https_proxy', 'grpc_proxy', 'all_proxy'];
      const dead = 'http://127.0.0.1:9';
      const env = Object.fromEntries(
        names.flatMap((name) => [
          [name, dead],
          [name.toUpperCase(), dead],
        ]),
      );
      const proxied = { ...env, no_proxy: '', NO_PROXY: '', NODE_USE_ENV_PROXY: '1' };
      const first = await dev(proxied);
      const begun = await servers();
      await done(submission('--wait'), proxied);
      await done(['status', 'submit'], proxied);
      await done(['demo', '--trials', '1', '--train-seconds', '1', '--claim-runs', '0'], proxied);
      expect(await servers()).toEqual(begun);
      await stopped(first);
      expect(await home.left()).toEqual(NOTHING);
    },
    LONG,
  );
});
