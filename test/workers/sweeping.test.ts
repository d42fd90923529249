import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openWorkerFolder } from '../../src/sandbox/host/worker-folders.js';
import { keepSweeping } from '../../workers/sweeping.js';

let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'assay-sweeping-'));
});
afterAll(() => rm(work, { recursive: true, force: true }));

it('removes what a worker leaves that dies while this one runs, again and again, and never its own', async () => {
  const own = await openWorkerFolder(work);
  const stop = keepSweeping(work, { sweep: () => Promise.resolve([]) }, 20);
  for (const name of ['4194303-1', '4194302-1']) {
    const dead = join(work, name);
    await mkdir(dead);
    while (existsSync(dead)) await sleep(20);
  }
  await stop();
  expect(existsSync(own.folder)).toBe(true);
  await mkdir(join(work, '4194301-1'));
  await sleep(100);
  expect(existsSync(join(work, '4194301-1'))).toBe(true);
});
