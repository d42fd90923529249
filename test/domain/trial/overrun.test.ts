import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSlow, mayBeSlow, usualSpeed } from '../../../src/domain/trial/host-use.js';
import { budgetText, isFinal, overrunFailure, type Overrun } from '../../../src/domain/trial/overrun.js';

const over = (usedS: number, hostSpeed: number | null, usual: number | null = null): Overrun => ({
  ...{ usedS, hostSpeed, usualSpeed: usual, cpuS: 3.14, load: 7.25 },
});

describe('the speed of a host', () => {
  it.each([
    [[], 1],
    [[0.5], 0.5],
    [[0.9, 0.3, 0.6], 0.6],
    [[0.2, 1, 0.6, 0.8], 0.7],
  ])('is usually, of %j, %f', (speeds, usual) => expect(usualSpeed(speeds)).toBeCloseTo(usual, 12));

  it.each([
    [0.5, 1, true],
    [0.89, 1, true],
    [0.9, 1, false],
    [0.5, 0.5, false],
    [0.44, 0.5, true],
    [null, 1, false],
  ])('of %s, usually %f, is slow: %s', (speed, usual, slow) => {
    expect(isSlow({ hostSpeed: speed, usualSpeed: usual })).toBe(slow);
    expect(isFinal(over(1, speed, usual))).toBe(!slow);
  });

  it('is asked for only where it can matter', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.option(part), fc.array(part), (speed, speeds) => {
        if (mayBeSlow(speed)) return;
        expect(isSlow({ hostSpeed: speed, usualSpeed: usualSpeed(speeds) })).toBe(false);
      }),
    );
  });
});

describe('an overrun in words', () => {
  const clock = { budget: { seconds: 10, tolerance: 1 }, limitS: 11 };
  const limit = { name: 'budget', used: 11.002, allowed: 11, unit: 's' };
  const failure = overrunFailure.bind(null, 'train', clock);

  it('says budget, tolerance and numbers, and nothing of a host at its usual speed', () => {
    expect(failure([over(11.002, 0.99)])).toEqual({
      status: 'train_budget_overrun',
      reason: 'trained for more than 10 s and its tolerance of 1 s',
      limit,
      busyHost: false,
    });
    expect(overrunFailure('pack', clock, [over(12, 1)]).reason).toMatch(/^packed for more/);
  });

  it('says of two runs how fast the host went, and the less of both', () => {
    const { reason, limit: said } = failure([over(11.5, 0.61, 0.97), over(11.002, null)]);
    expect(reason).toBe(
      'trained for more than 10 s and its tolerance of 1 s, and again when it was measured once more (the host at 0.61 of its full speed (usually 0.97), load 7.3 a processor, 3.14 s of a processor used; then the host at an unknown part of its full speed, load 7.3 a processor, 3.14 s of a processor used)',
    );
    expect(said).toEqual(limit);
  });

  it('says where nothing is known of the host, and where a wall limit came first', () => {
    expect(failure([over(11.002, null)]).reason).toMatch(/; how fast the host went is not known$/);
    const wall = overrunFailure('train', { ...clock, limitS: 10.5 }, [over(10.6, 1)]);
    expect(wall).toMatchObject({ reason: 'wall limit: 10.6 of 10.5 s, 0.1 over', limit: { name: 'wall' } });
  });
});

it.each([
  [{ wallMs: 9612, budgetS: 10, hostSpeed: 0.97, usualSpeed: null }, '9.61 of 10 s'],
  [{ wallMs: 7200, budgetS: 10, hostSpeed: 0.97, usualSpeed: null }, '7.2 of 10 s, 28 % of it unused'],
  [{ wallMs: 9612, budgetS: 10, hostSpeed: 0.8, usualSpeed: 0.82 }, '9.61 of 10 s'],
  [{ wallMs: 9612, budgetS: 10, hostSpeed: null, usualSpeed: null }, '9.61 of 10 s'],
  [
    { wallMs: 9612, budgetS: 10, hostSpeed: 0.62, usualSpeed: 0.97 },
    '9.61 of 10 s, on a host at 0.62 of its full speed (usually 0.97)',
  ],
  [{ wallMs: 9612, budgetS: null, hostSpeed: 0.1, usualSpeed: 1 }, null],
])('%j is told as %s', (use, text) => expect(budgetText(use)).toBe(text));
