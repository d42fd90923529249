import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Keeping } from '../../domain/session/bench.js';
import { matchesGlob } from '../../domain/text/paths.js';
import type { StoredFile } from '../../lineage/documents/snapshot.js';
import { sealTo, type SealLimits } from '../../sandbox/sealing/seal.js';
import { sealedOrRefused } from '../phases/seal-outputs.js';

const MOST_CHANGED = 200;
const MOST_BYTES = 4 * 1024 * 1024;
/** Folders that programs leave wherever they run. */
const LITTER = /(?:^|\/)(?:__pycache__|\.pytest_cache)\//;

/**
 * Reads what a dead command left in a recipe's folder, by way of a sealed copy: a link in it refuses all, so that
 * nothing outside the folder is read.
 */
export async function keptFiles(
  { recipe, copy }: { recipe: string; copy: string },
  { files, editable }: { files: readonly StoredFile[]; editable: readonly string[] },
  limits: SealLimits,
): Promise<Keeping> {
  const { sealed, refused } = await sealedOrRefused(sealTo(recipe, copy, limits));
  if (sealed === null) return { refused: refused.reason };
  const before = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  const written = sealed.files.filter(({ path, sha256 }) => before.get(path) !== sha256);
  const ours = written.filter(({ path }) => matchesGlob(path, editable) && !LITTER.test(path));
  const bytes = ours.reduce((sum, file) => sum + file.bytes, 0);
  if (ours.length > MOST_CHANGED || bytes > MOST_BYTES)
    return {
      refused: `it changed ${ours.length} files of ${bytes} bytes in all; ${MOST_CHANGED} files of ${MOST_BYTES} bytes can be kept`,
    };
  const left = new Set(sealed.files.map(({ path }) => path));
  const changed = ours.map(async ({ path }) => ({ path, bytes: await readFile(join(copy, path)) }));
  return {
    kept: {
      changed: await Promise.all(changed),
      foreign: written
        .filter((file) => !ours.includes(file) && !LITTER.test(file.path))
        .map(({ path }) => path),
      removed: files.filter(({ path }) => !left.has(path)).map(({ path }) => path),
    },
  };
}
