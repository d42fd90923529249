import { describe, expect, it } from 'vitest';
import { mostMoved, withChanges } from '../../src/domain/text/table-changes.js';

const BEFORE = `0.9914 bits/byte on 65536 bytes; no model can average below 0.8663 on this text.
Where the bits go (share of bytes, bits/byte, contribution to the total):
  word, letter 1                16.5%   2.230   0.368
  word, letter 2                12.0%   1.100   0.132
  space and punctuation         20.0%   0.300   0.060
Bytes that cost more than 8 bits: 0.51%.`;
const NOW = BEFORE.replace('0.9914', '0.9360')
  .replace('2.230   0.368', '2.100   0.347')
  .replace('1.100   0.132', '1.120   0.134')
  .replace('space and punctuation         20.0%', 'space, punctuation            20.0%');

describe('a report of the evaluator', () => {
  it('tells the change of each number of a row that the parent has too', () => {
    expect(withChanges(NOW, BEFORE)).toEqual([
      '0.9360 bits/byte on 65536 bytes; no model can average below 0.8663 on this text.  [-0.0554 = =]',
      'Where the bits go (share of bytes, bits/byte, contribution to the total):',
      '  word, letter 1                16.5%   2.100   0.347  [= -0.130 -0.021]',
      '  word, letter 2                12.0%   1.120   0.134  [= +0.020 +0.002]',
      '  space, punctuation            20.0%   0.300   0.060',
      'Bytes that cost more than 8 bits: 0.51%.  [= =]',
    ]);
  });

  it('is as it is without one of the parent', () => {
    expect(withChanges(NOW, null)).toEqual(NOW.split('\n'));
    expect(withChanges('', BEFORE)).toEqual([]);
  });

  it.each([
    ['the row of a table that moved most', NOW, { label: 'word, letter 1', from: 0.368, to: 0.347 }],
    ['nothing where nothing moved', BEFORE, null],
    ['nothing outside of tables', BEFORE.replace('0.51%', '9.51%'), null],
    ['nothing of an empty report', '', null],
  ])('names %s', (_, now, moved) => {
    expect(mostMoved(now, BEFORE)).toEqual(moved);
  });

  it('compares rows by the last column that changed', () => {
    const before = 'Accuracies, and that of chance:\n  boolq: 0.61 (0.50)\n  hellaswag: 0.30 (0.25)';
    const now = before.replace('0.61', '0.60').replace('0.30', '0.33');
    expect(mostMoved(now, before)).toEqual({ label: 'hellaswag', from: 0.3, to: 0.33 });
    expect(withChanges(now, before)[2]).toBe('  hellaswag: 0.33 (0.25)  [+0.03 =]');
  });

  it('keeps rows with equal labels in their order', () => {
    expect(withChanges('a 1\na 2', 'a 1\na 1')).toEqual(['a 1  [=]', 'a 2  [+1]']);
  });
});
