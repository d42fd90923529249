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
