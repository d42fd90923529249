import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssayError } from '../../domain/errors.js';
import { FOLDER_LIMITS } from '../../domain/task/recipe.js';
import type { Source } from '../../domain/task/schema/source.js';
import { runGit } from './git.js';
import { readRegular } from '../folder.js';
import { unpackCommit } from './archive.js';
import type { SourceSettings } from './cache.js';
import { unavailable } from './unavailable.js';

type Pin = Pick<Source, 'repository' | 'commit'>;

/** A place that files of one commit are read from. */
export interface Origin {
  /** Reads a file of the commit. @throws AssayError SOURCE_INVALID where the commit has no such file */
  read: (path: string) => Promise<Buffer>;
}

/**
 * Opens a repository at its pin for a while: the copy in the mirror where there is one, else what git brings from its
 * address, else, where there is no git, the archive of the commit.
 * @throws AssayError SOURCE_UNAVAILABLE
 */
export async function withOrigin<T>(
  pin: Pin,
  settings: SourceSettings,
  work: (origin: Origin) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-source-'));
  try {
    return await work(await openOrigin(pin, settings, folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function openOrigin(pin: Pin, settings: SourceSettings, folder: string): Promise<Origin> {
  const git = await hasGit(settings.signal);
  const copy = await mirrored(pin, settings.mirror);
  if (copy !== null) {
    if (!copy.isGit) return plainFolder(pin, copy.folder);
    if (!git)
      throw unavailable(pin, `${copy.folder} is a git repository, and this host has no git`, {
        remedy: 'Install git, or put the plain files of the commit there.',
      });
    await requireCommit(pin, copy.folder, settings);
    return gitObjects(pin, copy.folder, folder, settings);
  }
  if (!git) return plainFolder(pin, await unpackCommit(pin, folder, settings.signal));
  const clone = join(folder, 'clone.git');
  await fetchCommit(pin, clone, settings);
  return gitObjects(pin, clone, folder, settings);
}

async function hasGit(signal: AbortSignal): Promise<boolean> {
  return (await runGit(['--version'], { cwd: '/', signal })).ok;
}

/** The copy of a repository in the mirror, by its last two names or by the last alone. */
async function mirrored(
  { repository }: Pin,
  mirror: string | null,
): Promise<{ folder: string; isGit: boolean } | null> {
  if (mirror === null) return null;
  const [name = '', owner = ''] = repository
    .replace(/\.git$/, '')
    .split('/')
    .reverse();
  for (const path of [join(owner, name), join(owner, `${name}.git`), name, `${name}.git`]) {
    const folder = join(mirror, path);
    if (!(await isThere(folder))) continue;
    const bare = (await isThere(join(folder, 'HEAD'))) && (await isThere(join(folder, 'objects')));
    return { folder, isGit: bare || (await isThere(join(folder, '.git'))) };
  }
  return null;
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Brings one commit, and of it only the files that are read afterwards where the server can do so. */
async function fetchCommit(pin: Pin, clone: string, { signal }: SourceSettings): Promise<void> {
  const steps = [
    ['init', '--quiet', '--bare', clone],
    ['-C', clone, 'remote', 'add', 'origin', pin.repository],
    ['-C', clone, 'fetch', '--quiet', '--depth', '1', '--filter=blob:none', 'origin', pin.commit],
  ];
  for (const step of steps) {
    const { ok, said } = await runGit(step, { cwd: '/', signal });
    if (!ok) throw unavailable(pin, said);
  }
}

async function requireCommit(pin: Pin, folder: string, { signal }: SourceSettings): Promise<void> {
  const found = await runGit(['-C', folder, 'cat-file', '-e', `${pin.commit}^{commit}`], {
    cwd: '/',
    signal,
  });
  if (found.ok) return;
  throw unavailable(pin, `the copy in ${folder} does not have the commit`, {
    remedy: 'Fetch the commit into that copy, or unset ASSAY_MIRROR.',
  });
}

function gitObjects(pin: Pin, repository: string, folder: string, { signal }: SourceSettings): Origin {
  return {
    read: async (path) => {
      const kept = join(folder, 'blob');
      const object = `${pin.commit}:${path}`;
      const { ok, said } = await runGit(['-C', repository, 'cat-file', 'blob', object], {
        cwd: '/',
        signal,
        to: kept,
      });
      if (ok) return readSourceFile(kept, path);
      if (/does not exist|exists on disk|bad file|not a valid object name|path .* does/i.test(said))
        throw missing(pin, path);
      throw unavailable(pin, said);
    },
  };
}

const plainFolder = (pin: Pin, folder: string): Origin => ({
  read: async (path) => {
    if (!(await isThere(join(folder, path)))) throw missing(pin, path);
    return readSourceFile(join(folder, path), path);
  },
});

const readSourceFile = (file: string, path: string): Promise<Buffer> =>
  readRegular(file, path, { maxFileBytes: FOLDER_LIMITS.maxFileBytes, code: 'SOURCE_INVALID' });

const missing = ({ repository, commit }: Pin, path: string): AssayError =>
  new AssayError('SOURCE_INVALID', `${repository} has no file ${path} at commit ${commit}`);
