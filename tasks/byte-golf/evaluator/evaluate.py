"""Scores a served byte model on the text in ASSAY_DATA: bits per byte, and where they go.

Only this process sees the text's likelihood: asking the servers, normalising, correcting and summing happen in assay's
evaluator kit. The protocol: the task's README.
"""
import json
import math
import os
import re
from pathlib import Path

import numpy as np

import assay_serving as serving

FULL_BYTES = 24_000  # of a full evaluation; a rehearsal scores a share of that
HOW = serving.Text(vocab=256, chunk=1024, max_context=1024, blind=32,
                   times=serving.Times(hello_s=10, answer_s=6, total_s=25),
                   tests=serving.Tests(spread=1e-4, outlier=1e-3, share=0, tolerance=1e-5, row_s=0.05))


def kinds(text):
    """(name, mask) of the kinds of bytes that an agent can act on."""
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
    return masks


def in_bits(estimate):
    return None if estimate is None else estimate.times(1 / np.log(2))


def measured(text, limit, scores):
    bits = in_bits(scores.mean())
    parts = {name: in_bits(scores.mean(mask)) for name, mask in kinds(text).items()}
    dear = scores.mean(of=lambda nats: nats > 8 * np.log(2))
    lines = [f'{bits.mean:.4f} bits/byte on {len(text)} bytes; no model can average below {limit:.4f} on this text.',
             'Where the bits go (share of bytes, bits/byte, contribution to the total):']
    for name, part in parts.items():
        if part is not None:
            share = part.tokens / len(text)
            lines.append(f'  {name:<28}{share:6.1%} {part.mean:7.3f} {share * part.mean:7.3f}')
    lines.append(f'Bytes that cost more than 8 bits: {dear.mean:.2%}.')
    metrics, errors = {'bpb': bits.mean, 'limit_bpb': limit}, {'bpb': bits.standard_error}
    for metric, name in (('bpb_names_again', 'person, again in paragraph'), ('bpb_word_start', 'word, letter 1')):
        if parts[name] is not None:
            metrics[metric], errors[metric] = parts[name].mean, parts[name].standard_error
    return {'metrics': metrics, 'standard_errors': errors, 'feedback': '\n'.join(lines)}


def measure():
    folder = Path(os.environ['ASSAY_DATA'])
    text = (folder / 'text.bin').read_bytes()
    if 'ASSAY_REHEARSAL' in os.environ:
        text = text[:math.ceil(FULL_BYTES * float(os.environ['ASSAY_REHEARSAL']))]
    limit = float(json.loads((folder / 'text.json').read_bytes())['limit_bpb'])
    return measured(text, limit, serving.score_text(np.frombuffer(text, np.uint8), HOW, serving.servers(twins=True)))


if __name__ == '__main__':
    serving.evaluate(measure)
