import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../src/domain/text/pattern.js';
import { searchTree } from '../../src/domain/text/search.js';

function found(pattern: string, files: Record<string, string>): string {
  const result = searchTree(new Map(Object.entries(files)), pattern);
  return 'error' in result ? result.error : result.text;
}

describe('search', () => {
  it('finds lines by expression, and takes a broken expression as text', () => {
    expect(found('^x = L[A-Z]$', { a: 'x = LR\ny', b: 'x = LR' })).toBe('a:1: x = LR\nb:1: x = LR');
    expect(found('nowhere', { a: 'x' })).toBe('no line matches');
    expect(found('f(x', { a: 'f(x)' })).toMatch(/^a:1: f\(x\)\n\[searched as plain text/);
    expect(found('(?=x)', { a: 'x' })).toMatch(/^no line matches\n\[searched as plain text/);
    expect(found('', { a: 'x' })).toBe('pattern is empty.');
  });

  it('is not stopped by patterns that make backtracking engines hang', () => {
    const files = { a: `${'a'.repeat(5000)}!\n`.repeat(100) };
    for (const pattern of ['(a+)+$', '(a|a)*b', '(.*)*x', '.*.*.*.*.*=', '((a{1,9}){1,9})*b'])
      expect(found(pattern, files)).toMatch(/^no line matches/);
    expect(found('((((((a{9}){9}){9}){9}){9}){9})', files)).toContain('searched as plain text');
  });

  it('agrees with the language’s own expressions', () => {
    const atom = fc.constantFrom(
      'a',
      'b',
      '.',
      '[ab]',
      '[^a]',
      '\\d',
      '\\w',
      '(a|b)',
      '(?:ab|)',
      '^',
      '$',
      '\\b',
      '1',
    );
    const sign = fc.constantFrom('', '', '*', '+', '?', '{2}', '{0,2}', '{1,}');
    const part = fc.tuple(atom, sign).map(([a, s]) => (/^[\^$]$|^\\b$/.test(a) ? a : a + s));
    const line = fc.string({ unit: fc.constantFrom('a', 'b', '1', ' ', '-'), maxLength: 8 });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), line, (parts, text) => {
        const pattern = parts.join('');
        const agreed = compilePattern(pattern)?.find(text, Infinity).found === new RegExp(pattern).test(text);
        expect(agreed ? '' : `${pattern} on ${text}`).toBe('');
      }),
      { numRuns: 2000 },
    );
  });
});
