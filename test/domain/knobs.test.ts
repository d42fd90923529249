import fc from 'fast-check';
import { expect, it } from 'vitest';
import { knobsOf, turned } from '../../src/domain/text/knobs.js';

const KNOBS: [line: string, name: string, value: number, low: number, high: number, log: boolean][] = [
  ['LR = 0.3  # knob: 0.01..3 log', 'LR', 0.3, 0.01, 3, true],
  ['HIDDEN = 64 # knob: 8..256', 'HIDDEN', 64, 8, 256, false],
  ['x: float = 1.0  # knob: -1..2', 'x', 1, -1, 2, false],
  ['    width: int = 1_000  # knob: 100..10_000 log', 'width', 1000, 100, 10_000, true],
  ['    lr=3e-4,  # knob: 1e-5..1e-2 log', 'lr', 3e-4, 1e-5, 1e-2, true],
  ['self.momentum = .9  # knob: 0..0.99', 'momentum', 0.9, 0, 0.99, false],
  ['const LR = 0.3; // knob: 0.01..3 log', 'LR', 0.3, 0.01, 3, true],
  ['let rate: number = 2 // knob: 1..9', 'rate', 2, 1, 9, false],
  ['static const float decay = 0.5f;  // knob: 0..1', 'decay', 0.5, 0, 1, false],
  ['std::size_t width = 64u; /* knob: 8..256 */', 'width', 64, 8, 256, false],
  ['#define STEPS 500 // knob: 100..5_000', 'STEPS', 500, 100, 5000, false],
  ['# define RATE 0.5f /* knob: 0..1 */', 'RATE', 0.5, 0, 1, false],
  ['let mut rate: f64 = 1.0; // knob: 0.1..10.0 log', 'rate', 1, 0.1, 10, true],
  ['rate := 0.25 // knob: 0.1..10 log', 'rate', 0.25, 0.1, 10, true],
];

it.each(KNOBS)('reads %s', (line, name, value, low, high, log) => {
  expect(knobsOf(`other = 5\n${line}\r\n\n`)).toMatchObject([{ name, value, low, high, log, line }]);
});

it.each([
  'other = 5',
  'x = 5  # a knob: 1..2 of old',
  'x = y  # knob: 1..2',
  'if x == 3:  # knob: 1..5',
  'x += 3  # knob: 1..5',
  'x <= 3  # knob: 1..5',
  'x = 1__0  # knob: 1..5',
  'x = 1e999  # knob: 1..5',
  'x = 3  knob: 1..5',
  'knob: 1..5',
  `x = 3${' '.repeat(1000)}# knob: 1..5`,
])('%s marks nothing', (line) => expect(knobsOf(line)).toEqual([]));

it('turns a knob to a line that reads back as the same knob within its range', () => {
  const source = KNOBS.map(([line]) => line).join('\n');
  fc.assert(
    fc.property(
      fc.constantFrom(...knobsOf(source)),
      fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
      (knob, value) => {
        const [back] = knobsOf(turned(knob, value));
        const { name, low, high, log, integer } = knob;
        expect(back).toMatchObject({ name, low, high, log, integer });
        expect(back?.value).toBeGreaterThanOrEqual(low);
        expect(back?.value).toBeLessThanOrEqual(high);
      },
    ),
  );
});

it.each([
  ['let rate: f64 = 0.5; // knob: 0..4', 2, 'let rate: f64 = 2.0; // knob: 0..4'],
  ['float rate = 0.5f; // knob: 0..4', 2, 'float rate = 2.0f; // knob: 0..4'],
  ['float rate = 1e-3f; // knob: 1e-5..1', 7, 'float rate = 1.0f; // knob: 1e-5..1'],
  ['let rate: f64 = 1E2; // knob: 1..1000', 20, 'let rate: f64 = 20.0; // knob: 1..1000'],
  ['n = 1_000  # knob: 1..5_000', 20, 'n = 20  # knob: 1..5_000'],
  ['n = 1  # knob: 0.5..4', 2.5, 'n = 2.5  # knob: 0.5..4'],
])('%s at %d is %s', (line, value, expected) => {
  expect(knobsOf(line).map((knob) => turned(knob, value))).toEqual([expected]);
});
