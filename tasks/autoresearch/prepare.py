"""Writes the texts of autoresearch, as tokens, into ASSAY_OUTPUT.

    train/tokens.u16       documents one after the other, each of which begins with the token <|reserved_0|>
    train/documents.u64    where each begins, and where the last ends
    search/, claim/        rows.u16 [rows, length]: what is scored, for the evaluator; token_bytes.u16: bytes of each token

The texts are shards of karpathy/climbmix-400b-shuffle (about 1 GB; see `shards.py`). The profile `ci` downloads nothing
and makes up tokens from ASSAY_DATA_SECRET.
"""
import hashlib
import hmac
import os
import sys
from pathlib import Path

import numpy as np

from assay_prepare import write_manifest

TOY = {'vocab': 512, 'length': 65, 'train': 200_000, 'search': 64, 'claim': 128}
RESERVED = 4  # tokens at the end of a vocabulary that stand for no bytes; documents begin with the first of them


def store(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + '.partial')
    with open(partial, 'wb') as file:
        array.tofile(file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    print(f'{path.parent.name}/{path.name}: {array.nbytes} bytes', flush=True)


def made_up(output, secret):
    """Documents of a chain in which each token has eight likely successors."""
    seed = hmac.new(secret, b'autoresearch/1/made-up', hashlib.sha256).digest()
    rng = np.random.default_rng(int.from_bytes(seed, 'little'))
    words = TOY['vocab'] - RESERVED
    likely = rng.integers(0, words, (words + 1, 8))  # the last row: after the beginning of a document
    share = np.arange(8, 0, -1) ** 2.0

    def document():
        tokens, last = [words], words
        drawn = rng.choice(8, rng.integers(20, 200), p=share / share.sum())
        for at in drawn:
            last = likely[last, at]
            tokens.append(last)
        return np.array(tokens, '<u2')

    documents, total = [], 0
    while total < TOY['train']:
        documents.append(document())
        total += len(documents[-1])
    store(output / 'train/tokens.u16', np.concatenate(documents))
    store(output / 'train/documents.u64', np.cumsum([0, *map(len, documents)]).astype('<u8'))
    sizes = np.concatenate([rng.integers(1, 7, words), np.zeros(RESERVED, int)])
    for part in ('search', 'claim'):
        rows = []
        while len(rows) < TOY[part]:
            row = document()
            while len(row) < TOY['length']:
                row = np.concatenate([row, document()])
            rows.append(row[:TOY['length']])
        store_part(output / part, np.stack(rows), sizes)


def store_part(folder, rows, sizes):
    store(folder / 'rows.u16', rows.astype('<u2'))
    store(folder / 'token_bytes.u16', sizes.astype('<u2'))


def main():
    output = Path(os.environ['ASSAY_OUTPUT'])
    if os.environ.get('ASSAY_PROFILE') == 'ci':
        made_up(output, bytes.fromhex(os.environ['ASSAY_DATA_SECRET']))
    else:
        import shards
        text = shards.Shards(output / 'work')
        text.bring()
        text.store_training(output / 'train')
        for part, (shard, rows) in shards.SCORED.items():
            store_part(output / part, text.rows(shard, rows), text.token_bytes())
        text.remove()
    write_manifest(output)


if __name__ == '__main__':
    sys.exit(main())
