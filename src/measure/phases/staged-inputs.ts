import { constants } from 'node:fs';
import {
  chmod,
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { AssayError } from '../../domain/errors.js';
import { seenBy } from '../../domain/task/phase-key.js';
import { orderOf } from '../../domain/trial/processes.js';
import type { HostedTask } from '../../tasks/host.js';
import { freshFolders, type RunFolders, type StagedInput } from './run-folders.js';

/** The secret order in which a process is shown what is revealed; null where nothing is permuted. */
export const orderFor = ({
  hosted,
  secret,
  seed,
}: {
  hosted: Pick<HostedTask, 'spec'>;
  secret: string;
  seed: number;
}): Uint32Array | null => orderOf(hosted.spec, secret, seed);

/**
 * Lays ready what a training will see when it says `ready` and `trained`, in place of what an earlier run has seen; `order`
 * is the secret one of its process.
 */
export async function stageInputs(
  { spec, parts }: Pick<HostedTask, 'spec' | 'parts'>,
  { data, reveal }: Pick<RunFolders, 'data' | 'reveal'>,
  order: Uint32Array | null,
): Promise<void> {
  if (spec.phases.train.clock?.from === 'ready') {
    await emptyStage(data);
    if (parts.train !== null && seenBy(spec, 'train').data) await layReady(parts.train, data);
  }
  if (parts.reveal === null) return;
  await emptyStage(reveal);
  const file = spec.data?.reveal?.permute?.file;
  await layReady(parts.reveal, reveal, file);
  if (file !== undefined && order !== null)
    await writePermuted(join(parts.reveal, file), join(reveal.unseen, file), order);
}

/** Makes visible what lies ready: a rename for each entry of the top, whatever it holds. */
export async function show({ shown, unseen }: StagedInput): Promise<void> {
  for (const name of await readdir(unseen)) await rename(join(unseen, name), join(shown, name));
}

async function emptyStage({ shown, unseen }: StagedInput): Promise<void> {
  await freshFolders([shown]);
  await freshFolders([unseen], 0o700);
  // whatever the worker's mask
  await chmod(shown, 0o755);
}

/** Lays a folder's files ready as other names of the same files, without one of them. */
async function layReady(from: string, { unseen }: StagedInput, without?: string): Promise<void> {
  const open = [''];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop())
    for (const entry of await readdir(join(from, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        await mkdir(join(unseen, path));
        open.push(path);
      } else if (without === undefined || path !== join(without))
        await linkOrCopy(join(from, path), join(unseen, path), entry.isSymbolicLink());
    }
}

/** Errors of a file that cannot have another name in that place: other file system, not the worker's, too many names. */
const UNLINKABLE = ['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** Copies only where the file system allows no other name. */
async function linkOrCopy(from: string, to: string, isLink: boolean): Promise<void> {
  if (isLink) return symlink(await readlink(from), to);
  try {
    await link(from, to);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!UNLINKABLE.includes(code)) throw error;
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  }
}

/** Writes a file with its rows in another order. */
async function writePermuted(from: string, to: string, order: Uint32Array): Promise<void> {
  const rows = await readFile(from);
  const length = rows.length / order.length;
  if (!Number.isInteger(length) || length === 0)
    throw new AssayError(
      'DATA_MISMATCH',
      `${from} has ${rows.length} bytes, which are not ${order.length} rows`,
    );
  const permuted = Buffer.allocUnsafe(rows.length);
  order.forEach((row, at) => rows.copy(permuted, at * length, row * length, (row + 1) * length));
  await writeFile(to, permuted, { mode: 0o444 });
}
