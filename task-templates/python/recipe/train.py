"""Fits a polynomial to points by stochastic gradient descent. Agents may change everything in this file."""
import csv
import json
import os
import random

DEGREE = 3  # knob: 1..9
RATE = 0.1  # knob: 0.01..1 log
STEPS = 3_000  # knob: 500..20_000 log

random.seed(int(os.environ['ASSAY_SEED']))
with open(os.path.join(os.environ['ASSAY_DATA'], 'points.csv')) as file:
    points = [(float(x), float(y)) for x, y in csv.reader(file)]
weights = [0.0] * (DEGREE + 1)
for step in range(STEPS):
    x, y = random.choice(points)
    powers = [x**power for power in range(len(weights))]
    error = sum(weight * power for weight, power in zip(weights, powers)) - y
    rate = RATE * (1 - step / STEPS)
    weights = [weight - rate * error * power for weight, power in zip(weights, powers)]
with open(os.path.join(os.environ['ASSAY_OUTPUT'], 'weights.json'), 'w') as file:
    json.dump({'weights': weights}, file)
print('trained', STEPS, 'steps')
