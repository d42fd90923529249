import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  placeOfTraining,
  shiftBetween,
  shifted,
  type AskedTraining,
  type HostClasses,
  type Place,
} from '../../../src/domain/devices/calibration.js';
import { hostClassOf, type CalibratedClass } from '../../../src/domain/devices/host-class.js';
import { MACHINE } from '../../builders/machine.js';

const classOf = (id: string, work: CalibratedClass['work'] = 'train'): CalibratedClass => ({
  work,
  trainedBy: '',
  shift: {},
  ...hostClassOf(MACHINE, 'Python', []),
  id,
});

describe('the place of a training', () => {
  const [first, second] = [classOf('first'), classOf('second')];
  const asked = (kind: AskedTraining['kind'], hostClass: string | null = null): AskedTraining => ({
    kind,
    hostClass,
  });

  it.each<[string, CalibratedClass[], string, AskedTraining, HostClasses, Place]>([
    ['the start, before anything is known', [], 'any class', asked('start'), 'one', 'here'],
    ['a trial on the first class', [first], 'first', asked('trial'), 'one', 'here'],
    ['a trial on another one', [first], 'second', asked('trial'), 'one', 'elsewhere'],
    [
      'a trial where others evaluate',
      [classOf('second', 'evaluate'), first],
      'second',
      asked('trial'),
      'one',
      'elsewhere',
    ],
    ['a trial on another one of any', [first], 'second', asked('trial'), 'any', 'uncalibrated'],
    ['a trial on a calibrated one of any', [first, second], 'second', asked('trial'), 'any', 'here'],
    ['the start on another one of any', [first], 'second', asked('start'), 'any', 'elsewhere'],
    ['a claim on a calibrated one of any', [first, second], 'second', asked('claim'), 'any', 'elsewhere'],
    ['a calibration on its class', [first], 'second', asked('calibration', 'second'), 'any', 'here'],
    ['a calibration on another class', [first], 'first', asked('calibration', 'second'), 'any', 'elsewhere'],
  ])('of %s', (_what, calibrated, own, training, allowed, place) => {
    expect(placeOfTraining(calibrated, own, training, allowed)).toBe(place);
  });
});

describe('what is added to metrics of a class', () => {
  it('is the difference of the means of the start, for metrics that both have', () => {
    const [there, here] = [
      [{ loss: 2, bytes: 5 }, { loss: 4 }],
      [{ loss: 1, bytes: 9 }, { loss: 1 }],
    ];
    expect(shiftBetween(['loss', 'speed'], there, here)).toEqual({ loss: 2 });
    expect(shiftBetween(['loss'], there, [])).toEqual({});
  });

  it('makes the start score alike on both, and leaves other metrics', () => {
    const scores = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 9 });
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    fc.assert(
      fc.property(scores, scores, (first, own) => {
        const runs = (values: readonly number[]) => values.map((loss) => ({ loss, bytes: 7 }));
        const shift = shiftBetween(['loss'], runs(first), runs(own));
        const moved = runs(own).map((run) => shifted(run, shift));
        expect(mean(moved.map(({ loss }) => loss ?? NaN))).toBeCloseTo(mean(first), 4);
        expect(moved.every(({ bytes }) => bytes === 7)).toBe(true);
      }),
    );
  });
});
