import { randomUUID } from 'node:crypto';
import { readdirSync, renameSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AssayError, messageOf } from '../domain/errors.js';
import { removeOnExit } from '../sandbox/process/kill-on-exit.js';

/**
 * Makes sure that a person's folder is empty or not there, so that nothing of theirs can be overwritten.
 * @throws AssayError FOLDER_TAKEN
 */
export async function requireFresh(folder: string): Promise<void> {
  if ((await namesIn(folder)).length > 0)
    throw new AssayError('FOLDER_TAKEN', `${folder} is not empty, and nothing in it is overwritten`);
}

/** @throws AssayError FOLDER_TAKEN for what is there and is no folder */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new AssayError('FOLDER_TAKEN', `${folder} cannot be filled: ${messageOf(error)}`);
  }
}

/**
 * Fills a person's folder, whole or not at all: `write` fills a temporary one, whose content is then moved into its
 * place. Should this process exit before, the temporary one is removed.
 * @throws AssayError FOLDER_TAKEN when the folder is not empty, or cannot be written
 */
export async function fillFreshFolder(
  folder: string,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  const place = resolve(folder);
  const stays = await isEmptyFolder(place);
  const temporary = stays
    ? join(place, `.assay-${randomUUID().slice(0, 8)}`)
    : join(dirname(place), `.${basename(place)}.${randomUUID().slice(0, 8)}`);
  const removed = removeOnExit(temporary);
  try {
    await mkdir(temporary, { recursive: true });
    await write(temporary);
    if (stays) await moveUp(temporary, place);
    else await rename(temporary, place);
  } catch (error) {
    if (!isOfFiles(error)) throw error;
    throw new AssayError('FOLDER_TAKEN', `${folder} cannot be filled: ${error.message}`, {
      cause: error,
      remedy: 'Name a folder that can be written to, on a disk with enough space.',
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
    removed();
  }
}

/**
 * Returns true for an empty folder, which may be a mount or the folder of a shell and has to stay the same one, and
 * false where nothing is.
 * @throws AssayError FOLDER_TAKEN for anything else
 */
async function isEmptyFolder(place: string): Promise<boolean> {
  await requireFresh(place);
  return stat(place).then(
    () => true,
    () => false,
  );
}

/** Moves what is in a folder of `place` up into it, in one go: no signal comes between. */
async function moveUp(temporary: string, place: string): Promise<void> {
  const others = (await readdir(place)).filter((name) => name !== basename(temporary));
  if (others.length > 0)
    throw new AssayError('FOLDER_TAKEN', `${place} is not empty any more, and nothing in it is overwritten`);
  for (const name of readdirSync(temporary)) renameSync(join(temporary, name), join(place, name));
}

/** Errors of disks, which name no path where a write fails. */
const OF_DISKS = new Set<unknown>(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Returns true for an error of the file system: those of a store or a network have codes as well. */
function isOfFiles(error: unknown): error is Error {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return false;
  return 'path' in error || OF_DISKS.has(error.code);
}
