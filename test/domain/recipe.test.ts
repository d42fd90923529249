import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textOf } from '../../src/domain/text/diff.js';
import { collision, firstNameFault, matchesGlob, pathFault } from '../../src/domain/text/paths.js';
import { uncounted } from '../../src/domain/task/counted.js';
import { FOLDER_LIMITS, recipeFault, type RecipeFile } from '../../src/domain/task/recipe.js';

const tree = (files: Record<string, string>): RecipeFile[] =>
  Object.entries(files).map(([path, sha256]) => ({ path, sha256, bytes: 1 }));

const RULES = { name: 'task', editable: ['train.py', 'lib/*.py'] };
const START = { 'train.py': 'a', 'lib/model.py': 'b', 'data/fixed.py': 'c', 'README.md': 'd' };

describe('a recipe', () => {
  it.each<[string, Record<string, string>]>([
    ['is the start', START],
    ['has an edited file', { ...START, 'train.py': 'z' }],
    ['has a file more where agents may add one', { ...START, 'lib/more.py': 'z' }],
    ['has one less where agents may have it', { 'train.py': 'a', 'data/fixed.py': 'c', 'README.md': 'd' }],
  ])('may be submitted that %s', (_, files) => {
    expect(recipeFault(RULES, tree(START), tree(files))).toBeNull();
  });

  const without = (path: string): Record<string, string> =>
    Object.fromEntries(Object.entries(START).filter(([name]) => name !== path));
  it.each<[string, Record<string, string>, RegExp]>([
    [
      'a changed file',
      { ...START, 'data/fixed.py': 'z' },
      /only train\.py, lib\/\*\.py may .*: data\/fixed\.py \(changed\)$/,
    ],
    ['a missing file', without('README.md'), /: README\.md \(missing\)$/],
    ['an added file', { ...START, 'weights.bin': 'z' }, /: weights\.bin \(added\)$/],
    [
      'an added file below what may be edited',
      { ...START, 'lib/deep/x.py': 'z' },
      /: lib\/deep\/x\.py \(added\)$/,
    ],
    ['an added file of another kind', { ...START, 'lib/w.bin': 'z' }, /: lib\/w\.bin \(added\)$/],
    ['another spelling of an editable file', { ...without('train.py'), 'Train.py': 'a' }, /has no train\.py/],
    [
      'two spellings of a file',
      { ...START, 'Train.py': 'a' },
      /"Train\.py": "train\.py" differs from it only/,
    ],
    [
      'another spelling of a fixed file',
      { ...without('README.md'), 'Readme.md': 'd' },
      /: README\.md \(missing\), Readme\.md \(added\)$/,
    ],
    [
      'another spelling of a fixed folder',
      { ...without('data/fixed.py'), 'Data/fixed.py': 'c' },
      /Data\/fixed\.py \(added\), data\/fixed\.py \(missing\)$/,
    ],
    ['no file to run', without('train.py'), /has no train\.py, which the task "task" runs/],
    ['a path that leads out', { ...START, '../x.py': 'z' }, /"\.\.\/x\.py": the path has a ".." segment/],
    [
      'many of them',
      { ...START, ...Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`x${at}`, 'z'])) },
      /: x0 \(added\), .*, x4 \(added\), and 3 more$/,
    ],
  ])('is refused with %s', (_, files, words) => {
    expect(recipeFault(RULES, tree(START), tree(files))).toMatch(words);
  });

  it('is refused when it is larger than a task may be, and no smaller one for its size', () => {
    const many = (count: number): RecipeFile[] =>
      Array.from({ length: count }, (_, at) => ({ path: `lib/${at}.py`, sha256: 'z', bytes: 1 }));
    const rules = { name: 'task', editable: ['lib/'] };
    expect(recipeFault(rules, [], many(FOLDER_LIMITS.maxFiles))).toBeNull();
    expect(recipeFault(rules, [], many(FOLDER_LIMITS.maxFiles + 1))).toMatch(/more than 2000 files/);
    const [file] = many(1);
    const large = (bytes: number): RecipeFile[] => (file === undefined ? [] : [{ ...file, bytes }]);
    expect(recipeFault(rules, [], large(FOLDER_LIMITS.maxFileBytes))).toBeNull();
    expect(recipeFault(rules, [], large(FOLDER_LIMITS.maxFileBytes + 1))).toMatch(
      /over the limit of 16777216/,
    );
  });

  it('differs from its start in what may be edited alone, whatever the files', () => {
    const path = fc.constantFrom('train.py', 'lib/a.py', 'lib/b.py', 'lib/w.bin', 'fixed.py', 'deep/er/x');
    const files = fc.dictionary(path, fc.constantFrom('1', '2'), { noNullPrototype: true });
    const fixed = (of: Record<string, string>) =>
      Object.entries(of)
        .filter(([name]) => !matchesGlob(name, RULES.editable))
        .sort();
    fc.assert(
      fc.property(files, files, (start, own) => {
        const lost = 'train.py' in start && !('train.py' in own);
        const same = JSON.stringify(fixed(start)) === JSON.stringify(fixed(own));
        expect(recipeFault(RULES, tree(start), tree(own)) === null).toBe(same && !lost);
      }),
    );
  });
});

it('names of a whole recipe are judged as those of its files are one by one', () => {
  const name = fc.constantFrom('a', 'A', 'b', 'a.py', 'A.py', 'cafe\u0301', 'caf\u00e9', '..', 'lib');
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(fc.uniqueArray(path, { maxLength: 6 }), (paths) => {
      const alone = paths.every((each) => pathFault(each) === null && collision(each, paths) === null);
      expect(firstNameFault(paths) === null).toBe(alone);
    }),
  );
});

describe('what a task counts', () => {
  const of = (editable: string[], counted: string[], metrics = ['bytes']) =>
    uncounted({ recipe: { editable, counted }, metrics });

  it.each<[string[], string[], string | null]>([
    [['train.py'], ['train.py'], null],
    [['train.py'], ['*.py'], null],
    [['train.py', 'notes.txt'], ['train.py'], 'notes.txt'],
    [['lib/**'], ['lib/'], null],
    [['lib/'], ['**'], null],
    [['lib/*.py', 'lib/deep/**'], ['lib/**'], null],
    [['*.py'], ['?.py'], '*.py'],
    [['lib/**'], ['lib/*'], 'lib/**'],
    [['**'], ['*'], '**'],
    [['library/*.py'], ['lib/**'], 'library/*.py'],
  ])('%j is covered by %j but for %j', (editable, counted, free) => {
    expect(of(editable, counted)).toBe(free);
  });

  it('matters where a size does', () => {
    expect(of(['train.py'], [], ['loss', 'train_s'])).toBeNull();
    expect(of(['train.py'], [], ['loss', 'code_bytes'])).toBe('train.py');
  });

  it('leaves out nothing that may be edited, whatever the globs', () => {
    const part = fc.constantFrom('a', 'b', '*', '?', '**', 'a*', '*.py', 'ab');
    const glob = fc.tuple(fc.array(part, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '/'));
    const globs = fc.array(
      glob.map(([parts, end]) => parts.join('/') + end),
      { minLength: 1, maxLength: 3 },
    );
    const name = fc.constantFrom('a', 'b', 'ab', 'x.py', 'abc');
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(globs, globs, path, (editable, counted, file) => {
        fc.pre(of(editable, counted) === null && matchesGlob(file, editable));
        expect(matchesGlob(file, counted)).toBe(true);
      }),
    );
  });
});

it('text is encoded again to the bytes that it came from', () => {
  expect(textOf(Buffer.from('\ufeffx = 1\r\n'))).toBe('\ufeffx = 1\r\n');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const text = textOf(bytes);
      if (text !== null) expect(Buffer.from(text).equals(bytes)).toBe(true);
    }),
  );
});
