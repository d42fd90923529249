import fc from 'fast-check';
import { expect, it } from 'vitest';
import { knobsOf, turned } from '../../src/domain/text/knobs.js';

const SOURCE = [
  'import numpy',
  'LR = 0.3  # knob: 0.01..3 log',
  'HIDDEN = 64 # knob: 8..256',
  'other = 5',
  '',
].join('\n');

it('finds the marked constants and nothing else', () => {
  expect(
    knobsOf(SOURCE).map(({ name, value, low, high, log, integer }) => [name, value, low, high, log, integer]),
  ).toEqual([
    ['LR', 0.3, 0.01, 3, true, false],
    ['HIDDEN', 64, 8, 256, false, true],
  ]);
});

it('turns a knob to a line that reads back as the same knob within its range', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...knobsOf(SOURCE)),
      fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
      (knob, value) => {
        const [back] = knobsOf(turned(knob, value));
        expect(back).toMatchObject({
          name: knob.name,
          low: knob.low,
          high: knob.high,
          log: knob.log,
          integer: knob.integer,
        });
        expect(back?.value).toBeGreaterThanOrEqual(knob.low);
        expect(back?.value).toBeLessThanOrEqual(knob.high);
      },
    ),
  );
});
