import { createTwoFilesPatch } from 'diff';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyPatch } from '../../src/domain/text/unified-patch.js';

const FILE = 'one\ntwo\nthree\nfour\n';
const hunk = (body: string, name = 'x.py'): string => `--- a/${name}\n+++ b/${name}\n${body}`;

describe('a unified diff', () => {
  it('changes, makes and removes files, and returns nothing else', () => {
    const patch = `${hunk('@@ -1,2 +1,3 @@\n one\n-two\n+2\n+2b\n@@ -4 +5 @@\n-four\n+4\n\\ No newline at end of file\n')}--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+hello\n--- a/old.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-bye\n`;
    const files = new Map([
      ['x.py', FILE],
      ['old.py', 'bye\n'],
      ['other.py', 'other\n'],
    ]);
    expect([...applyPatch(patch, files)]).toEqual([
      ['x.py', 'one\n2\n2b\nthree\n4'],
      ['new.py', 'hello\n'],
      ['old.py', null],
    ]);
  });

  it.each([
    [
      'of other context',
      hunk('@@ -1,2 +1,2 @@\n one\n-TWO\n+2\n'),
      /line 2 of x\.py: it has "two\\n" where .* "TWO\\n"/,
    ],
    ['that fits one line further', hunk('@@ -1,2 +1,2 @@\n two\n-three\n+3\n'), /line 1 of x\.py/],
    ['that differs in white space', hunk('@@ -1 +1 @@\n-one \n+1\n'), /"one \\n"/],
    ['beyond the end', hunk('@@ -9 +9 @@\n-nine\n+9\n'), /line 9 of x\.py, which has 4 lines/],
    [
      'without the newline that is there',
      hunk('@@ -4 +4 @@\n-four\n\\ No newline at end of file\n+4\n'),
      /line 4/,
    ],
    [
      'of a file that is not brought',
      hunk('@@ -1 +1 @@\n-a\n+b\n', 'y.py'),
      /y\.py, which the source does not bring/,
    ],
    [
      'that makes what is there',
      '--- /dev/null\n+++ b/x.py\n@@ -0,0 +1 @@\n+a\n',
      /makes x\.py, which is there/,
    ],
    [
      'that leaves a file it removes',
      '--- a/x.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n',
      /removes x\.py and leaves/,
    ],
    [
      'with a rename',
      'diff --git a/x.py b/z.py\nsimilarity index 100%\nrename from x.py\nrename to z.py\n' +
        hunk('@@ -1 +1 @@\n-one\n+1\n'),
      /renames x\.py/,
    ],
    ['that is none', 'hello\n', /no hunk of a unified diff/],
    ['whose hunk is cut', hunk('@@ -1,3 +1,3 @@\n one\n'), /no unified diff|does not apply|invalid/],
    ['of one file twice', hunk('@@ -1 +1 @@\n-one\n+1\n') + hunk('@@ -2 +2 @@\n-two\n+2\n'), /x\.py twice/],
  ])('%s is refused', (_, patch, message) => {
    expect(() => applyPatch(patch, new Map([['x.py', FILE]]))).toThrow(message);
  });

  it('of any two texts turns one into the other', () => {
    const text = fc
      .array(fc.constantFrom('a\n', 'b\n', ' c\n', '\n', '-d\r\n', '+e'))
      .map((lines) => lines.join(''));
    fc.assert(
      fc.property(text, text, (before, after) => {
        fc.pre(before !== after);
        const patch = createTwoFilesPatch('a/x', 'b/x', before, after);
        expect(applyPatch(patch, new Map([['x', before]])).get('x')).toBe(after);
      }),
    );
  });
});
