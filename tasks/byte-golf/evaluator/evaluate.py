"""Scores a served byte model on the text in ASSAY_DATA: bits per byte, and where they go.

Only this process sees the text's likelihood: the server answers logits, and asking twins, normalising, summing and
counting happen in assay's evaluator kit. The protocol: the task's README.
"""
import json
import math
import os
import re
from pathlib import Path

import numpy as np

import assay_serving as serving

FULL_BYTES = 24_000  # of a full evaluation; a rehearsal scores a share of that
HOW = serving.Text(vocab=256, chunk=1024, cuts=2, max_context=1024, hello_s=10, answer_s=6, total_s=25, tolerance=1e-4)


def breakdown(text, bits):
    """(name, share of bytes, bits per byte) of the kinds of bytes that an agent can act on."""
    masks = {name: np.zeros(len(text), bool) for name in
             ('word, letter 1', 'word, letter 2', 'word, letters 3 and 4', 'word, later letters',
              'person, first in paragraph', 'person, again in paragraph')}
    seen = set()
    for match in re.finditer(rb'[a-z]+|[A-Z][a-z]*|\n', text):
        start, end = match.span()
        word = match.group()
        if word == b'\n':
            seen.clear()
        elif word[:1].isupper():
            masks['person, again in paragraph' if word in seen else 'person, first in paragraph'][start:end] = True
            seen.add(word)
        else:
            masks['word, letter 1'][start] = True
            masks['word, letter 2'][start + 1 : end] = True
            masks['word, letter 2'][start + 2 : end] = False
            masks['word, letters 3 and 4'][start + 2 : min(end, start + 4)] = True
            masks['word, later letters'][start + 4 : end] = True
    masks['space and punctuation'] = ~np.logical_or.reduce(list(masks.values()))
    return [(name, float(mask.mean()), float(bits[mask].mean())) for name, mask in masks.items() if mask.any()]


def measured(text, limit, bits):
    bpb = float(bits.sum() / len(text))
    parts = breakdown(text, bits)
    lines = [f'{bpb:.4f} bits/byte on {len(text)} bytes; no model can average below {limit:.4f} on this text.',
             'Where the bits go (share of bytes, bits/byte, contribution to the total):']
    lines += [f'  {name:<28}{share:6.1%} {mean:7.3f} {share * mean:7.3f}' for name, share, mean in parts]
    lines.append(f'First 128 bytes of the text: {bits[:128].mean():.3f} bits/byte; '
                 f'bytes that cost more than 8 bits: {(bits > 8).mean():.2%}.')
    again = {name: mean for name, _, mean in parts}
    metrics = {'bpb': bpb, 'limit_bpb': limit}
    for metric, name in (('bpb_names_again', 'person, again in paragraph'), ('bpb_word_start', 'word, letter 1')):
        if name in again:
            metrics[metric] = again[name]
    return {'metrics': metrics, 'feedback': '\n'.join(lines)}


def measure():
    folder = Path(os.environ['ASSAY_DATA'])
    text = (folder / 'text.bin').read_bytes()
    if 'ASSAY_REHEARSAL' in os.environ:
        text = text[:math.ceil(FULL_BYTES * float(os.environ['ASSAY_REHEARSAL']))]
    limit = float(json.loads((folder / 'text.json').read_bytes())['limit_bpb'])
    nats = serving.score_text(np.frombuffer(text, np.uint8), HOW, serving.servers(twins=True))
    return measured(text, limit, nats / np.log(2))


if __name__ == '__main__':
    serving.evaluate(measure)
