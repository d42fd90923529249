"""Fits a polynomial to points, and is judged by how long that takes. Agents may change everything in this file.

What is imported and compiled before `ready` costs nothing; the data are there, and the clock runs, from then on.
"""
import csv
import json
import os
import random

DEGREE = 5  # knob: 1..9
RATE = 0.1  # knob: 0.01..1 log
STEPS = 60_000  # knob: 2_000..200_000 log


def ready():
    with os.fdopen(int(os.environ['ASSAY_SIGNAL_FD']), 'w') as signal:
        signal.write('ready\n')
    with os.fdopen(int(os.environ['ASSAY_GO_FD'])) as go:
        go.readline()


def fitted(points, steps):
    weights = [0.0] * (DEGREE + 1)
    for step in range(steps):
        x, y = random.choice(points)
        powers = [x**power for power in range(len(weights))]
        error = sum(weight * power for weight, power in zip(weights, powers)) - y
        rate = RATE * (1 - step / steps)
        weights = [weight - rate * error * power for weight, power in zip(weights, powers)]
    return weights


random.seed(int(os.environ['ASSAY_SEED']))
# on made-up points: a program that compiles does so here
fitted([(0.5, 1.0), (-0.5, 0.0)], 100)
ready()
with open(os.path.join(os.environ['ASSAY_DATA'], 'points.csv')) as file:
    points = [(float(x), float(y)) for x, y in csv.reader(file)]
weights = fitted(points, STEPS)
with open(os.path.join(os.environ['ASSAY_OUTPUT'], 'weights.json'), 'w') as file:
    json.dump({'weights': weights}, file)
print('trained', STEPS, 'steps')
