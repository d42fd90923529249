import {
  access,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { AssayError, messageOf } from '../../domain/errors.js';
import { LeasePool } from '../host/lease.js';
import { removeTree } from '../remove-tree.js';
import { isAbandonedName } from './own-folders.js';
import { programOnPath } from '../tiers/launch.js';
import type { RuntimeTree } from './runtime-tree.js';

/**
 * Form in which a root is kept: an image that is mounted, or an archive that is unpacked for each sandbox.
 */
export type ImageFormat = 'erofs' | 'squashfs' | 'tar';

export interface Image {
  format: ImageFormat;
  file: string;
  bytes: number;
}

const UNUSED_MS = 30 * 86_400_000;
const MAKING_MS = 30 * 60_000;

/** Programs that make an image of each format from a folder. Times stay: Python compares those of what it compiled. */
const MAKERS: Readonly<
  Record<'erofs' | 'squashfs', (file: string, folder: string) => [string, ...string[]]>
> = {
  erofs: (file, folder) => ['mkfs.erofs', '--quiet', '--all-root', file, folder],
  squashfs: (file, folder) => [
    ...(['mksquashfs', folder, file, '-quiet', '-no-progress', '-all-root', '-noappend'] as const),
    // read at the pace of the disk, not of a decompressor
    ...['-noI', '-noD', '-noF', '-noX', '-no-xattrs'],
  ],
};

/** Returns true when images of a format can be made here. */
export const canMake = (format: ImageFormat): boolean =>
  format === 'tar' || programOnPath(MAKERS[format]('', '')[0]) !== null;

/**
 * The image of a runtime, made once a host and kept in `cache`, with what was not used for a month removed.
 * @throws AssayError HOST_FAULT when it cannot be made
 */
export async function imageOf(tree: RuntimeTree, format: ImageFormat, cache: string): Promise<Image> {
  const folder = join(cache, 'roots');
  const file = join(folder, `${tree.digest.slice(0, 32)}.${format}`);
  const signal = new AbortController().signal;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await new LeasePool('roots', 1, join(cache, 'locks')).withLease({ slots: 1, signal }, async () => {
    const there = await access(file).then(
      () => true,
      () => false,
    );
    if (!there) await make(tree, format, file);
    const now = new Date();
    await utimes(file, now, now);
    await removeUnused(folder, file);
  });
  return { format, file, bytes: (await stat(file)).size };
}

async function make(tree: RuntimeTree, format: ImageFormat, file: string): Promise<void> {
  const attempt = await mkdtemp(`${file}.`);
  try {
    const list = join(attempt, 'list');
    await writeFile(list, tree.paths.map((path) => `${path.slice(1)}\0`).join(''));
    const archive = join(attempt, 'archive');
    // a user of its own reads it; a file that vanished meanwhile does no harm
    const names = ['--no-recursion', '--ignore-failed-read', '--null', '-T', list];
    await run(['tar', '-c', '-f', archive, '--mode=a+rX', '-C', '/', ...names]);
    if (format === 'tar') {
      await rename(archive, file);
      return;
    }
    const root = join(attempt, 'root');
    await mkdir(root);
    await run(['tar', '-x', '-f', archive, '-C', root]);
    await rm(archive);
    const made = join(attempt, 'image');
    await run(MAKERS[format](made, root));
    await rename(made, file);
  } catch (error) {
    throw new AssayError('HOST_FAULT', `a root for servers cannot be made: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    await removeTree(attempt);
  }
}

async function run([program, ...args]: readonly [string, ...string[]]): Promise<void> {
  await execa(program, args, { stdin: 'ignore', stdout: 'ignore', timeout: MAKING_MS });
}

/** Under the lease of all makers: what another began is what a dead one left. */
async function removeUnused(folder: string, kept: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (path === kept || found === null) continue;
    const isAbandoned = await isAbandonedName(name);
    const isOld = isAbandoned === null && Date.now() - found.mtimeMs > UNUSED_MS;
    if (isOld || isAbandoned === true || found.isDirectory()) await removeTree(path);
  }
}

/** Copies an image to where it is read without leaving a trace of what was read. */
export async function copyInto(image: Image, folder: string): Promise<Image> {
  const file = join(folder, basename(image.file));
  await copyFile(image.file, file);
  return { ...image, file };
}
