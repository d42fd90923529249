import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryBytes, treeBytes, type Entry } from '../../../src/domain/task/entry-bytes.js';
import { keptTrainingBytes } from '../../../src/domain/task/kept-training.js';
import { gateSchema } from '../../../src/domain/task/schema/gate.js';

const path = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const entry: fc.Arbitrary<Entry> = fc.record({ path, bytes: fc.nat(1e6) });
const tree = fc.array(entry, { maxLength: 30 });

describe('what files and folders count with', () => {
  it.each([
    [{ path: 'model.bin', bytes: 10_000 }, 10_010],
    [{ path: 'é', bytes: 0 }, 3],
    [{ path: 'a/b', bytes: 1 }, 5],
    [{ path: '𝔸', bytes: 0 }, 5],
  ])('%j counts %i', (one, bytes) => expect(entryBytes(one)).toBe(bytes));

  it('is the sum of contents, names and one a name, in any order and in any parts', () => {
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        const expected = [...a, ...b].reduce(
          (sum, one) => sum + one.bytes + Buffer.byteLength(one.path) + 1,
          0,
        );
        expect(treeBytes([...b, ...a])).toBe(expected);
        expect(treeBytes(a) + treeBytes(b)).toBe(expected);
      }),
    );
  });

  it('lets no name, however content and names are divided, carry more than it counts with', () => {
    fc.assert(
      fc.property(tree, (entries) => {
        // a reader of the tree sees each content, each name, and where each ends
        const carried = entries.reduce((sum, one) => sum + one.bytes + Buffer.byteLength(one.path), 0);
        expect(treeBytes(entries)).toBe(carried + entries.length);
      }),
    );
  });

  it('gains nothing by moving bytes from a content into its name, and loses by one more file', () => {
    fc.assert(
      fc.property(tree, entry, fc.nat(50), (entries, { path: name, bytes }, moved) => {
        const before = treeBytes([...entries, { path: name, bytes: bytes + moved }]);
        expect(treeBytes([...entries, { path: name + 'x'.repeat(moved), bytes }])).toBe(before);
        expect(treeBytes([...entries, { path: name, bytes: bytes + moved }, { path: 'x', bytes: 0 }])).toBe(
          before + 2,
        );
      }),
    );
  });
});

const MB = 1024 * 1024;

it.each([
  [[], 64],
  [[['bytes', 24_000]], (24_000 * 256) / MB],
  [[['bytes', 100]], 1],
  [[['bytes', 16e6]], 64],
  [
    [
      ['bytes', 24_000],
      ['bytes', 8192],
    ],
    2,
  ],
  [
    [
      ['code_bytes', 100],
      ['loss', 1],
    ],
    64,
  ],
] as [[string, number][], number][])('a training is kept with gates %j up to %f MiB', (limits, most) => {
  const gates = limits.map(([metric, max]) => gateSchema.parse({ name: 'g', metric, max, known: 'pack' }));
  expect(keptTrainingBytes({ gates })).toBe(most * MB);
});
