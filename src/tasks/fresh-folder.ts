import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AssayError, messageOf } from '../domain/errors.js';

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
 * Fills a person's folder, whole or not at all: `write` fills one beside it, which is then moved into its place.
 * @throws AssayError FOLDER_TAKEN when the folder is not empty
 */
export async function fillFreshFolder(
  folder: string,
  write: (beside: string) => Promise<void>,
): Promise<void> {
  const place = resolve(folder);
  await requireFresh(place);
  const beside = join(dirname(place), `.${basename(place)}.${randomUUID().slice(0, 8)}`);
  try {
    await mkdir(beside, { recursive: true });
    await write(beside);
    await moveInto(beside, place);
  } catch (error) {
    if (error instanceof AssayError || !(error instanceof Error && 'code' in error)) throw error;
    throw new AssayError('FOLDER_TAKEN', `${folder} cannot be filled: ${error.message}`, {
      cause: error,
      remedy: 'Name a folder that can be written to, on a disk with enough space.',
    });
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

async function moveInto(beside: string, place: string): Promise<void> {
  // a folder that is there already may be a shell's own, or a mount: it stays the same one
  const isThere = await mkdir(place).then(
    () => false,
    () => true,
  );
  if (!isThere) {
    await rename(beside, place);
    return;
  }
  await requireFresh(place);
  for (const name of await readdir(beside)) await rename(join(beside, name), join(place, name));
}
