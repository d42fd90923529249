import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lacks } from '../lacks.js';
import { until } from '../workflows/world.js';
import { shellBlocks } from './page.js';
import { plainUser, type PlainUser } from './plain-user.js';

const PAGE = new URL('../../docs/tasks.md', import.meta.url);
const WORKERS = /^workers: /m;

let user: PlainUser;
const beside: ReturnType<PlainUser['shell']>[] = [];
beforeAll(async () => {
  user = await plainUser();
}, 600_000);
afterAll(async () => {
  for (const running of beside) await end(running);
  await user.remove();
}, 120_000);

/** Ends commands as Ctrl-C in their terminal does. */
async function end(running: ReturnType<PlainUser['shell']>): Promise<number | undefined> {
  if (running.pid !== undefined && running.exitCode === null) process.kill(-running.pid, 'SIGINT');
  return (await running).exitCode;
}

/** Runs a block beside the others, once its workers run. */
async function besideThem(text: string): Promise<void> {
  const running = user.shell(text);
  beside.push(running);
  let said = '';
  running.all.on('data', (chunk: Buffer) => (said += chunk.toString()));
  let over = false;
  void running.finally(() => (over = true));
  await until('the workers of `assay dev`', () => {
    if (over) throw new Error(`it ended: ${said}`);
    return Promise.resolve(WORKERS.test(said) ? said : null);
  }).catch((error: unknown) => {
    throw new Error(`it said: ${said}`, { cause: error });
  });
}

const compiles = existsSync('/usr/bin/cc');

it(
  'a newcomer who follows docs/tasks.md comes to a campaign in each language',
  { timeout: 1_500_000 },
  async () => {
    const blocks = shellBlocks(await readFile(PAGE, 'utf8'));
    const names = ['first', 'second', 'third', 'fourth'];
    expect(
      blocks.filter(({ text }) => names.some((name) => text.includes(`./${name}`))).length,
    ).toBeGreaterThan(5);
    for (const { beside: isBeside, text } of blocks) {
      if (text.includes('second') && lacks(!compiles, 'there is no C compiler')) continue;
      if (isBeside) {
        await besideThem(text);
        continue;
      }
      const { exitCode, all } = await user.shell(text);
      expect(exitCode, `${text}\n${all}`).toBe(0);
      if (text.includes('task check')) expect(all).toMatch(/^noise +about /m);
    }
    for (const name of names) {
      if (name === 'second' && !compiles) continue;
      const readme = await readFile(join(user.clone, `${name}-best`, 'README.md'), 'utf8');
      expect(readme).toContain(`task \`${name}\``);
      expect(readme).toContain('## What is claimed');
      expect(existsSync(join(user.clone, `${name}-best`, 'artifact', 'weights.json'))).toBe(true);
    }
  },
);
