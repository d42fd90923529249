import { expect, it } from 'vitest';
import { speedOf } from '../../src/measure/rehearse.js';

const run = (hostSpeed: number | null, cpuS: number | null) => ({ hostSpeed, cpuS });

it.each([
  ['an evaluation that computes', [run(0.5, 5), null, null], 0.5],
  ['one that sleeps on the same host', [run(0.5, 0.1), run(0.4, 0.1), null], 0.975],
  ['one whose server computes while it sleeps', [run(1, 0.2), run(0.5, 4), null], 0.6],
  ['one of which only the speed is known', [run(0.5, null), null, null], 0.5],
  ['one of which nothing is known', [run(null, null), null, null], null],
])('%s lost to its host what its processes waited for', (_what, runs, speed) => {
  const found = speedOf(runs, 10);
  if (speed === null) expect(found).toBeNull();
  else expect(found).toBeCloseTo(speed, 6);
});
