"""Makes the data once on every host; assay runs it with ASSAY_OUTPUT and ASSAY_DATA_SECRET.

The points of every part come from a secret that only assay knows, so nobody can write them into a recipe. Where your
data are files, copy or download them here instead, and split them into the same three folders.
"""
import hashlib
import hmac
import json
import math
import os
import random
from pathlib import Path

PARTS = {'train': 400, 'search': 400, 'claim': 400}
# a profile of task.yaml may ask for less or more
SCALE = float(os.environ.get('DATA_SCALE', '1'))


def points(secret, part, count):
    rng = random.Random(hmac.new(secret, part.encode(), hashlib.sha256).digest())
    for _ in range(count):
        x = rng.uniform(-1, 1)
        yield x, math.sin(3 * x) + rng.gauss(0, 0.1)


def main():
    output, secret = Path(os.environ['ASSAY_OUTPUT']), bytes.fromhex(os.environ['ASSAY_DATA_SECRET'])
    files = []
    for part, count in PARTS.items():
        text = ''.join(f'{x:.6f},{y:.6f}\n' for x, y in points(secret, part, int(count * SCALE))).encode()
        (output / part).mkdir(exist_ok=True)
        (output / part / 'points.csv').write_bytes(text)
        files.append({'path': f'{part}/points.csv', 'bytes': len(text), 'sha256': hashlib.sha256(text).hexdigest()})
    # written last: with it the data count as complete
    (output / 'manifest.json').write_text(json.dumps({'schema': 'assay.data/1', 'files': files}))


main()
