"""Writes the texts of parameter-golf, as tokens, into ASSAY_OUTPUT.

    train/fineweb_train_NNNNNN.bin   shards as published: 256 int32 (20240520, 1, number of tokens, zeros), then uint16 tokens
    search/, claim/                  tokens.u16: the text that is scored; base_bytes.u16, leading_space.u8, boundary.u8 [vocab]:
                                     what a token counts in bytes

The texts are those of `fineweb.py`: 128 shards (25.7 GB) for the profile `paper`, 6 for `one-gpu`. The profile `ci`
downloads nothing and makes up tokens from ASSAY_DATA_SECRET.
"""
import hashlib
import hmac
import os
from pathlib import Path

import numpy as np

from assay_prepare import write_manifest

MAGIC, VERSION, HEADER = 20240520, 1, 256
TOY = {'vocab': 1024, 'shards': 2, 'tokens': 150_000, 'chunk': 1024, 'search': 4, 'claim': 8}
CONTROL = 4  # tokens of no bytes at the start of a vocabulary; texts begin with token 1


def store(path, *arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + '.partial')
    with open(partial, 'wb') as file:
        for array in arrays:
            array.tofile(file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    print(f'{path.parent.name}/{path.name}: {path.stat().st_size} bytes', flush=True)


def store_shard(path, tokens):
    header = np.zeros(HEADER, '<i4')
    header[:3] = MAGIC, VERSION, len(tokens)
    store(path, header, tokens.astype('<u2'))


def store_scored(folder, tokens, sizes):
    """`sizes`: bytes of each token, whether it begins with a space, whether it ends a text."""
    base, space, boundary = sizes
    store(folder / 'tokens.u16', tokens.astype('<u2'))
    store(folder / 'base_bytes.u16', base.astype('<u2'))
    store(folder / 'leading_space.u8', space.astype('u1'))
    store(folder / 'boundary.u8', boundary.astype('u1'))


def made_up(output, secret):
    """Texts of a chain in which each token has eight likely successors, most of them frequent ones."""
    seed = hmac.new(secret, b'parameter-golf/1/made-up', hashlib.sha256).digest()
    rng = np.random.default_rng(int.from_bytes(seed, 'little'))
    vocab = TOY['vocab']
    frequency = 1 / np.arange(10, vocab - CONTROL + 10)
    likely = CONTROL + rng.choice(vocab - CONTROL, (vocab, 8), p=frequency / frequency.sum())
    share = np.arange(8, 0, -1) ** 2.0

    def tokens(count):
        made = np.ones(count, '<u2')
        choices, ends = rng.choice(8, count, p=share / share.sum()), rng.random(count) < 0.01
        for at in range(1, count):
            made[at] = 1 if ends[at] else likely[made[at - 1], choices[at]]
        return made

    for number in range(TOY['shards']):
        store_shard(output / f'train/fineweb_train_{number:06d}.bin', tokens(TOY['tokens']))
    control = np.arange(vocab) < CONTROL
    sizes = np.where(control, 0, rng.integers(1, 7, vocab)), ~control & (rng.random(vocab) < 0.5), control
    text = tokens(TOY['claim'] * TOY['chunk'] + 1)
    for part in ('search', 'claim'):
        store_scored(output / part, text[:TOY[part] * TOY['chunk'] + 1], sizes)


def main():
    output, profile = Path(os.environ['ASSAY_OUTPUT']), os.environ['ASSAY_PROFILE']
    if profile == 'ci':
        made_up(output, bytes.fromhex(os.environ['ASSAY_DATA_SECRET']))
    else:
        import fineweb
        fineweb.prepare(output, profile)
    write_manifest(output)


if __name__ == '__main__':
    main()
