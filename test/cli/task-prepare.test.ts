import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { runHere } from '../bad-input/assay.js';
import { prepareLine } from '../../src/cli/render/prepare.js';
import { TINY } from '../fixtures/tiny.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-prepare-'));
  await cp(TINY, join(folder, 'task'), { recursive: true });
  const text = await readFile(join(TINY, 'task.yaml'), 'utf8');
  await writeFile(
    join(folder, 'task', 'task.yaml'),
    `${text}data: { prepare: prepare.py, train: train/, search: search/ }\nprofiles: { ci: { env: { SIZE: small } } }\n`,
  );
  await writeFile(
    join(folder, 'task', 'prepare.py'),
    `
import os, pathlib
from assay_prepare import download, write_manifest
output = pathlib.Path(os.environ["ASSAY_OUTPUT"])
for part in ("train", "search"):
    download("https://example.invalid/" + os.environ["ASSAY_PROFILE"] + "/points.bin", output / part / "points.bin")
write_manifest(output)
`,
  );
  for (const [profile, content] of [
    ['ci', 'few'],
    ['default', 'all of them'],
  ] as const) {
    await mkdir(join(folder, 'mirror', 'example.invalid', profile), { recursive: true });
    await writeFile(join(folder, 'mirror', 'example.invalid', profile, 'points.bin'), content);
  }
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const prepare = (...args: string[]) =>
  runHere(['task', 'prepare', join(folder, 'task'), ...args], {
    ASSAY_MONGODB_URL: inject('storeUrl'),
    ASSAY_MONGODB_DATABASE: `prepare_${process.pid}`,
    ASSAY_HOME: join(folder, 'home'),
    ASSAY_MIRROR: join(folder, 'mirror'),
  });

it('task prepare brings the data of each profile for itself, and tells how far it is', async () => {
  const first = await prepare('--profile', 'ci', '--json');
  const lines = first.stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(lines[0], first.stderr).toMatchObject({
    schema: 'assay.prepare-progress/1',
    file: 'points.bin',
    bytes: 3,
    total: 3,
    done: true,
  });
  expect(lines.at(-1)).toMatchObject({ schema: 'assay.prepared/1', task: 'tiny', profile: 'ci' });
  const usual = await prepare();
  expect(usual.stdout, usual.stderr).toMatch(
    /^tiny, profile default \([0-9a-f]{12}\) is prepared: Python 3\.\S+, data [0-9a-f]{12}\n$/,
  );
  expect(usual.stderr).toMatch(/points\.bin 11 bytes/);
  const parts = (await readdir(join(folder, 'home', 'prepared'))).sort();
  expect(parts).toHaveLength(2);
  const held = await Promise.all(
    parts.map((part) => readFile(join(folder, 'home', 'prepared', part, 'train', 'points.bin'), 'utf8')),
  );
  expect(held.sort()).toEqual(['all of them', 'few']);
  // what is prepared is not prepared again
  expect((await prepare('--profile', 'ci', '--json')).stdout.trim().split('\n')).toHaveLength(1);
});

it('a file in a line has its share, its speed and what happened', () => {
  const progress = {
    file: 'train.bin',
    bytes: 3 * 2 ** 20,
    total: 12 * 2 ** 20,
    done: false,
    perSecond: 2 ** 20,
  };
  expect(prepareLine(progress)).toMatch(
    /^train\.bin 3\.\d* M\S+ of 1\d\.?\d* M\S+ \(25 %\), 1\.\d* M\S+\/s$/,
  );
  expect(prepareLine({ ...progress, total: null, note: 'continued after: reset' })).toMatch(
    /; continued after: reset$/,
  );
});
