import { applyPatch, parsePatch } from 'diff';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unifiedDiff } from '../../src/domain/text/diff.js';

const tree = (files: Record<string, string | null>) =>
  Object.entries(files).map(([path, text]) => ({ path, bytes: text === null ? null : Buffer.from(text) }));
const diffOf = (old: string, now: string): string => unifiedDiff(tree({ f: old }), tree({ f: now }));
const lines = (count: number, mark: string): string =>
  Array.from({ length: count }, (_, i) => `${mark} ${i}\n`).join('');

describe('a diff', () => {
  it('leads from any text to any other', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', '', '-- c', '++ d', '\r', '\\ No newline at end of file'), {
        maxLength: 12,
      })
      .chain((parts) => fc.constantFrom(parts.join('\n'), parts.map((part) => `${part}\n`).join('')));
    fc.assert(
      fc.property(text, text, (old, now) => {
        const patch = diffOf(old, now);
        expect(patch === '' ? old : applyPatch(old, patch)).toBe(now);
      }),
    );
  });

  it('shows a file as a whole that differs in thousands of lines, and still says what little differs in another', () => {
    const [old, now] = [lines(3000, 'old'), lines(2999, 'new') + 'last'];
    const rewritten = diffOf(old, now);
    expect(parsePatch(rewritten)).toMatchObject([
      { hunks: [{ oldStart: 1, oldLines: 3000, newStart: 1, newLines: 3000 }] },
    ]);
    expect(applyPatch(old, rewritten)).toBe(now);
    const small = lines(100, 'x');
    const both = unifiedDiff(tree({ a: old, z: small }), tree({ a: now, z: small.replace('x 50\n', 'y\n') }));
    expect(parsePatch(both).at(-1)).toMatchObject({
      newFileName: 'b/z',
      hunks: [{ oldLines: 7, newLines: 7 }],
    });
  });

  it('finds few edits in a very long file', () => {
    const old = lines(100_000, 'x');
    const patch = parsePatch(diffOf(old, old.replace('x 5\n', 'y\n').replace('x 99000\n', '')));
    expect(patch[0]?.hunks.map(({ oldLines, newLines }) => [oldLines, newLines])).toEqual([
      [7, 7],
      [7, 6],
    ]);
  });

  it('names files that came, went, hold no text, or are too large', () => {
    const before = [...tree({ gone: 'a\n', huge: null }), { path: 'w', bytes: Uint8Array.of(0xff) }];
    const after = [...tree({ came: 'b', huge: null }), { path: 'w', bytes: Uint8Array.of(0xfe) }];
    expect(unifiedDiff(before, after)).toBe(
      [
        '--- /dev/null\n+++ b/came\n@@ -0,0 +1,1 @@\n+b\n\\ No newline at end of file\n',
        '--- a/gone\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n',
        'Files a/huge and b/huge differ and are too large to be compared\n',
        'Binary files a/w and b/w differ\n',
      ].join(''),
    );
  });
});
