import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { AssayError, messageOf, type ErrorCode } from '../domain/errors.js';

/** A regular file of a folder, by its path inside it with forward slashes. */
export interface FolderFile {
  path: string;
  bytes: Buffer;
}

export interface FolderLimits {
  maxFiles: number;
  maxFileBytes: number;
  /** Of all files together; no limit where it is left out. */
  maxBytes?: number;
  /** The error that a breach of these limits, or a link, is reported as. */
  code: ErrorCode;
}

const LEFT_OUT = new Set(['.git', '__pycache__', 'node_modules', '.DS_Store', '.venv']);

/**
 * Reads every regular file below a folder, sorted by path. Version control, caches and hidden system files are
 * left out; links and special files are refused, since they would mean something else on another host.
 */
export async function readFolder(folder: string, limits: FolderLimits): Promise<FolderFile[]> {
  const files: FolderFile[] = [];
  let total = 0;
  const visit = async (at: string): Promise<void> => {
    for (const name of await namesIn(at, limits.code)) {
      if (LEFT_OUT.has(name)) continue;
      const full = join(at, name);
      const path = relative(folder, full).split(sep).join('/');
      if ((await lstat(full)).isDirectory()) {
        await visit(full);
        continue;
      }
      const bytes = await readRegular(full, path, limits);
      files.push({ path, bytes });
      total += bytes.byteLength;
      if (files.length > limits.maxFiles)
        throw new AssayError(limits.code, `the folder has more than ${limits.maxFiles} files`);
      if (limits.maxBytes !== undefined && total > limits.maxBytes)
        throw new AssayError(
          limits.code,
          `the folder has more than ${limits.maxBytes} bytes in all its files`,
        );
    }
  };
  await visit(folder);
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Other bytes would come back as another name, and so as another file. */
async function namesIn(folder: string, code: ErrorCode): Promise<string[]> {
  const names = await readdir(folder, { encoding: 'buffer' }).catch((error: unknown) => {
    throw new AssayError(code, `${folder} cannot be read: ${messageOf(error)}`);
  });
  return names
    .map((bytes) => {
      const name = bytes.toString('utf8');
      if (Buffer.from(name, 'utf8').equals(bytes)) return name;
      throw new AssayError(code, `${join(folder, name)}: the name of the file is not UTF-8`);
    })
    .sort();
}

/**
 * The bytes of one regular file, its size checked before they are read. `path` is how it is called in errors.
 * @throws AssayError with the code of the limits
 */
export async function readRegular(
  full: string,
  path: string,
  { maxFileBytes, code }: Pick<FolderLimits, 'maxFileBytes' | 'code'>,
): Promise<Buffer> {
  // a pipe would keep a plain open waiting for a writer
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(full, flags).catch((error: unknown) => {
    const special =
      error instanceof Error && 'code' in error && (error.code === 'ELOOP' || error.code === 'ENXIO');
    throw special
      ? irregular(path, code)
      : new AssayError(code, `${path} cannot be read: ${messageOf(error)}`);
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw irregular(path, code);
    if (stat.size > maxFileBytes)
      throw new AssayError(code, `${path} has ${stat.size} bytes, over the limit of ${maxFileBytes}`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

const irregular = (path: string, code: ErrorCode): AssayError =>
  new AssayError(code, `${path} is not a regular file (links are not followed)`);

/** Writes files into a folder that must not hold them yet. */
export async function writeFolder(
  folder: string,
  files: readonly { path: string; bytes: Uint8Array }[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const file of files) {
    const target = join(folder, file.path);
    if (!target.startsWith(join(folder, '/')))
      throw new AssayError('INTERNAL', `${JSON.stringify(file.path)} leads out of its folder`);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, file.bytes, { flag: 'wx' });
  }
}
