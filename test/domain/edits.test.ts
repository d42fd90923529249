import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEdit, MAX_ANSWER, withoutNumbers, type Edit, type Tree } from '../../src/domain/text/edits.js';

const TREE: Tree = new Map([
  ['train.py', 'import numpy\nLR = 0.3\nx = LR\nx = LR\n'],
  ['lib/model.py', 'class Model:\n    pass'],
  ['empty.py', ''],
]);
const EDITABLE = ['train.py', 'lib/**', 'empty.py'];

function done(edit: Edit, files = TREE): { files: Tree; text: string } {
  const result = applyEdit(files, edit, EDITABLE);
  if ('error' in result) throw new Error(result.error);
  return result;
}

function fault(edit: Edit, files = TREE): string {
  const result = applyEdit(files, edit, EDITABLE);
  if (!('error' in result)) throw new Error(`this worked: ${result.text}`);
  return result.error;
}

const view = (path: string, range?: [number, number]): Edit => ({
  command: 'view',
  path,
  ...(range === undefined ? {} : { range }),
});
const create = (path: string, text = 'x'): Edit => ({ command: 'create', path, text });
const insert = (line: number, text: string, path = 'train.py'): Edit => ({
  command: 'insert',
  path,
  line,
  text,
});
function replace(old: string, fresh: string, path = 'train.py'): Edit {
  return { command: 'str_replace', path, old, new: fresh };
}

describe('edits', () => {
  it('shows numbered lines, a range of them, and the files of a folder', () => {
    expect(done(view('train.py', [2, 3])).text).toBe('     2\tLR = 0.3\n     3\tx = LR');
    expect(done(view('.')).text).toContain('lib/model.py (2 lines)');
    expect(done(view('lib')).text).toBe('lib/model.py (2 lines)');
    expect(done(view('empty.py')).text).toContain('empty');
    expect(fault(view('train.py', [9, 10]))).toContain('has 4 lines');
    expect(fault(view('missing.py'))).toContain('Files: empty.py, lib/model.py, train.py');
  });

  it('replaces what occurs exactly once, dollar signs and all', () => {
    expect(done(replace('LR = 0.3', "LR = '$&$1'")).files.get('train.py')).toContain("LR = '$&$1'");
    expect(fault(replace('x = LR', 'y'))).toContain('2 times in "train.py", at lines 3, 4');
    expect(fault(replace('LR = 0.4', 'y'))).toContain('does not occur');
    expect(fault(replace('  LR = 0.3', 'y'))).toContain('like line 2');
    expect(fault(replace('aa', 'b', 'lib/a.py'), new Map([['lib/a.py', 'aaa']]))).toContain('2 times');
    expect(fault(replace('', 'y'))).toContain('empty');
    expect(fault(replace('LR = 0.3', 'LR = 0.3'))).toContain('nothing would change');
  });

  it.each<[Edit, string]>([
    [replace('x = 1\ny = 2', 'x = 3\ny = 4', 'lib/w.py'), 'x = 3\r\ny = 4\r\n'],
    [replace('x = 1\r\ny = 2\r', 'x = 3\ny = 4', 'lib/w.py'), 'x = 3\r\ny = 4\r\n'],
    [insert(1, 'a = 0\nb = 0', 'lib/w.py'), 'x = 1\r\na = 0\r\nb = 0\r\ny = 2\r\n'],
    [insert(2, 'a = 0\r\n', 'lib/w.py'), 'x = 1\r\ny = 2\r\na = 0\r\n'],
  ])('keeps the CR LF of a file with %j', (edit, expected) => {
    const files = new Map([['lib/w.py', 'x = 1\r\ny = 2\r\n']]);
    expect(done(edit, files).files.get('lib/w.py')).toBe(expected);
  });

  it('leaves the line ends of a file that has both', () => {
    const files = new Map([['lib/w.py', 'x = 1\r\ny = 2\n']]);
    expect(done(insert(2, 'z\n', 'lib/w.py'), files).files.get('lib/w.py')).toBe('x = 1\r\ny = 2\nz\n');
    expect(fault(replace('x = 1\ny = 2', 'z', 'lib/w.py'), files)).toContain('some in LF');
  });

  it('inserts after a line, at the beginning, and after an open last line', () => {
    const model = 'class Model:\n    pass\nclass B:\n';
    expect(done(insert(0, 'first')).files.get('train.py')).toMatch(/^first\nimport/);
    expect(done(insert(2, 'class B:\n', 'lib/model.py')).files.get('lib/model.py')).toBe(model);
    expect(done(insert(0, 'x', 'empty.py')).files.get('empty.py')).toBe('x\n');
    expect(fault(insert(5, 'x'))).toContain('has 4 lines');
  });

  it('changes only what the globs name, and says what that is', () => {
    expect(fault(create('evaluator.py'))).toContain('you may change: train.py, lib/**, empty.py');
    expect(done(create('lib/new/deep.py')).files.get('lib/new/deep.py')).toBe('x');
    expect(done(create('./train.py')).files.get('train.py')).toBe('x');
  });

  it('keeps text that cannot be stored out of the recipe', () => {
    expect(fault(create('train.py', 'a\0b'))).toContain('NUL');
    expect(fault(create('train.py', 'a\ud800b'))).toContain('surrogate');
    expect(fault(create('train.py', 'x'.repeat(1_000_001)))).toContain('1000001');
  });

  const texts = fc.array(fc.constantFrom('a', 'b', 'ab', '', 'LR = 1', '    x'), { maxLength: 12 });

  it('replaces in one file and changes nothing else, the given tree least of all', () => {
    fc.assert(
      fc.property(texts, fc.string({ maxLength: 6 }), fc.string({ maxLength: 6 }), (lines, old, fresh) => {
        const text = lines.join('\n');
        const files: Tree = new Map([...TREE, ['lib/p.py', text]]);
        const result = applyEdit(files, replace(old, fresh, 'lib/p.py'), EDITABLE);
        expect(files.get('lib/p.py')).toBe(text);
        if ('error' in result) return;
        expect(result.files.get('lib/p.py')).toBe(text.split(old).join(fresh));
        for (const [path, before] of TREE) expect(result.files.get(path)).toBe(before);
      }),
    );
  });

  it('inserts whole lines where it says', () => {
    fc.assert(
      fc.property(texts, fc.nat(14), (lines, at) => {
        const whole = (rows: readonly string[]): string => rows.map((row) => `${row}\n`).join('');
        const files: Tree = new Map([['lib/p.py', whole(lines)]]);
        const result = applyEdit(files, insert(at, 'new\nlines', 'lib/p.py'), EDITABLE);
        if ('error' in result) expect(at).toBeGreaterThan(lines.length);
        else {
          const expected = whole([...lines.slice(0, at), 'new', 'lines', ...lines.slice(at)]);
          expect(result.files.get('lib/p.py')).toBe(expected);
        }
      }),
    );
  });

  it('answers in bounded size', () => {
    const big = Array.from({ length: 20_000 }, (_, index) => `line ${index} ${'y'.repeat(index % 90)}`).join(
      '\n',
    );
    const files: Tree = new Map([
      ['lib/big.py', big],
      ['lib/wide.py', 'z'.repeat(900_000)],
    ]);
    const edits = [
      view('lib/big.py'),
      view('lib/wide.py'),
      insert(3, big.slice(0, 90_000), 'lib/big.py'),
      { command: 'search', pattern: 'line' } as const,
      { command: 'search', pattern: '[yz]+$' } as const,
      replace(big.slice(0, 20_000) + '?', 'x', 'lib/big.py'),
    ];
    for (const edit of edits) {
      const result = applyEdit(files, edit, EDITABLE);
      expect('error' in result ? result.error.length : result.text.length).toBeLessThan(MAX_ANSWER + 200);
    }
  });

  it('shows a file so that it can be read back', () => {
    fc.assert(
      fc.property(texts, (lines) => {
        const text = lines.join('\n');
        const shown = done(view('lib/p.py'), new Map([['lib/p.py', text]]));
        expect(withoutNumbers(shown.text)).toBe(text.endsWith('\n') ? text.slice(0, -1) : text);
      }),
    );
  });
});
