import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEdit, type Tree } from '../../src/domain/text/edits.js';
import { collision, foldPath, matchesGlob, pathFault } from '../../src/domain/text/paths.js';

const TREE: Tree = new Map([
  ['train.py', 'x'],
  ['lib/model.py', 'y'],
]);

describe('paths of a recipe', () => {
  it.each([
    '',
    '../train.py',
    'lib/../../x',
    '/etc/passwd',
    'C:/x',
    'lib\\x',
    'lib//x',
    'lib/',
    'lib/./x',
    'a\0b',
    'a\nb',
    'a\u202eb',
    'a\ud800b',
    '.git/config',
    'lib/.GIT/hooks/post-commit',
    '.\uff47it/config',
    'GIT~1/config',
    '.git./config',
    '.git /config',
    'x'.repeat(101),
    `${'x/'.repeat(200)}x`,
    `${'x/'.repeat(33)}x`,
  ])('refuses to write %j', (path) => {
    expect(applyEdit(TREE, { command: 'create', path, text: 'x' }, ['**'])).toHaveProperty('error');
    expect(pathFault(path)).not.toBeNull();
  });

  it('refuses another spelling of a present name, and a file where a folder is', () => {
    expect(collision('Train.py', TREE.keys())).toContain('upper and lower case');
    expect(collision('LIB/x.py', TREE.keys())).toContain('upper and lower case');
    expect(collision('lib', TREE.keys())).toContain('is a folder');
    expect(collision('train.py/x', TREE.keys())).toContain('is a file');
    expect(collision('cafe\u0301.py', ['caf\u00e9.py'])).toContain('differs');
    expect(collision('lib/other.py', TREE.keys())).toBeNull();
    expect(collision('train.py', TREE.keys())).toBeNull();
    expect(collision('a/b/c', ['A/x', 'a/b'])).toContain('the folder "A" differs');
    expect(collision('a/b', ['a/B/c/d'])).toContain('"a/B" is a folder');
    expect(pathFault(`${'x/'.repeat(32)}x`)).toBeNull();
  });

  it('never let a written file leave the recipe or collide with another, whatever the path', () => {
    const segment = fc.oneof(
      fc.constantFrom('..', '.', '', '.git', '.Git', 'lib', 'LIB', 'train.py', 'a', '\0', '~', ' a', 'a.'),
      fc.string({ unit: 'binary', maxLength: 12 }),
    );
    const paths = fc.tuple(fc.constantFrom('', '/', './', 'C:'), fc.array(segment, { maxLength: 5 }));
    fc.assert(
      fc.property(paths, ([head, parts]) => {
        const result = applyEdit(TREE, { command: 'create', path: head + parts.join('/'), text: 'x' }, [
          '**',
        ]);
        if ('error' in result) return;
        const names = Array.from(result.files.keys());
        for (const name of names) {
          expect(name.split('/').filter((part) => ['', '.', '..', '.git'].includes(foldPath(part)))).toEqual(
            [],
          );
        }
        expect(new Set(names.map(foldPath)).size).toBe(names.length);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['*.py', 'train.py', true],
    ['*.py', 'lib/a.py', false],
    ['**/*.py', 'train.py', true],
    ['**/*.py', 'a/b/c.py', true],
    ['lib/', 'lib/a/b.txt', true],
    ['lib/**/x', 'lib/x', true],
    ['t?ain.py', 'train.py', true],
    ['t[r]ain.py', 'train.py', false],
    ['**', 'any/thing', true],
  ])('glob %s on %s: %s', (glob, path, expected) => {
    expect(matchesGlob(path, [glob])).toBe(expected);
  });
});
