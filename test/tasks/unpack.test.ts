import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { decodeLzma2 } from '../../src/tasks/source/lzma2.js';
import { unpackProgram } from '../../src/tasks/source/unpack.js';

const MOST = 16 * 1024 * 1024;
const BEFORE = 'import lzma as L,base64 as B\nexec(L.decompress(B.b85decode("';
const AFTER = '"),format=L.FORMAT_RAW,filters=[{"id":L.FILTER_LZMA2}]))\n';

/** Standard output of a program in Python, which has the bytes `text` and `packed`, a raw LZMA2 stream of them. */
function fromPython(text: string, print: string, filter = ''): Buffer {
  const program = `
import base64, lzma, random, sys
r = random.Random(1)
text = ${text}
packed = lzma.compress(text, format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2${filter}}])
sys.stdout.buffer.write(${print})`;
  return execFileSync('python3', ['-c', program], { maxBuffer: 64 * 1024 * 1024 });
}

it.each([
  ['nothing', 'b""', ''],
  ['one byte', 'b"a"', ''],
  ['words', 'b" ".join(r.choice([b"model", b"train", b"loss", b"seed"]) for _ in range(50000))', ''],
  ['noise, which is stored as it is', 'r.randbytes(200_000)', ''],
  ['noise between zeros', 'bytes(300_000) + r.randbytes(70_000) + bytes(70_000) + r.randbytes(10)', ''],
  ['more than a chunk, with far repeats', '(r.randbytes(1_500_000) + b"between") * 2', ''],
  ['numbers', 'b"".join(r.randrange(1000).to_bytes(4, "little") for _ in range(100_000))', ''],
  [
    'other properties',
    'b"".join(r.randrange(1000).to_bytes(4, "little") for _ in range(9000))',
    ', "lc": 1, "lp": 2, "pb": 0',
  ],
])('LZMA2 of %s is decoded to what Python encoded', (_name, text, filter) => {
  const decoded = decodeLzma2(fromPython(text, 'packed', filter), MOST);
  expect(Buffer.compare(Buffer.from(decoded), fromPython(text, 'text'))).toBe(0);
});

it.each([
  ['is cut', 'packed[:-9]', MOST, /ends in the middle|is damaged/],
  ['is followed by more', 'packed + b"x"', MOST, /1 bytes follow/],
  ['is larger than allowed', 'packed', 99, /more than 99 bytes/],
  [
    'refers to what is not there',
    'bytes([0xe0, 0, 20, 0, 9, 93, 0]) + b"\\xff" * 9 + bytes(1)',
    MOST,
    /is damaged/,
  ],
  ['is of an unknown kind', 'b"\\x7f"', MOST, /unknown kind 127/],
])('a stream that %s is refused', (_name, stream, most, reason) => {
  expect(() => decodeLzma2(fromPython('b"words " * 1000', stream), most)).toThrow(reason);
});

it('unpacks the text of a program that unpacks itself, of any length', () => {
  for (const length of [1, 2, 3, 4, 5, 1000]) {
    const text = `b"x = 1;" * ${length}`;
    const packed = `${BEFORE}${fromPython(text, 'base64.b85encode(packed)').toString()}${AFTER}`;
    expect(unpackProgram('a.py', Buffer.from(packed)).toString()).toBe('x = 1;'.repeat(length));
  }
});

it.each([
  ['another first line', `import os\n${BEFORE}0000${AFTER}`],
  ['code behind it', `${BEFORE}0000${AFTER}print(1)\n`],
  ['a letter that is none', `${BEFORE}00"0${AFTER}`],
  ['a group that is too large', `${BEFORE}~~~~~${AFTER}`],
])('refuses a program with %s', (_name, program) => {
  expect(() => unpackProgram('a.py', Buffer.from(program))).toThrow(
    /a\.py cannot be unpacked: it is not the two lines of a Python program/,
  );
});
