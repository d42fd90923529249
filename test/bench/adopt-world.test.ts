import { describe, expect, it } from 'vitest';
import { estimate } from '../../bench/adopt/comparison.js';
import { MIXES, SCENARIOS, type Scenario } from '../../bench/adopt/scenarios.js';
import { HUGE_PROPOSAL, SimulatedWorld, type SimulatedRecipe } from '../../bench/adopt/world.js';

const PROPOSALS = 20_000;
const RUNS = 40_000;

function scenarioOf(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`no scenario "${name}"`);
  return found;
}
const worldOf = (name: string, repetition = 0, proposals = PROPOSALS): SimulatedWorld =>
  new SimulatedWorld(scenarioOf(name), repetition, proposals);

const childrenOf = (world: SimulatedWorld, parent: SimulatedRecipe = world.start): SimulatedRecipe[] =>
  Array.from({ length: PROPOSALS }, (_, proposal) => world.child(parent, proposal));
const effectsOf = (world: SimulatedWorld): number[] =>
  childrenOf(world).map(({ score }) => score - world.start.score);

/** The standard deviation of many runs of the start, in those of the scenario. */
function spreadOf(name: string): number {
  const world = worldOf(name);
  const scores = Array.from({ length: RUNS }, () => world.measure(world.start));
  return (estimate(scores).standardError * Math.sqrt(RUNS)) / scenarioOf(name).sd;
}

function expectNear(values: readonly number[], expected: number): void {
  const { mean, standardError } = estimate(values);
  expect(Math.abs(mean - expected)).toBeLessThan(4 * standardError + 1e-15);
}

describe('effects of proposals', () => {
  it.each([
    ['few', 'few 5e-4 plain 1'],
    ['many', 'many 5e-4 plain 1'],
    ['mid', 'mid 5e-4 floor 1'],
  ] as const)('of the mix %s have its shares and mean sizes', (mix, name) => {
    const world = new SimulatedWorld({ ...scenarioOf(name), kind: 'plain' }, 0, PROPOSALS);
    const effects = effectsOf(world);
    const { gains, harms } = MIXES[mix];
    expectNear(
      effects.map((effect) => Number(effect < 0)),
      gains.share,
    );
    expectNear(
      effects.map((effect) => Number(effect > 0)),
      harms.share,
    );
    expectNear(
      effects.filter((effect) => effect < 0),
      -gains.mean,
    );
    expectNear(
      effects.filter((effect) => effect > 0),
      harms.mean,
    );
  });

  it('of a null do nothing', () => {
    const nulls = SCENARIOS.filter(({ mix, kind }) => mix === 'null' && kind !== 'huge');
    expect(nulls.length).toBeGreaterThan(0);
    for (const { name } of nulls) expect(new Set(effectsOf(worldOf(name)))).toEqual(new Set([0]));
  });

  it('of huge are one gain of 24 sd and 47 times less noise, after proposals that do nothing', () => {
    const world = worldOf('many 5e-4 huge 1');
    const children = childrenOf(world);
    expect(world.start.sd).toBeCloseTo(47 * 5e-4);
    expect(children.slice(0, HUGE_PROPOSAL)).toEqual(Array(HUGE_PROPOSAL).fill(world.start));
    const large = children[HUGE_PROPOSAL];
    expect(large?.score).toBeCloseTo(-24 * world.start.sd);
    expect(large?.sd).toBe(5e-4);
    expect(world.givenGain).toBe(-(large?.score ?? 0));
    expect(children.slice(HUGE_PROPOSAL + 1).every(({ sd }) => sd === world.start.sd)).toBe(true);
  });

  it('of floor shrink with the distance to it, and so does the noise', () => {
    const world = worldOf('mid 5e-4 floor 1');
    const floor = -20 * 5e-4;
    const near = { score: floor / 2, sd: world.start.sd / 2 };
    const [far, close] = [childrenOf(world), childrenOf(world, near)];
    const distances = far.map(({ score }) => score - floor);
    expect(Math.min(...distances)).toBeGreaterThan(0);
    const largest = (off: (i: number, distance: number) => number): number =>
      Math.max(...distances.map((distance, i) => Math.abs(off(i, distance))));
    expect(largest((i, distance) => (far[i]?.sd ?? NaN) + (world.start.sd * distance) / floor)).toBeLessThan(
      1e-15,
    );
    expect(largest((i, distance) => (close[i]?.score ?? NaN) - floor - distance / 2)).toBeLessThan(1e-15);
    expect(largest((i) => (close[i]?.sd ?? NaN) - (far[i]?.sd ?? NaN) / 2)).toBeLessThan(1e-15);
  });

  it('of family change the noise of 8 %, to 7 times more … 7 times less than the start’s', () => {
    const world = worldOf('few 3e-4 family 1');
    const quiet = { score: 0, sd: world.start.sd / 3 };
    const factors = childrenOf(world, quiet).map(({ sd }) => sd / world.start.sd);
    const changed = factors.filter((factor) => Math.abs(factor - 1 / 3) > 1e-12);
    expectNear(
      factors.map((factor) => Number(Math.abs(factor - 1 / 3) > 1e-12)),
      0.08,
    );
    expect(Math.max(...changed)).toBeLessThan(7);
    expect(Math.max(...changed)).toBeGreaterThan(6.5);
    expect(Math.min(...changed)).toBeGreaterThan(7 / 50);
    expect(Math.min(...changed)).toBeLessThan(7 / 45);
    expectNear(changed.map(Math.log), Math.log(7) - Math.log(50) / 2);
  });
});

describe('noise of runs', () => {
  it.each([
    ['plain', 'few 5e-4 plain 1', 1],
    ['huge', 'few 5e-4 huge 1', 47],
    ['t4', 'few 5e-4 t4 1', 1],
  ])('of %s has its standard deviation', (_, name, expected) => {
    expect(Math.abs(spreadOf(name) / expected - 1)).toBeLessThan(0.05);
  });

  it('of t4 has the tails of Student’s t with 4 degrees of freedom', () => {
    const world = worldOf('few 5e-4 t4 1');
    // P(|t| > 4.604) = 0.01, and scores are scaled by 1/√2
    const beyond = Array.from({ length: RUNS }, () =>
      Number(Math.abs(world.measure(world.start)) > (4.6041 / Math.SQRT2) * 5e-4),
    );
    expectNear(beyond, 0.01);
  });

  it('of hosts is that of a run and of offsets that start at half of it and drift', () => {
    const squaresAfter = (runs: number): number[] =>
      Array.from({ length: 400 }, (_, repetition) => {
        const world = worldOf('few 5e-4 hosts 1', repetition, 0);
        for (let run = 0; run < runs; run += 1) world.measure(world.start);
        return (world.measure(world.start) / 5e-4) ** 2;
      });
    expectNear(squaresAfter(0), 1 + 0.5 ** 2);
    expectNear(squaresAfter(1000), 1 + 0.5 ** 2 + 1000 * 0.02 ** 2);
  });
});

it('the same repetition is the same world, another one is not', () => {
  const draws = (name: string, repetition: number): unknown => {
    const world = worldOf(name, repetition, 500);
    return Array.from({ length: 500 }, (_, proposal) => [
      world.child(world.start, proposal),
      world.measure(world.start),
    ]);
  };
  for (const { name } of SCENARIOS) {
    expect(draws(name, 3)).toEqual(draws(name, 3));
    expect(draws(name, 3)).not.toEqual(draws(name, 4));
  }
});
