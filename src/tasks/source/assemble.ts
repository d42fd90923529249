import { sha256 } from '../../domain/digest.js';
import { AssayError } from '../../domain/errors.js';
import type { Source } from '../../domain/task/schema/source.js';
import { collision, pathFault } from '../../domain/text/paths.js';
import { applyPatch, PatchFault, type PatchedFiles } from '../../domain/text/unified-patch.js';
import type { FolderFile } from '../folder.js';
import { cachedFile, cacheFile, type SourceSettings } from './cache.js';
import { withOrigin } from './origin.js';
import { unpackProgram } from './unpack.js';

/** State of sources: as upstream has them, unpacked where the task says so, or with the recorded changes. */
export type SourceState = 'upstream' | 'patched';

/**
 * Brings the files that a task takes from other repositories, each checked against its digest, and changes them as the
 * task records. After the first time nothing but the cache is read.
 * @throws AssayError SOURCE_UNAVAILABLE, SOURCE_INVALID
 */
export async function bringSources(
  sources: readonly Source[],
  own: readonly FolderFile[],
  settings: SourceSettings,
  state: SourceState = 'patched',
): Promise<FolderFile[]> {
  const brought: FolderFile[] = [];
  for (const source of sources) {
    const upstream = await upstreamFiles(source, settings);
    brought.push(...(state === 'upstream' ? upstream : patchedFiles(source, upstream, own)));
  }
  for (const { path } of brought) requireFree(path, own, brought);
  return brought.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function requireFree(path: string, own: readonly FolderFile[], brought: readonly FolderFile[]): void {
  const fault = pathFault(path);
  if (fault !== null)
    throw new AssayError('SOURCE_INVALID', `source brings ${JSON.stringify(path)}: ${fault}`);
  if (own.some((file) => file.path === path))
    throw new AssayError('SOURCE_INVALID', `the task folder has ${path} already, which source brings`);
  if (brought.filter((file) => file.path === path).length > 1)
    throw new AssayError('SOURCE_INVALID', `source brings ${path} twice`);
  const paths = [...own, ...brought].map((file) => file.path);
  const clash = collision(path, paths);
  if (clash !== null) throw new AssayError('SOURCE_INVALID', `source brings ${path}: ${clash}`);
}

async function upstreamFiles(source: Source, settings: SourceSettings): Promise<FolderFile[]> {
  const cached = await Promise.all(
    source.files.map(async ({ to, sha256: digest }) => ({
      path: to,
      bytes: await cachedFile(settings.cache, digest),
    })),
  );
  const missing = source.files.filter((_, at) => cached[at]?.bytes === null);
  const fetched =
    missing.length === 0 ? new Map<string, Buffer>() : await fetchFiles(source, missing, settings);
  return cached.map(({ path, bytes }, at) => {
    const whole = bytes ?? fetched.get(path) ?? Buffer.alloc(0);
    return { path, bytes: unpacked(path, whole, source.files[at]?.unpack) };
  });
}

/** The file as the task declares it: as the repository has it, or what is packed in it. */
function unpacked(path: string, bytes: Buffer, unpack: Source['files'][number]['unpack']): Buffer {
  if (unpack === undefined) return bytes;
  const content = unpackProgram(path, bytes);
  const found = sha256(content);
  if (found === unpack.sha256) return content;
  throw new AssayError(
    'SOURCE_INVALID',
    `${path} has SHA-256 ${found} when it is unpacked, and task.yaml says ${unpack.sha256}`,
  );
}

async function fetchFiles(
  source: Source,
  wanted: Source['files'],
  settings: SourceSettings,
): Promise<Map<string, Buffer>> {
  return withOrigin(source, settings, async (origin) => {
    const fetched = new Map<string, Buffer>();
    for (const { from, to, sha256: digest } of wanted) {
      const bytes = await origin.read(from);
      const found = sha256(bytes);
      if (found !== digest)
        throw new AssayError(
          'SOURCE_INVALID',
          `${from} of ${source.repository} has SHA-256 ${found}, and task.yaml says ${digest}`,
        );
      await cacheFile(settings.cache, bytes);
      fetched.set(to, bytes);
    }
    return fetched;
  });
}

/** The files of a source after its recorded change. */
function patchedFiles(
  source: Source,
  upstream: readonly FolderFile[],
  own: readonly FolderFile[],
): FolderFile[] {
  const { patch, patched: promised = {} } = source;
  if (patch === undefined) return [...upstream];
  const file = own.find(({ path }) => path === patch);
  if (file === undefined)
    throw new AssayError('SOURCE_INVALID', `the task names ${patch} as a patch, which is not in the folder`);
  const changed = changedBy(patch, textOf(file), upstream);
  for (const path of Object.keys(promised))
    if ((changed.get(path) ?? null) === null)
      throw new AssayError('SOURCE_INVALID', `source.patched names ${path}, which ${patch} does not change`);
  const files = new Map(upstream.map(({ path, bytes }) => [path, bytes]));
  for (const [path, text] of changed) {
    if (text === null) files.delete(path);
    else files.set(path, checkedBytes(path, text, { patch, promised: promised[path] }));
  }
  return [...files].map(([path, bytes]) => ({ path, bytes }));
}

function checkedBytes(
  path: string,
  text: string,
  { patch, promised }: { patch: string; promised: string | undefined },
): Buffer {
  const bytes = Buffer.from(text);
  const found = sha256(bytes);
  if (found === promised) return bytes;
  throw new AssayError(
    'SOURCE_INVALID',
    `${path} has SHA-256 ${found} after ${patch}, and source.patched ${promised === undefined ? 'does not name it' : `says ${promised}`}`,
  );
}

function changedBy(patch: string, text: string, upstream: readonly FolderFile[]): PatchedFiles {
  try {
    return applyPatch(text, new Map(upstream.map((file) => [file.path, textOf(file)])));
  } catch (error) {
    if (!(error instanceof PatchFault)) throw error;
    throw new AssayError('SOURCE_INVALID', `${patch}: ${error.message}`);
  }
}

function textOf({ path, bytes }: FolderFile): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new AssayError('SOURCE_INVALID', `${path} is not UTF-8, and cannot be patched`);
  }
}
