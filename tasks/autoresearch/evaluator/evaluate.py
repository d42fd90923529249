"""Scores a served language model on the rows in ASSAY_DATA: bits per byte of text.

Of 5,120 rows (search) or 10,240 (claim) of 2,049 tokens each token but the first is scored, from all before it in its
row; tokens that stand for no bytes are left out. Asking, secret order, normalising and correcting happen in assay's
evaluator kit: what a recipe says of itself is not read.
"""
import os
from pathlib import Path

import numpy as np

import assay_serving as serving

PLACES = ((1, 16), (16, 128), (128, 1024), (1024, 2049))
LENGTH, VOCAB = (65, 512) if os.environ.get('ASSAY_PROFILE') == 'ci' else (2049, 8192)

# requests have one shape, with a token hidden or not, so that honest answers differ by little even on an accelerator
FULL = serving.Rows(vocab=VOCAB, batch=32, blind=10240, times=serving.Times(hello_s=180, answer_s=60, total_s=900),
                    tests=serving.Tests(spread=0.02, outlier=0.25, share=2e-4, tolerance=5e-4, row_s=0.2))
TOY = serving.Rows(vocab=VOCAB, batch=8, blind=64, times=serving.Times(hello_s=60, answer_s=60, total_s=120))


def measure():
    folder = Path(os.environ['ASSAY_DATA'])
    rows = np.fromfile(folder / 'rows.u16', '<u2').reshape(-1, LENGTH)
    sizes = np.fromfile(folder / 'token_bytes.u16', '<u2').astype('f8')[rows[:, 1:]]
    scores = serving.score_rows(rows, TOY if LENGTH == 65 else FULL, serving.servers(twins=True))
    counted = sizes > 0

    def bits(where):
        """Estimate of bits a byte where a mask holds; None where too few tokens were asked anew."""
        where = counted & where
        found = scores.mean(where.ravel())
        return found and found.times(where.sum() / sizes[where].sum() / np.log(2))

    whole = bits(True)
    at = np.broadcast_to(np.arange(1, LENGTH), counted.shape)
    places = [(first, end, bits((first <= at) & (at < end))) for first, end in PLACES]
    lines = [f'{whole.mean:.5f} bits/byte (standard error {whole.standard_error:.2g}) on {int(sizes.sum())} bytes.',
             'By the place of a token in its row:']
    lines += [f'  {first} to {end - 1}: {found.mean:.4f}' for first, end, found in places if found is not None]
    return {'metrics': {'val_bpb': whole.mean}, 'standard_errors': {'val_bpb': whole.standard_error},
            'feedback': '\n'.join(lines)}


if __name__ == '__main__':
    serving.evaluate(measure)
