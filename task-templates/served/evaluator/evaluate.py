"""Asks the recipe's server about points that training never saw, and scores its answers.

The server runs the recipe's code in a sandbox of its own: it is sent the x of every point, in a secret order, and
never the y. assay's kit does the talking, and compares two servers that are asked in different orders.
"""
import csv
import os
import struct

import assay_serving as serving

HOW = serving.Items(width=1, batch=100, tolerance=1e-5, times=serving.Times(hello_s=10, answer_s=10, total_s=50))


def measure():
    with open(os.path.join(os.environ['ASSAY_DATA'], 'points.csv')) as file:
        points = [(float(x), float(y)) for x, y in csv.reader(file)]
    items = [struct.pack('<d', x) for x, _ in points]
    predicted = serving.predict_items(items, HOW, serving.servers(twins=True))
    mse = sum((float(found[0]) - y) ** 2 for found, (_, y) in zip(predicted, points)) / len(points)
    return {'metrics': {'mse': mse}, 'feedback': f'mean squared error {mse:.5f}'}


serving.evaluate(measure)
