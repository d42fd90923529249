import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/domain/digest.js';
import { removeTree } from '../../src/sandbox/remove-tree.js';
import { seal, sealTo } from '../../src/sandbox/sealing/seal.js';
import { unreadable, type SealRefused } from '../../src/sandbox/sealing/seal-refused.js';
import { freshFolder, python } from './programs.js';
import { lacks } from '../lacks.js';

const LIMITS = { maxBytes: 1_000_000, maxEntries: 10 };

const isRoot = lacks(process.getuid?.() === 0, 'sealing what is closed to its own user: root may read it');
const isPlainUser = lacks(process.getuid?.() !== 0, 'sealing a device, which only root makes');
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
    // names count: a, empty, deep and deep/b.bin
    expect(sealed.bytes).toBe(300_005 + 2 + 6 + 5 + 11);
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
    [
      'names that are too much on their own',
      'too_large',
      (folder) => {
        writeFileSync(join(folder, 'm'), Buffer.alloc(999_900));
        for (const name of ['a', 'b']) mkdirSync(join(folder, name.repeat(100)));
      },
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

  /** Folders nested so deep that no path names the last. */
  const nest = (folder: string, name: string, depth: number): void => {
    const code = `import os,sys\nos.chdir(sys.argv[1])\nfor i in range(${depth}):\n os.mkdir(sys.argv[2]); os.chdir(sys.argv[2])\nopen("w", "w")`;
    execFileSync(python, ['-c', code, folder, name]);
  };

  it.each<[string, (folder: string) => unknown, NonNullable<SealRefused['limit']>]>([
    [
      'too many entries',
      (folder) => Array.from({ length: 500 }, (_, i) => mkdirSync(join(folder, `d${i}`))),
      { name: 'names', used: 11, allowed: 10, unit: 'files and folders' },
    ],
    [
      'a path that is too long',
      (folder) => nest(folder, 'n'.repeat(250), 6),
      { name: 'names', used: 1254, allowed: 1024, unit: 'bytes' },
    ],
    [
      'a path beyond the longest that can be named',
      (folder) => nest(folder, 'n'.repeat(250), 100),
      { name: 'names', used: 1254, allowed: 1024, unit: 'bytes' },
    ],
    [
      'folders that are too deep',
      (folder) => nest(folder, 'd', 2000),
      { name: 'depth', used: 33, allowed: 32, unit: 'folders' },
    ],
  ])('names the limit that is exceeded by %s', async (_what, make, limit) => {
    const folder = join(freshFolder(), 'out');
    mkdirSync(folder);
    make(folder);
    const limits = { ...LIMITS, maxEntries: limit.name === 'names' && limit.unit !== 'bytes' ? 10 : 100 };
    const target = join(freshFolder(), 'sealed');
    await expect(sealTo(folder, target, limits)).rejects.toMatchObject({ kind: 'too_large', limit });
    expect(existsSync(target)).toBe(false);
    await removeTree(folder);
  });

  it.skipIf(isRoot)('refuses what a program closed to its own user', async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, 'x'), 'x', { mode: 0o000 });
    await expect(seal(folder, LIMITS)).rejects.toMatchObject({ kind: 'unreadable', path: 'x' });
  });

  it('leaves errors of the host what they are, and takes those of the files for the recipe’s', () => {
    const error = (code: string): Error => Object.assign(new Error(code), { code });
    for (const code of ['EACCES', 'ENAMETOOLONG', 'ELOOP', 'ENOENT', 'ENOTDIR'])
      expect(unreadable('x', error(code)), code).toMatchObject({ kind: 'unreadable', path: 'x' });
    for (const code of ['ENOSPC', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'EROFS'])
      expect(unreadable('x', error(code)), code).toBeNull();
    expect(unreadable('x', new Error('of ours'))).toBeNull();
  });

  it('refuses a socket', async () => {
    const folder = freshFolder();
    const server = createServer().listen(join(folder, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    await expect(seal(folder, LIMITS)).rejects.toMatchObject({ kind: 'irregular' });
    server.close();
  });

  it.skipIf(isPlainUser)('refuses a device', async () => {
    const folder = freshFolder();
    execFileSync('mknod', [join(folder, 'null'), 'c', '1', '3']);
    await expect(seal(folder, LIMITS)).rejects.toMatchObject({ kind: 'irregular' });
  });

  it('says how much is too much', async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, 'm'), Buffer.alloc(1_000_123));
    const limit = { name: 'disk', used: 1_000_125, allowed: 1_000_000, unit: 'bytes' };
    await expect(seal(folder, LIMITS)).rejects.toMatchObject({ limit });
  });
});

describe('what is handed on', () => {
  /** Everything of a tree that a program could read from it. */
  const seen = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .sort()
      .map((path) => {
        const { mode, mtimeMs, nlink } = statSync(join(folder, path));
        return `${path} ${mode.toString(8)} ${mtimeMs} ${statSync(join(folder, path)).isFile() ? nlink : ''}`;
      });

  it('is the same tree, whether it was copied or restored, and however it was written', async () => {
    const [first, second] = [freshFolder(), freshFolder()];
    for (const [folder, mode] of [
      [first, 0o600],
      [second, 0o755],
    ] as const) {
      mkdirSync(join(folder, 'deep/er'), { recursive: true });
      for (const path of ['a', 'deep/b', 'deep/er/c'])
        writeFileSync(join(folder, path), path.repeat(9), { mode });
      utimesSync(join(folder, 'a'), mode, mode);
    }
    mkdirSync(join(second, 'empty'));
    const [one, two] = ['one', 'two'].map((name) => join(freshFolder(), name));
    const sealed = await sealTo(first, one ?? '', LIMITS);
    const other = await sealTo(second, two ?? '', LIMITS);
    expect(other.digest).toBe(sealed.digest);
    expect(other.bytes).toBe(sealed.bytes + 'empty'.length + 1);
    expect(seen(two ?? '')).toEqual(seen(one ?? ''));
    expect(seen(one ?? '')).toHaveLength(5);
  });

  it('replaces what lies in its place', async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, 'a'), 'a');
    const target = freshFolder();
    writeFileSync(join(target, 'foreign'), 'b');
    await sealTo(folder, target, LIMITS);
    expect(readdirSync(target)).toEqual(['a']);
  });
});

it('a sealed folder is removed, as root or not, with what a program closed inside', async () => {
  const folder = join(freshFolder(), 'workspace');
  mkdirSync(join(folder, 'sealed', 'closed'), { recursive: true });
  writeFileSync(join(folder, 'sealed', 'closed', 'file'), 'x');
  chmodSync(join(folder, 'sealed', 'closed'), 0o000);
  chmodSync(join(folder, 'sealed'), 0o555);
  await removeTree(folder);
  expect(existsSync(folder)).toBe(false);
});
