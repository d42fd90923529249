import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { sha256 } from '../../src/domain/digest.js';
import { countedBytes } from '../../src/measure/counted-bytes.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseTask } from '../../src/tasks/load.js';
import { TINY } from '../fixtures/tiny.js';

const { signal } = new AbortController();
const TEXT = readFileSync(join(TINY, 'task.yaml'), 'utf8');
const python = { executable: 'python3', env: { PATH: process.env['PATH'] ?? '' } };

const count = (
  texts: Record<string, string>,
  counted: string,
  executable = python.executable,
): Promise<number> => {
  const spec = parseTask(TEXT.replace(/^( +counted: ).*$/m, `$1${counted}`), 't.yaml');
  const files = Object.entries(texts).map(([path, text]) => ({
    path,
    sha256: sha256(text),
    bytes: text.length,
  }));
  const readFiles = (wanted: readonly { path: string; sha256: string; bytes: number }[]) =>
    Promise.resolve(wanted.map(({ path }) => ({ path, bytes: Buffer.from(texts[path] ?? '') })));
  const hosted = { spec, python: { ...python, executable } };
  return countedBytes({ lineage: { blobs: { readFiles } } }, hosted, files, signal);
};

const CODE = Array.from({ length: 400 }, (_, at) => `weight_${at} = linear(${at * 7919})\n`).join('');

it('a plain list counts files as they are, with their names', async () => {
  expect(await count({ 'train.py': CODE }, "['train.py']")).toBe(CODE.length + 'train.py'.length + 1);
});

it('packed code counts as the program that unpacks itself, which runs', async () => {
  const bytes = await count({ 'train.py': CODE, 'other.txt': 'x' }, "{ files: ['train.py'], as: lzma-b85 }");
  const program = execFileSync(
    'python3',
    [
      '-c',
      `
import base64, lzma, sys
code = sys.stdin.buffer.read()
packed = base64.b85encode(lzma.compress(code, format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2}]))
sys.stdout.write('import lzma as L,base64 as B\\nexec(L.decompress(B.b85decode("' + packed.decode() + '"),format=L.FORMAT_RAW,filters=[{"id":L.FILTER_LZMA2}]))\\n')
`,
    ],
    { input: CODE },
  );
  expect(bytes).toBe(program.length + 'train.py'.length + 1);
  expect(bytes).toBeLessThan(CODE.length / 2);
  const ran = execFileSync('python3', ['-'], {
    input: `linear = lambda x: x\n${program.toString()}print(weight_3)\n`,
  });
  expect(ran.toString()).toBe(`${3 * 7919}\n`);
});

const COMMENTED = `# why it is so\n${CODE.replace(/= /g, '=     ')}\n\n\n`;

it.each(['{ files: [train.py], as: lzma-b85, minified: true }', '{ files: [train.py], minified: true }'])(
  'comments and layout cost nothing by %s',
  async (counted) => {
    expect(await count({ 'train.py': COMMENTED }, counted)).toBe(await count({ 'train.py': CODE }, counted));
    const asWritten = counted.replace(', minified: true', '');
    expect(await count({ 'train.py': COMMENTED }, counted)).toBeLessThan(
      await count({ 'train.py': COMMENTED }, asWritten),
    );
  },
);

it.each([
  ['is no Python', 'this is not python at all\n'],
  ['is smaller as it is', 'x=1;y=2;z=3,4\n'],
  ['nests deeper than Python parses', `x = ${'('.repeat(5000)}1${')'.repeat(5000)}\n`],
  ['nests deeper than Python writes', `x = ${'-'.repeat(20_000)}1\n`],
  ['holds a null', 'x = 1\0\n'],
])('code that %s counts as written', async (_, text) => {
  const size = await count({ 'train.py': text }, '{ files: [train.py], minified: true }');
  expect(size).toBe(text.length + 'train.py'.length + 1);
});

it('spaces and steps of indentation that Python does not need cost nothing', async () => {
  const wide =
    'def f(a, b):\n        if a:\n                return f"{a} of {b!r:>10}"\n        return [x for x in b if not x]\n';
  const dense = 'def f(a,b):\n if a:\n  return f"{a} of {b!r:>10}"\n return[x for x in b if not x]';
  const sizes = await Promise.all(
    [wide, dense].map((text) => count({ 'train.py': text }, '{ files: [train.py], minified: true }')),
  );
  expect(sizes[0]).toBe(sizes[1]);
  // the quotes of a string are Python's
  expect(sizes[0]).toBeLessThanOrEqual(dense.length + 'train.py'.length + 2);
});

it('what is not Python by its name counts as written', async () => {
  const [text, minified] = ['x = 1  # c\n', '{ files: [a.txt, train.py], minified: true }'];
  expect(await count({ 'a.txt': text }, minified)).toBe(text.length + 'a.txt'.length + 1);
  expect(await count({ 'train.py': text }, minified)).toBeLessThan(text.length + 'train.py'.length + 1);
});

it('a Python that cannot pack is told', async () => {
  const packed = count({ 'train.py': 'unseen = 1\n' }, "{ files: ['**'], as: lzma-b85 }", '/bin/false');
  await expect(packed).rejects.toMatchObject({ code: 'PYTHON_UNAVAILABLE' });
});

it.each([
  ["{ files: ['train.py'], as: zip }", /recipe\.counted/],
  ["{ files: ['train.py'], as: lzma-b85, minify: true }", /recipe\.counted/],
])('%s is refused', (counted, message) => {
  expect(() => parseTask(TEXT.replace(/^( +counted: ).*$/m, `$1${counted}`), 't.yaml')).toThrow(message);
});
