import { expect, it } from 'vitest';
import { curveRows } from '../../../src/domain/trial/curve.js';

const linear = (end: number, from: number) =>
  Array.from({ length: 10 }, (_, at) => ({ share: (end * (at + 1)) / 10, value: from - at }));

it('curves are laid side by side, each up to its own end', () => {
  expect(curveRows([linear(1, 9), linear(0.5, 19)], 4)).toEqual([
    { share: 0.25, values: [8, 15] },
    { share: 0.5, values: [5, 10] },
    { share: 0.75, values: [3, null] },
    { share: 1, values: [0, null] },
  ]);
});

it('a curve without points has no rows, and one that begins late has none before', () => {
  expect(curveRows([[]], 4)).toEqual([]);
  expect(curveRows([[{ share: 1, value: 3 }]], 2)).toEqual([{ share: 1, values: [3] }]);
});
