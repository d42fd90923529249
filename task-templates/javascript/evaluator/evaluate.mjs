// Scores the weights that training left: the mean squared error on points that training never saw.
//
// This program is trusted and the artifact is not: read it as data, never run it, and answer with a failure where it is
// not what it has to be. An exception counts as a fault of this program, not of the recipe.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const { ASSAY_ARTIFACT, ASSAY_DATA, ASSAY_RESULT_FD } = process.env;

function weightsIn(folder) {
  const { weights } = JSON.parse(readFileSync(join(folder, 'weights.json'), 'utf8'));
  if (!Array.isArray(weights) || weights.length < 1 || weights.length > 100)
    throw new Error('weights is not a list of 1 to 100 numbers');
  if (!weights.every(Number.isFinite)) throw new Error('a weight is not a finite number');
  return weights;
}

function measured(weights, points) {
  const squares = points.map(
    ([x, y]) => (weights.reduce((sum, weight, power) => sum + weight * x ** power, 0) - y) ** 2,
  );
  const mse = squares.reduce((sum, square) => sum + square, 0) / squares.length;
  if (!Number.isFinite(mse)) throw new Error('the error is not finite');
  const [worst] = points[squares.indexOf(Math.max(...squares))];
  const feedback = `mean squared error ${mse.toFixed(5)}; the largest error is near x = ${worst.toFixed(1)}`;
  return { metrics: { mse }, feedback };
}

function result(points) {
  try {
    return measured(weightsIn(ASSAY_ARTIFACT), points);
  } catch (error) {
    return { failure: { kind: 'invalid', reason: `weights.json: ${error.message}` } };
  }
}

const points = readFileSync(join(ASSAY_DATA, 'points.csv'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split(',').map(Number));
writeFileSync(Number(ASSAY_RESULT_FD), JSON.stringify({ schema: 'assay.evaluation/1', ...result(points) }));
