import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { CountedForm } from '../domain/task/counted.js';
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
 * Python that prints the sizes of files. Packed: as a program that unpacks itself, raw LZMA2 with the default preset, in
 * base 85, in two lines around it. Minified: as the program that Python itself writes from the tree of the code, with one
 * space for a step of indentation and none between tokens that need none; each only where it has the same tree and is
 * smaller.
 */
const MEASURE = `
import ast, io, json, sys, tokenize, warnings
warnings.simplefilter("ignore")
FORM, PATHS = json.loads(sys.argv[1]), sys.argv[2:]
if FORM["as"] != "raw": import base64, lzma
MOST = 1 << 20
def dense(text):
    lines, out, row, column, before = text.split("\\n"), [], 1, 0, ""
    word = lambda letter: letter.isalnum() or letter == "_"
    for kind, now, start, end, _ in tokenize.generate_tokens(io.StringIO(text).readline):
        if kind in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER): continue
        if start[0] > row: out.append(lines[start[0] - 1][:start[1]].replace("    ", " "))
        elif start[1] > column and word(before[-1:]) and word(now[:1]): out.append(" ")
        out.append(now)
        (row, column), before = end, now
    return "".join(out)
def minified(code):
    found = []
    try:
        tree = ast.parse(code)
        same = lambda text: ast.dump(ast.parse(text)) == ast.dump(tree)
        for form in (ast.unparse, lambda tree: dense(ast.unparse(tree))):
            text = form(tree)
            if same(text): found.append(text.encode())
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        pass
    return found
def packed(text):
    filters = [{"id": lzma.FILTER_LZMA2}]
    code = base64.b85encode(lzma.compress(text, format=lzma.FORMAT_RAW, filters=filters))
    before = b'import lzma as L,base64 as B\\nexec(L.decompress(B.b85decode("'
    after = b'"),format=L.FORMAT_RAW,filters=[{"id":L.FILTER_LZMA2}]))\\n'
    return before + code + after
def size(path):
    with open(path, "rb") as file: code = file.read()
    forms = [code]
    if FORM["minified"] and path.endswith(".py") and len(code) <= MOST: forms += minified(code)
    return min(len(text if FORM["as"] == "raw" else packed(text)) for text in forms)
print("\\n" + json.dumps([size(path) for path in PATHS]))
`;
const SECONDS = 600;
const sizesSchema = z.array(z.number().int().nonnegative());

/** Sizes that this process has found out, by form and the digest of the content. */
const known = new Map<string, number>();
const MOST_KNOWN = 10_000;

/**
 * The bytes of files in a form other than their own (packed, minified or both), in their order, by the task's Python.
 * `read` gives their contents.
 * @throws AssayError PYTHON_UNAVAILABLE where that Python has no `lzma`
 */
export async function codeSizes<F extends Counted>(
  python: Pick<Python, 'executable' | 'env'>,
  form: CountedForm,
  files: readonly F[],
  read: (files: readonly F[]) => Promise<{ path: string; bytes: Uint8Array }[]>,
  signal: AbortSignal,
): Promise<number[]> {
  const key = ({ path, sha256 }: F) => `${form.as} ${form.minified && isPython(path)} ${sha256}`;
  const missing = files.filter((file) => !known.has(key(file)));
  if (missing.length > 0) {
    const sizes = await sizesOf(python, form, await read(missing), signal);
    if (known.size > MOST_KNOWN) known.clear();
    for (const [at, file] of missing.entries()) known.set(key(file), sizes[at] ?? 0);
  }
  return files.map((file) => known.get(key(file)) ?? 0);
}

const isPython = (path: string): boolean => path.endsWith('.py');

async function sizesOf(
  python: Pick<Python, 'executable' | 'env'>,
  form: CountedForm,
  files: readonly { path: string; bytes: Uint8Array }[],
  signal: AbortSignal,
): Promise<number[]> {
  const { executable, env } = python;
  const folder = await mkdtemp(join(tmpdir(), 'assay-packed-'));
  try {
    const named = files.map(({ path, bytes }, at) => ({
      path: `${at}${isPython(path) ? '.py' : ''}`,
      bytes,
    }));
    await writeFolder(folder, named);
    // isolated: nothing that a recipe or a person put beside it is imported
    const argv = [executable, '-I', '-c', MEASURE, JSON.stringify(form), ...named.map(({ path }) => path)];
    const result = await runTrusted(argv, { cwd: folder, env, timeoutS: SECONDS, signal });
    signal.throwIfAborted();
    const sizes = sizesSchema.safeParse(lastLine(result.log));
    if (endedWell(result) && sizes.data?.length === files.length) return sizes.data;
    // a file whose parsing ends Python itself counts as it is written
    if (form.minified) return await sizesOf(python, { ...form, minified: false }, files, signal);
    throw new AssayError(
      'PYTHON_UNAVAILABLE',
      `${executable} cannot tell the size of code: ${result.log.trim().slice(-300)}`,
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
