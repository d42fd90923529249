// Fits a polynomial to points by stochastic gradient descent. Agents may change everything in this file.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DEGREE = 3; // knob: 1..9
const RATE = 0.1; // knob: 0.01..1 log
const STEPS = 3_000; // knob: 500..20_000 log

const { ASSAY_DATA, ASSAY_OUTPUT, ASSAY_SEED } = process.env;

// Math.random takes no seed; this is mulberry32
let state = Number(ASSAY_SEED) >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

const points = readFileSync(join(ASSAY_DATA, 'points.csv'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split(',').map(Number));
let weights = Array.from({ length: DEGREE + 1 }, () => 0);
for (let step = 0; step < STEPS; step += 1) {
  const [x, y] = points[Math.floor(random() * points.length)];
  const powers = weights.map((_, power) => x ** power);
  const error = weights.reduce((sum, weight, power) => sum + weight * powers[power], -y);
  const rate = RATE * (1 - step / STEPS);
  weights = weights.map((weight, power) => weight - rate * error * powers[power]);
}
writeFileSync(join(ASSAY_OUTPUT, 'weights.json'), JSON.stringify({ weights }));
console.log('trained', STEPS, 'steps');
