import { describe, expect, it } from 'vitest';
import { mergeStep, mergeTexts } from '../../src/domain/text/merge.js';

const BASE = 'a\nb\nc\nd\ne\n';

describe('two changes of a text', () => {
  it.each([
    ['in different places', 'A\nb\nc\nd\ne\n', 'a\nb\nc\nd\nE\n', 'A\nb\nc\nd\nE\n'],
    ['that are the same', 'a\nb\nC\nd\ne\n', 'a\nb\nC\nd\ne\n', 'a\nb\nC\nd\ne\n'],
    ['of which one adds and one removes', 'a\nb\nx\nc\nd\ne\n', 'a\nb\nc\nd\n', 'a\nb\nx\nc\nd\n'],
    ['of which one is none', BASE, 'z\n', 'z\n'],
  ])('%s are merged', (_, ours, theirs, text) => {
    expect(mergeTexts(BASE, ours, theirs)).toEqual({ text });
    expect(mergeTexts(BASE, theirs, ours)).toEqual({ text });
  });

  it('of the same lines are told with their place', () => {
    expect(mergeTexts(BASE, 'a\nb\nmine\nd\ne\n', 'a\nb\nits\nd\ne\n')).toEqual({
      conflicts: [{ line: 3, ours: 'mine', theirs: 'its' }],
    });
    expect(mergeTexts('', 'mine\n', 'its\n')).toHaveProperty('conflicts');
  });

  it('of many equal lines are refused, since comparing them would take too long', () => {
    const equal = (last: string): string => `${'x\n'.repeat(3000)}${last}`;
    expect(mergeTexts(equal('a'), equal('b'), equal('c'))).toHaveProperty('refused');
  });
});

describe('a file of two trees', () => {
  it.each([
    ['a', 'a', 'a', 'ours'],
    ['a', 'b', 'a', 'ours'],
    ['a', 'a', 'b', 'theirs'],
    ['a', 'b', 'b', 'ours'],
    ['a', 'b', 'c', 'lines'],
    [undefined, 'b', 'c', 'lines'],
    [undefined, 'b', undefined, 'ours'],
    [undefined, undefined, 'c', 'theirs'],
    ['a', undefined, 'a', 'ours'],
    ['a', 'a', undefined, 'theirs'],
    ['a', undefined, 'c', 'conflict'],
    ['a', 'b', undefined, 'conflict'],
  ] as const)('base %s, ours %s, theirs %s: %s', (base, ours, theirs, step) => {
    expect(mergeStep(base, ours, theirs)).toBe(step);
  });
});
