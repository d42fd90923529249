import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { AssayError } from '../domain/errors.js';
import { endedWell, runTrusted } from '../sandbox/process/trusted-command.js';
import { writeFolder } from './folder.js';
import type { Python } from './python.js';

/** A file of a recipe by its content. */
interface Counted {
  path: string;
  sha256: string;
}

/**
 * Python that prints the sizes of files as a program that unpacks itself: raw LZMA2 with the default preset, in base 85,
 * in two lines around it.
 */
const PACK = `
import base64, json, lzma, sys
def packed(path):
    with open(path, "rb") as file: text = file.read()
    filters = [{"id": lzma.FILTER_LZMA2}]
    code = base64.b85encode(lzma.compress(text, format=lzma.FORMAT_RAW, filters=filters))
    before = b'import lzma as L,base64 as B\\nexec(L.decompress(B.b85decode("'
    after = b'"),format=L.FORMAT_RAW,filters=[{"id":L.FILTER_LZMA2}]))\\n'
    return len(before + code + after)
print("\\n" + json.dumps([packed(path) for path in sys.argv[1:]]))
`;
const SECONDS = 600;
const sizesSchema = z.array(z.number().int().positive());

/** Sizes that this process has found out, by the digest of the content. */
const known = new Map<string, number>();
const MOST_KNOWN = 10_000;

/**
 * The bytes of files as programs that unpack themselves (LZMA and base 85), in their order, by the `lzma` of the task's
 * Python. `read` gives their contents.
 * @throws AssayError PYTHON_UNAVAILABLE where that Python has no `lzma`
 */
export async function packedSizes<F extends Counted>(
  python: Pick<Python, 'executable' | 'env'>,
  files: readonly F[],
  read: (files: readonly F[]) => Promise<{ path: string; bytes: Uint8Array }[]>,
  signal: AbortSignal,
): Promise<number[]> {
  const missing = files.filter(({ sha256 }) => !known.has(sha256));
  if (missing.length > 0) {
    const sizes = await sizesOf(python, await read(missing), signal);
    if (known.size > MOST_KNOWN) known.clear();
    for (const [at, { sha256 }] of missing.entries()) known.set(sha256, sizes[at] ?? 0);
  }
  return files.map(({ sha256 }) => known.get(sha256) ?? 0);
}

async function sizesOf(
  { executable, env }: Pick<Python, 'executable' | 'env'>,
  files: readonly { path: string; bytes: Uint8Array }[],
  signal: AbortSignal,
): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-packed-'));
  try {
    const named = files.map(({ bytes }, at) => ({ path: String(at), bytes }));
    await writeFolder(folder, named);
    // isolated: nothing that a recipe or a person put beside it is imported
    const argv = [executable, '-I', '-c', PACK, ...named.map(({ path }) => path)];
    const result = await runTrusted(argv, { cwd: folder, env, timeoutS: SECONDS, signal });
    signal.throwIfAborted();
    const sizes = sizesSchema.safeParse(lastLine(result.log));
    if (endedWell(result) && sizes.data?.length === files.length) return sizes.data;
    throw new AssayError(
      'PYTHON_UNAVAILABLE',
      `${executable} cannot pack code: ${result.log.trim().slice(-300)}`,
      {
        remedy: 'Use a Python whose standard library has lzma (built with liblzma).',
      },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function lastLine(log: string): unknown {
  try {
    return JSON.parse(log.trimEnd().split('\n').at(-1) ?? '');
  } catch {
    return null;
  }
}
