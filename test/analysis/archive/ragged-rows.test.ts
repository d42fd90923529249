import { describe, expect, it } from 'vitest';
import { squareRow, type RowLayout } from '../../../src/analysis/archive/ragged-rows.js';
import { readNumber } from '../../../src/analysis/archive/read-number.js';
import { divideEmbedded } from '../../../src/analysis/archive/embedded-fields.js';

/** id, text, expected, status, score, notes. */
const LAYOUT: RowLayout = { width: 6, status: 3, statuses: new Set(['keep', 'crash']), numeric: [4] };

describe('a ragged row', () => {
  it.each([
    [
      'the rest in the last cell',
      ['7', 'try it -0.1 keep 1.5 fine'],
      ['7', 'try it', '-0.1', 'keep', '1.5', 'fine'],
    ],
    ['empty cells', ['7', 'try it -0.1 crash  '], ['7', 'try it', '-0.1', 'crash', '', '']],
    [
      'notes of several words',
      ['7', 'a b 0 keep 2 more to say'],
      ['7', 'a b', '0', 'keep', '2', 'more to say'],
    ],
    [
      'a status within the text',
      ['7', 'we keep going 0 keep 2 '],
      ['7', 'we keep going', '0', 'keep', '2', ''],
    ],
    ['a delimiter in the notes', ['7', 'a', '0', 'keep', '2', 'x', 'y'], ['7', 'a', '0', 'keep', '2', 'x y']],
    ['the right width', ['7', 'a', '0', 'keep', '2', 'n'], ['7', 'a', '0', 'keep', '2', 'n']],
  ])('is put right: %s', (_, cells, expected) => {
    expect(squareRow(cells, LAYOUT)).toEqual(expected);
  });

  it.each([
    ['no status', ['7', 'try it -0.1 done 1.5 fine']],
    ['no number where one belongs', ['7', 'try it -0.1 keep much fine']],
    ['two ways to read it', ['7', 'a 0 keep 1 b 0 keep 2 c']],
    ['a surplus cell that may belong to either neighbour', ['7', 'a', 'b', '0', 'keep', '2', 'n']],
    ['too few words', ['7', 'keep 1']],
    ['nothing', []],
  ])('is refused where it has %s', (_, cells) => {
    expect(squareRow(cells, LAYOUT)).toBeNull();
  });
});

describe('a number of a table', () => {
  it.each([
    ['-0.0010', -0.001, false],
    ['+2e-4', 2e-4, false],
    ['minus_0.0003', -0.0003, true],
    ['negative_0.0004', -0.0004, true],
    ['"-0.001"', -0.001, true],
    ['\u22120.5', -0.5, true],
  ])('%s', (text, value, odd) => {
    expect(readNumber(text)).toEqual({ value, odd });
  });

  it.each(['', 'n/a', 'Infinity', '1e999', 'NaN', '0x10', '1 2'])('none in %j', (text) => {
    expect(readNumber(text)).toBeNull();
  });
});

it('divides a text from the notes that a torn tool call left in it', () => {
  expect(divideEmbedded('Lower it.</hypothesis> <parameter name="notes">One line.')).toEqual({
    text: 'Lower it.',
    notes: 'One line.',
  });
  expect(divideEmbedded('a < b and c > d')).toEqual({ text: 'a < b and c > d', notes: null });
});
