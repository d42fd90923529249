"""Scores the weights that training left: the mean squared error on points that training never saw.

This program is trusted and the artifact is not: read it as data, never with pickle, and answer with a failure where it
is not what it has to be. An exception counts as a fault of this program, not of the recipe.
"""
import csv
import json
import math
import os


def weights_in(folder):
    with open(os.path.join(folder, 'weights.json'), 'rb') as file:
        weights = json.loads(file.read(100_000))['weights']
    if not isinstance(weights, list) or not 1 <= len(weights) <= 100:
        raise ValueError('weights is not a list of 1 to 100 numbers')
    if not all(type(weight) in (int, float) and math.isfinite(weight) for weight in weights):
        raise ValueError('a weight is not a finite number')
    return weights


def measured(weights, points):
    squares = [(sum(weight * x**power for power, weight in enumerate(weights)) - y) ** 2 for x, y in points]
    mse = sum(squares) / len(squares)
    if not math.isfinite(mse):
        raise ValueError('the error is not finite')
    worst = points[squares.index(max(squares))]
    feedback = f'mean squared error {mse:.5f}; the largest error is near x = {worst[0]:.1f}'
    return {'metrics': {'mse': mse}, 'feedback': feedback}


def main():
    with open(os.path.join(os.environ['ASSAY_DATA'], 'points.csv')) as file:
        points = [(float(x), float(y)) for x, y in csv.reader(file)]
    try:
        result = measured(weights_in(os.environ['ASSAY_ARTIFACT']), points)
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        result = {'failure': {'kind': 'invalid', 'reason': f'weights.json: {error}'}}
    with os.fdopen(int(os.environ['ASSAY_RESULT_FD']), 'w') as out:
        json.dump({'schema': 'assay.evaluation/1', **result}, out)


main()
