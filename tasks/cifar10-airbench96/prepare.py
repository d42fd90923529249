"""Writes the images of cifar10-airbench96 into ASSAY_OUTPUT.

    train/images.u8, train/labels.u8     what training sees; images are [N, 32, 32, 3]
    test/images.u8                       without labels; shown to a recipe in a secret order when it has trained
    search/labels.u8                     for the evaluator, in the order of CIFAR-10

CIFAR-10 is downloaded once (170 MB), by a digest that is pinned. The profile `ci` makes up small images of ten textures
from ASSAY_DATA_SECRET and downloads nothing.
"""
import hashlib
import hmac
import os
import pickle
import shutil
import sys
import tarfile
from pathlib import Path

import numpy as np

from assay_prepare import download, write_manifest

URL = 'https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz'
SHA256 = '6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce'
FILES = ('train/images.u8', 'train/labels.u8', 'test/images.u8', 'search/labels.u8')
TOY = {'train': 2048, 'test': 1000}


def cifar(folder):
    """{part: (images, labels)} of the archive, which is brought into `folder`."""
    archive = folder / 'cifar-10-python.tar.gz'
    download(URL, archive, sha256=SHA256)
    with tarfile.open(archive) as tar:
        def batches(*names):
            # pickles, of an archive whose digest was just checked
            read = [pickle.load(tar.extractfile(f'cifar-10-batches-py/{name}'), encoding='bytes') for name in names]
            images = np.concatenate([each[b'data'] for each in read]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            return images, np.concatenate([each[b'labels'] for each in read])
        return {'train': batches(*(f'data_batch_{at}' for at in range(1, 6))), 'test': batches('test_batch')}


def textures(secret):
    """{part: (images, labels)} that a small network learns in seconds: a class is the angle, width and tint of its stripes."""
    seed = hmac.new(secret, b'cifar10-airbench96/1/textures', hashlib.sha256).digest()
    rng = np.random.default_rng(int.from_bytes(seed, 'little'))
    tint = rng.uniform(-1, 1, (10, 3))
    y, x = np.mgrid[0:32, 0:32] / 32

    def drawn(count):
        labels = rng.integers(0, 10, count)
        angle = np.pi * labels / 10 + rng.normal(0, 0.05, count)
        phase, waves = rng.uniform(0, 2 * np.pi, count), 3 + labels % 3
        along = np.cos(angle)[:, None, None] * x + np.sin(angle)[:, None, None] * y
        stripes = np.sin(2 * np.pi * waves[:, None, None] * along + phase[:, None, None])[..., None]
        images = 128 + 40 * stripes * tint[labels][:, None, None] + 25 * tint[labels][:, None, None]
        return np.clip(images + rng.normal(0, 30, images.shape), 0, 255), labels
    return {part: drawn(count) for part, count in TOY.items()}


def store(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + '.partial')
    with open(partial, 'wb') as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def main():
    output = Path(os.environ['ASSAY_OUTPUT'])
    brought = output / 'download'  # assay keeps what is downloaded elsewhere
    if os.environ.get('ASSAY_PROFILE') == 'ci':
        parts = textures(bytes.fromhex(os.environ['ASSAY_DATA_SECRET']))
    else:
        parts = cifar(brought)
    (images, labels), (test, answers) = parts['train'], parts['test']
    for path, array in zip(FILES, (images, labels, test, answers)):
        store(output / path, np.ascontiguousarray(array, np.uint8).tobytes())
        print(f'{path}: {array.size} bytes', flush=True)
    shutil.rmtree(brought, ignore_errors=True)
    write_manifest(output)


if __name__ == '__main__':
    sys.exit(main())
