import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDelimited } from '../../../src/analysis/archive/delimited.js';

const cells = (text: string): string[][] => parseDelimited(text).rows.map((row) => row.cells);

describe('a delimited table', () => {
  it.each([
    [
      'plain cells',
      'a\tb\nc\td\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['no last newline', 'a\tb', [['a', 'b']]],
    ['empty cells at both ends', '\tb\t\n', [['', 'b', '']]],
    [
      'lines of another system',
      'a\tb\r\nc\td\r\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['empty lines', 'a\n\n\nb\n', [['a'], ['b']]],
    ['a quoted delimiter', '"a\tb"\tc', [['a\tb', 'c']]],
    ['doubled quotes', '"say ""no"""\tc', [['say "no"', 'c']]],
    ['text behind a closing quote', '"a" b\tc', [['a b', 'c']]],
    ['a quote within a cell', 'a "b" c\td', [['a "b" c', 'd']]],
    ['a byte order mark', '\uFEFFa\tb', [['a', 'b']]],
  ])('reads %s', (_, text, expected) => {
    expect(cells(text)).toEqual(expected);
  });

  it('keeps cells over several lines whole, counts them, and knows the lines of the file', () => {
    const table = parseDelimited('h1\th2\n"one\ntwo\nthree"\tx\nlast\ty\n');
    expect(table.multiline).toBe(1);
    expect(table.rows).toEqual([
      { line: 1, cells: ['h1', 'h2'] },
      { line: 2, cells: ['one\ntwo\nthree', 'x'] },
      { line: 5, cells: ['last', 'y'] },
    ]);
  });

  it('takes a quote that never closes as a character, and counts it', () => {
    const table = parseDelimited('"open\tb\nc\td\n');
    expect(table.rows.map((row) => row.cells)).toEqual([
      ['"open', 'b'],
      ['c', 'd'],
    ]);
    expect(table.unclosed).toBe(1);
  });

  it('reads back whatever was written with every cell quoted', () => {
    const row = fc.array(fc.string({ unit: fc.constantFrom('a', '"', '\t', '\n', ' ', 'é') }), {
      minLength: 2,
      maxLength: 5,
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), (rows) => {
        const text = rows
          .map((own) => own.map((cell) => `"${cell.replaceAll('"', '""')}"`).join('\t'))
          .join('\n');
        expect(cells(text)).toEqual(rows);
      }),
    );
  });
});
