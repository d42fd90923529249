import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { diskUse } from '../../src/sandbox/host/disk-use.js';
import { freshFolder } from './programs.js';
import { lacks } from '../lacks.js';

const MB = 1024 * 1024;

it('counts files whose names are no UTF-8', async () => {
  const folder = freshFolder();
  const closed = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])]);
  mkdirSync(closed);
  writeFileSync(Buffer.concat([closed, Buffer.from('/x')]), Buffer.alloc(3 * MB, 1));
  const { bytes, largest } = await diskUse([folder]);
  expect(bytes).toBeGreaterThanOrEqual(3 * MB);
  expect(largest).toBe(3 * MB);
});

const isRoot = lacks(process.getuid?.() === 0, 'a folder that is closed to its own user: root may read it');
it.skipIf(isRoot)('takes a folder that is closed to its own user for too much', async () => {
  const folder = freshFolder();
  mkdirSync(join(folder, 'closed'));
  chmodSync(join(folder, 'closed'), 0o000);
  expect((await diskUse([folder])).bytes).toBe(Number.MAX_SAFE_INTEGER);
});
