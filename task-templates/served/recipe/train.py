"""Fits a polynomial to points, and answers for points it is asked about. Agents may change everything in this file.

  train.py            trains on ASSAY_DATA and leaves weights.json in ASSAY_OUTPUT
  train.py --serve    answers the evaluator's frames from ASSAY_ARTIFACT/weights.json
"""
import csv
import json
import os
import random
import struct
import sys

DEGREE = 3  # knob: 1..9
RATE = 0.1  # knob: 0.01..1 log
STEPS = 3_000  # knob: 500..20_000 log


def predict(weights, x):
    return sum(weight * x**power for power, weight in enumerate(weights))


def train(points):
    weights = [0.0] * (DEGREE + 1)
    for step in range(STEPS):
        x, y = random.choice(points)
        change = RATE * (1 - step / STEPS) * (predict(weights, x) - y)
        weights = [weight - change * x**power for power, weight in enumerate(weights)]
    return weights


def serve(weights):
    """A frame is 4 bytes of length, a JSON header of that length, and `bytes` bytes after it."""
    receive, send = sys.stdin.buffer, sys.stdout.buffer
    while head := receive.read(4):
        request = json.loads(receive.read(int.from_bytes(head, 'little')))
        payload = receive.read(request.get('bytes', 0))
        answer, body = {'type': request['type'], 'id': request.get('id')}, b''
        if request['type'] == 'hello':
            answer.update(protocol=2, vocab=1, verbs=['predict'])
        elif request['type'] == 'predict':
            body = b''.join(struct.pack('<f', predict(weights, x)) for (x,) in struct.iter_unpack('<d', payload))
        header = json.dumps({**answer, 'bytes': len(body)}).encode()
        send.write(len(header).to_bytes(4, 'little') + header + body)
        send.flush()
        if request['type'] == 'bye':
            return


def main(mode):
    if mode == '--serve':
        with open(os.path.join(os.environ['ASSAY_ARTIFACT'], 'weights.json')) as file:
            serve(json.load(file))
        return
    random.seed(int(os.environ['ASSAY_SEED']))
    with open(os.path.join(os.environ['ASSAY_DATA'], 'points.csv')) as file:
        points = [(float(x), float(y)) for x, y in csv.reader(file)]
    with open(os.path.join(os.environ['ASSAY_OUTPUT'], 'weights.json'), 'w') as file:
        json.dump(train(points), file)


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else '')
