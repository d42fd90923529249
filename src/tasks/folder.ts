import { lstat, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { AssayError, type ErrorCode } from '../domain/errors.js';

/** A regular file of a folder, by its path inside it with forward slashes. */
export interface FolderFile {
  path: string;
  bytes: Buffer;
}

export interface FolderLimits {
  maxFiles: number;
  maxFileBytes: number;
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
  const visit = async (at: string): Promise<void> => {
    for (const name of (await readdir(at)).sort()) {
      if (LEFT_OUT.has(name)) continue;
      const full = join(at, name);
      const path = relative(folder, full).split(sep).join('/');
      const stat = await lstat(full);
      if (stat.isDirectory()) {
        await visit(full);
        continue;
      }
      if (!stat.isFile())
        throw new AssayError(limits.code, `${path} is not a regular file (links are not followed)`);
      if (stat.size > limits.maxFileBytes)
        throw new AssayError(
          limits.code,
          `${path} has ${stat.size} bytes, over the limit of ${limits.maxFileBytes}`,
        );
      files.push({ path, bytes: await readFile(full) });
      if (files.length > limits.maxFiles)
        throw new AssayError(limits.code, `the folder has more than ${limits.maxFiles} files`);
    }
  };
  await visit(folder);
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Writes files into a folder that must not hold them yet. */
export async function writeFolder(
  folder: string,
  files: readonly { path: string; bytes: Uint8Array }[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const file of files) {
    const target = join(folder, file.path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, file.bytes, { flag: 'wx' });
  }
}
