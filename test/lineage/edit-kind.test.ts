import { describe, expect, it } from 'vitest';
import { editKind } from '../../src/lineage/blob-store/edit-kind.js';

const file = (path: string, text: string) => ({ path, bytes: Buffer.from(text) });
const kindOf = (path: string, before: string, after: string) =>
  editKind([file(path, before)], [file(path, after)]);

describe('an edit is', () => {
  it.each<[string, string, string, string | null]>([
    ['a.py', 'lr = 0.1\n', 'lr = 0.2\n', 'constants'],
    ['a.py', 'lr = 0.1\n', 'lr = -1e-3\n', 'constants'],
    ['a.py', 'f(x, k="a")\n', 'f(x, k="b")\n', 'constants'],
    ['a.py', 'use = True\n', 'use = False\n', 'constants'],
    ['a.py', 'lr = 0.1\n', 'lr = 0.1 * 2\n', 'structural'],
    ['a.py', 'lr = a\n', 'lr = b\n', 'structural'],
    ['a.py', 'if x:\n    a()\n    b()\n', 'if x:\n    a()\nb()\n', 'structural'],
    ['a.py', 's = f"{x}"\n', 's = f"{y}"\n', 'structural'],
    ['a.py', 'lr = 0.1\n', 'lr = 0.1  # knob\n', 'layout'],
    [
      'a.py',
      'def f():\n    """Old."""\n    return 1\n',
      'def f():\n    """New words."""\n    return 1\n',
      'layout',
    ],
    ['a.py', 'f(1,\n  2)\n', 'f(1, 2)\n', 'layout'],
    ['a.py', 'lr = 0.1\n', 'lr = = 2\n', null],
    ['a.c', '#define N 10\n', '#define N 20\n', 'constants'],
    ['a.c', 'int f(void) { return 1; }\n', 'int f(void) { return 1 + g(); }\n', 'structural'],
    ['a.js', 'const a = [1, 2];\n', 'const a = [1, 3];\n', 'constants'],
    ['a.js', 'const a = 1;\n', 'let a = 1;\n', 'structural'],
    ['a.rs', 'fn main() {}\n', 'fn main() { }\n', null],
    ['notes.md', 'a\n', 'b\n', null],
  ])('%s: %j, then %j: %s', async (path, before, after, kind) => {
    expect(await kindOf(path, before, after)).toBe(kind);
  });

  it('structural where a file comes or goes, and as much as its most structural file', async () => {
    expect(await editKind([], [file('a.py', 'a = 1\n')])).toBe('structural');
    expect(await editKind([file('a.py', 'a = 1\n')], [])).toBe('structural');
    const before = [file('a.py', 'a = 1\n'), file('b.py', 'b = 1\n'), file('c.txt', 'x')];
    const after = [file('a.py', 'a = 2\n'), file('b.py', 'b = c\n'), file('c.txt', 'y')];
    expect(await editKind(before, after)).toBe('structural');
    const less = (files: typeof before) => files.filter(({ path }) => path !== 'b.py');
    expect(await editKind(less(before), less(after))).toBeNull();
  });

  it('not known of bytes that are no text', async () => {
    expect(
      await editKind([{ path: 'a.py', bytes: Buffer.of(255, 254) }], [file('a.py', 'a = 1\n')]),
    ).toBeNull();
    expect(await editKind([{ path: 'a.py', bytes: null }], [{ path: 'a.py', bytes: null }])).toBeNull();
  });
});
