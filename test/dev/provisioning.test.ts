import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { provision, provisioned } from '../../src/dev/programs/cache.js';
import { serverEnvironment, withUtf8Names } from '../../src/dev/process/environment.js';
import { withLock } from '../../src/dev/process/lock.js';
import { survey } from '../../src/dev/survey/survey.js';
import { firstThatWorks, unlessRefused } from '../../src/dev/fallback-chain.js';

let cache: string;
const before = process.env['ASSAY_CACHE'];
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'assay-cache-'));
  process.env['ASSAY_CACHE'] = cache;
});
afterEach(async () => {
  if (before === undefined) delete process.env['ASSAY_CACHE'];
  else process.env['ASSAY_CACHE'] = before;
  await rm(cache, { recursive: true, force: true });
});

const fill = (folder: string): Promise<void> => writeFile(join(folder, 'program'), 'text');

it('two processes that provision at once end with one whole folder', async () => {
  const folders = await Promise.all([provision('p', {}, fill), provision('p', {}, fill)]);
  expect(new Set(folders).size).toBe(1);
  expect(await readdir(cache)).toEqual(['p']);
});

it('a program that changed after it was provisioned is not used', async () => {
  const folder = await provision('p', {}, fill);
  await writeFile(join(folder, 'program'), 'other');
  await expect(provisioned('p')).rejects.toThrow('expected');
});

it('a file without its pinned digest is never put into the cache', async () => {
  await expect(provision('p', { program: '0'.repeat(64) }, fill)).rejects.toThrow('expected');
  expect(await readdir(cache)).toEqual([]);
});

it('a download that was refused is not tried again at once', async () => {
  let tries = 0;
  const download = (): Promise<never> => {
    tries += 1;
    return Promise.reject(new Error('blocked'));
  };
  await expect(unlessRefused('d', download)).rejects.toThrow('blocked');
  await expect(unlessRefused('d', download)).rejects.toThrow('ASSAY_RETRY_DOWNLOADS=1');
  expect(tries).toBe(1);
});

it('the next way is tried when one fails, and every failure is kept', async () => {
  const failing = { name: 'first', remedy: 'r', find: () => Promise.reject(new Error('no')) };
  const working = { name: 'second', remedy: 'r', find: () => Promise.resolve('found') };
  const { found, misses } = await firstThatWorks<string>([failing, working], () => undefined);
  expect(found).toBe('found');
  expect(misses).toEqual([{ way: 'first', reason: 'no', remedy: 'r' }]);
});

it('the lock of a process that died is taken over, by one at a time', async () => {
  const file = join(cache, 'lock');
  await writeFile(file, JSON.stringify({ pid: 2 ** 22, start: 'long ago', token: 'dead' }));
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setTimeout(resolve, 5));
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 10 }, () => withLock(file, () => undefined, work)));
  expect(most).toBe(1);
});

it('no secret reaches the environment of a server', () => {
  const env = serverEnvironment('m', { PATH: '/bin', ANTHROPIC_API_KEY: 'k', TEMPORAL_API_KEY: 'k' });
  expect(env).toEqual({ PATH: '/bin', ASSAY_RUN: 'm' });
});

it.runIf(process.platform === 'linux')(
  'a server finds files by names that are not ASCII, in any locale',
  () => {
    for (const locale of [{}, { LC_ALL: 'C' }, { LANG: 'POSIX' }, { LC_ALL: 'C', LANG: 'de_DE.UTF-8' }])
      expect(withUtf8Names({ PATH: '/bin', ...locale })).toMatchObject({ LC_ALL: 'C.UTF-8' });
    for (const locale of [{ LANG: 'de_DE.UTF-8' }, { LC_ALL: 'en_US.utf8', LANG: 'C' }])
      expect(withUtf8Names(locale)).toEqual(locale);
  },
);

it('the survey never shows the key, and says when the tier that it finds cannot be noted', async () => {
  await writeFile(join(cache, 'isolation'), 'no folder');
  process.env['ANTHROPIC_API_KEY'] = 'very-secret-key';
  try {
    const findings = await survey({ home: join(cache, 'home') });
    expect(JSON.stringify(findings)).not.toContain('very-secret-key');
    expect(findings.find(({ part }) => part === 'Node')?.ok).toBe(true);
    expect(findings.find(({ part }) => part === 'Isolation')).toMatchObject({
      ok: false,
      found: expect.stringMatching(/^tier [B-E].*; it could not be noted \(E/) as string,
      remedy: expect.stringContaining('ASSAY_CACHE') as string,
    });
  } finally {
    delete process.env['ANTHROPIC_API_KEY'];
  }
});
