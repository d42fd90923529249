"""Scores a served language model on the text in ASSAY_DATA, in order: bits per byte.

The text is asked in chunks of 32,768 tokens, each of which the server may learn from when it is scored. Search: the first
619 chunks of the validation text; claim: all 1,238, with those that the search never saw reported apart. Asking, secret
places, normalising and correcting happen in assay's evaluator kit, bytes are counted here: what a recipe says of itself
is not read.
"""
import os
from pathlib import Path

import numpy as np

import assay_serving as serving

PARTS = 4  # of the text, by which the feedback tells how learning from it goes

# how far honest servers differ on accelerators is an assumption on the wide side, until someone measures it
ON_DEVICES = serving.Tests(spread=0.05, outlier=0.5, share=1e-3, tolerance=1e-3, row_s=0.1)
FULL = dict(vocab=8192, chunk=32768, max_context=8192, tests=ON_DEVICES,
            times=serving.Times(hello_s=300, answer_s=120, total_s=1700))
TOY = dict(vocab=1024, chunk=1024, max_context=256, times=serving.Times(hello_s=60, answer_s=60, total_s=150))
# chunks that the search scores and that claims do, tokens of a chunk that are asked blind in the search and in claims
SIZES = {'paper': (FULL, 619, 1238, 4, 16), 'one-gpu': (FULL, 77, 154, 8, 16), 'ci': (TOY, 4, 8, 8, 8)}


def bytes_of(tokens, folder):
    """Bytes of text that each token but the first stands for: a leading space is none behind what ends a text."""
    base, space, boundary = (np.fromfile(folder / name, kind) for name, kind in
                             (('base_bytes.u16', '<u2'), ('leading_space.u8', 'u1'), ('boundary.u8', 'u1')))
    return base[tokens[1:]].astype('f8') + (space[tokens[1:]] & (1 - boundary[tokens[:-1]]))


def measure():
    folder = Path(os.environ['ASSAY_DATA'])
    tokens = np.fromfile(folder / 'tokens.u16', '<u2')
    sizes = bytes_of(tokens, folder)
    how, searched, claimed, few, many = SIZES[os.environ['ASSAY_PROFILE']]
    at = np.arange(len(sizes))
    unseen = at >= searched * how['chunk']
    text = serving.Text(first=1, blind=many if unseen.any() else few, **how)
    scores = serving.score_text(tokens, text, serving.servers(twins=True))

    def bits(where):
        """Estimate of bits a byte of the tokens of a mask."""
        return scores.mean(where).times(where.sum() / sizes[where].sum() / np.log(2))

    everything = bits(at >= 0)
    # the rule is about the whole text, of which the search scores a part
    whole_s = scores.owed_s * max(1.0, claimed * how['chunk'] / len(sizes))
    metrics, errors = {'val_bpb': everything.mean, 'whole_eval_s': whole_s}, {'val_bpb': everything.standard_error}
    if unseen.any():
        for name, where in (('searched_bpb', ~unseen), ('unseen_bpb', unseen)):
            metrics[name], errors[name] = bits(where).mean, bits(where).standard_error
    lines = [f'{everything.mean:.6f} bits/byte (standard error {everything.standard_error:.2g}), '
             f'{scores.mean().mean:.6f} nats a token, on {len(sizes)} tokens of {int(sizes.sum())} bytes.',
             f'By quarters of the text, in its order: '
             + ', '.join(f'{bits(at * PARTS // len(at) == part).mean:.5f}' for part in range(PARTS)) + '.']
    return {'metrics': metrics, 'standard_errors': errors, 'feedback': '\n'.join(lines)}


if __name__ == '__main__':
    serving.evaluate(measure)
