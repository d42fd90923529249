import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/domain/digest.js';
import { removeTree } from '../../src/sandbox/remove.js';
import { seal, sealTo } from '../../src/sandbox/seal.js';
import { freshFolder } from './programs.js';

const LIMITS = { maxBytes: 1_000_000, maxFiles: 10 };

describe('seal', () => {
  it('copies what it digests, read-only, and the digest names the content alone', async () => {
    const [folder, again] = [freshFolder(), freshFolder()];
    for (const root of [folder, again]) {
      mkdirSync(join(root, 'deep'));
      writeFileSync(join(root, 'deep', 'b.bin'), Buffer.alloc(300_000, 7));
      writeFileSync(join(root, 'a'), 'hello');
      writeFileSync(join(root, 'empty'), '');
    }
    const target = join(freshFolder(), 'sealed');
    const sealed = await sealTo(folder, target, LIMITS);
    expect(sealed.files.map((file) => file.path)).toEqual(['a', 'deep/b.bin', 'empty']);
    expect(sealed.bytes).toBe(300_005);
    expect(sealed.files[0]?.sha256).toBe(sha256('hello'));
    expect(readFileSync(join(target, 'deep/b.bin'))).toEqual(Buffer.alloc(300_000, 7));
    expect(statSync(join(target, 'a')).mode & 0o222).toBe(0);
    expect(await seal(again, LIMITS)).toEqual(sealed);
    writeFileSync(join(again, 'a'), 'hellp');
    expect((await seal(again, LIMITS)).digest).not.toBe(sealed.digest);
  });

  const outside = freshFolder();
  writeFileSync(join(outside, 'labels'), 'labels');

  const refused: [string, string, (folder: string) => unknown][] = [
    ['a missing folder', 'missing', (folder) => rmSync(folder, { recursive: true })],
    [
      'a file in place of the folder',
      'irregular',
      (folder) => {
        rmSync(folder, { recursive: true });
        writeFileSync(folder, '');
      },
    ],
    [
      'a link in place of the folder',
      'irregular',
      (folder) => {
        rmSync(folder, { recursive: true });
        symlinkSync(outside, folder);
      },
    ],
    ['a link to outside', 'outside', (folder) => symlinkSync(join(outside, 'labels'), join(folder, 'model'))],
    ['a link to a folder outside', 'outside', (folder) => symlinkSync(outside, join(folder, 'model'))],
    [
      'a link inside',
      'irregular',
      (folder) => {
        writeFileSync(join(folder, 'x'), '');
        symlinkSync('x', join(folder, 'y'));
      },
    ],
    ['a dangling link', 'irregular', (folder) => symlinkSync('/nowhere', join(folder, 'model'))],
    [
      'a hard link to outside',
      'outside',
      (folder) => linkSync(join(outside, 'labels'), join(folder, 'model')),
    ],
    ['a FIFO', 'irregular', (folder) => execFileSync('mkfifo', [join(folder, 'pipe')])],
    [
      'a sparse bomb',
      'irregular',
      (folder) => {
        writeFileSync(join(folder, 'm'), '');
        truncateSync(join(folder, 'm'), 2 ** 40);
      },
    ],
    ['a control character in a name', 'irregular', (folder) => writeFileSync(join(folder, 'a\nb'), '')],
    [
      'a name that is no UTF-8',
      'irregular',
      (folder) => writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff])]), ''),
    ],
    ['too many bytes', 'too_large', (folder) => writeFileSync(join(folder, 'm'), Buffer.alloc(1_000_001))],
    [
      'too many files',
      'too_large',
      (folder) => Array.from({ length: 11 }, (_, i) => writeFileSync(join(folder, `f${i}`), '')),
    ],
    [
      'too many folders',
      'too_large',
      (folder) => mkdirSync(join(folder, 'd/'.repeat(12)), { recursive: true }),
    ],
  ];

  it.each(refused)('refuses %s', async (_what, kind, make: (folder: string) => unknown) => {
    const folder = join(freshFolder(), 'out');
    mkdirSync(folder);
    make(folder);
    const target = join(freshFolder(), 'sealed');
    await expect(sealTo(folder, target, LIMITS)).rejects.toMatchObject({ name: 'SealRefused', kind });
    expect(() => statSync(target)).toThrow();
    await expect(seal(folder, LIMITS)).rejects.toMatchObject({ kind });
  });

  it('refuses a socket', async () => {
    const folder = freshFolder();
    const server = createServer().listen(join(folder, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    await expect(seal(folder, LIMITS)).rejects.toMatchObject({ kind: 'irregular' });
    server.close();
  });

  it.runIf(process.getuid?.() === 0)('refuses a device', async () => {
    const folder = freshFolder();
    execFileSync('mknod', [join(folder, 'null'), 'c', '1', '3']);
    await expect(seal(folder, LIMITS)).rejects.toMatchObject({ kind: 'irregular' });
  });

  it('says how much is too much', async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, 'm'), Buffer.alloc(1_000_123));
    await expect(seal(folder, LIMITS)).rejects.toMatchObject({ over: 123 });
  });
});

it('a sealed folder is removed, by whoever runs the tests, with what a program closed inside', async () => {
  const folder = join(freshFolder(), 'workspace');
  mkdirSync(join(folder, 'sealed', 'closed'), { recursive: true });
  writeFileSync(join(folder, 'sealed', 'closed', 'file'), 'x');
  chmodSync(join(folder, 'sealed', 'closed'), 0o000);
  chmodSync(join(folder, 'sealed'), 0o555);
  await removeTree(folder);
  expect(existsSync(folder)).toBe(false);
});
