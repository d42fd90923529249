import { expect, it } from 'vitest';
import { LivingDrains } from '../../src/devices/living-drains.js';

const note = (renewals: number, size = 8) => ({ host: 'a', size, renewals });

it('takes a host for living while its counter moves, by no clock but that of whoever looks', () => {
  const drains = new LivingDrains();
  expect(drains.look([note(7)], 50)).toEqual([{ host: 'a', size: 8, moved: false }]);
  expect(drains.look([note(8)], 9000)).toEqual([{ host: 'a', size: 8, moved: true }]);
  expect(drains.look([note(8)], 18_999)).toHaveLength(1);
  expect(drains.look([note(8)], 19_000)).toEqual([]);
  expect(drains.look([note(9, 4)], 90_000)).toEqual([{ host: 'a', size: 4, moved: true }]);
});

it('takes a note that never moves for that of a dead host after ten seconds', () => {
  const drains = new LivingDrains();
  expect(drains.look([note(7)], 0)).toHaveLength(1);
  expect(drains.look([note(7)], 10_000)).toEqual([]);
  expect(drains.look([], 11_000)).toEqual([]);
});
