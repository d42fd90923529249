"""Scores a served byte model on the text in ASSAY_DATA: bits per byte, and where they go.

Only this process sees the text's likelihood: the server answers logits, and normalising, summing and counting happen
here. Descriptors and the protocol: protocol.py and the task's README.
"""
import json
import math
import os
import re
import secrets
import time
from pathlib import Path

import numpy as np

from protocol import PROTOCOL, VOCAB, Channel, Fault, log_probabilities

CHUNK = 1024
MAX_CONTEXT = 1024
HELLO_SECONDS = 10.0
ANSWER_SECONDS = 6.0
TOTAL_SECONDS = 25.0
CHECKED_SHARE = 0.3  # of the chunks, chosen in secret, are asked twice with different endings
TOLERANCE = 0.01  # nats; float32 sums in another order differ by far less


class Scorer:
    """One server's scores of one text."""

    def __init__(self, channel, text):
        self.channel, self.text = channel, text
        self.ends = time.monotonic() + TOTAL_SECONDS
        self.adapts = False
        starts = range(0, len(text), CHUNK)
        self.checked = set(secrets.SystemRandom().sample(starts, math.ceil(CHECKED_SHARE * len(starts))))

    def seconds(self, most):
        left = self.ends - time.monotonic()
        if left <= 0:
            raise Fault('late', f'scoring took more than {TOTAL_SECONDS:g} s')
        return min(most, left)

    def hello(self):
        request = {'type': 'hello', 'protocol': PROTOCOL, 'max_context': MAX_CONTEXT, 'max_count': CHUNK}
        expected = {'type': 'hello', 'protocol': PROTOCOL, 'vocab': VOCAB}
        answer, _ = self.channel.ask(request, b'', expected, 0, self.seconds(HELLO_SECONDS))
        self.adapts = answer.get('adapt') is True

    def ask(self, tokens, context):
        count = len(tokens) - context
        name = secrets.randbits(40)
        request = {'type': 'score', 'id': name, 'context': context, 'count': count, 'bytes': len(tokens)}
        expected = {'type': 'scores', 'id': name, 'count': count, 'vocab': VOCAB}
        size = count * VOCAB * 4
        _, payload = self.channel.ask(request, tokens, expected, size, self.seconds(ANSWER_SECONDS))
        return log_probabilities(payload, count, f'in the answer to score {name}')

    def chunk(self, start):
        """Log-probabilities of one chunk of the text; on some, the look-ahead check too."""
        end = min(start + CHUNK, len(self.text))
        context = min(start, MAX_CONTEXT)
        real = self.text[start - context : end]
        if start not in self.checked:
            return self.ask(real, context)
        turn = secrets.randbelow(end - start)
        twin = self.with_other_ending(real, context + turn)
        first_is_real = secrets.randbits(1) == 1
        one = self.ask(real if first_is_real else twin, context)
        two = self.ask(twin if first_is_real else real, context)
        gap = float(np.abs(one[: turn + 1] - two[: turn + 1]).max())
        if gap > TOLERANCE:
            raise Fault('twins_disagree', f'the same past gave other predictions (by {gap:.3g} nats) when the bytes '
                        'that follow changed: a row may depend only on the tokens before it')
        return one if first_is_real else two

    def with_other_ending(self, tokens, turn):
        """The tokens up to `turn`, then other real text whose first byte differs."""
        need = len(tokens) - turn
        doubled = self.text + self.text
        at = secrets.randbelow(len(self.text))
        while doubled[at % len(self.text)] == tokens[turn]:
            at += 1
        at %= len(self.text)
        return tokens[:turn] + (doubled[at:] + doubled)[:need]

    def run(self):
        """Bits of every byte of the text, in order."""
        self.hello()
        labels = np.frombuffer(self.text, dtype=np.uint8)
        bits = np.empty(len(self.text))
        for start in range(0, len(self.text), CHUNK):
            scores = self.chunk(start)
            end = start + len(scores)
            bits[start:end] = -scores[np.arange(len(scores)), labels[start:end]] / np.log(2)
            if self.adapts:
                name = secrets.randbits(40)
                request = {'type': 'adapt', 'id': name, 'bytes': end - start}
                expected = {'type': 'adapted', 'id': name}
                self.channel.ask(request, self.text[start:end], expected, 0, self.seconds(ANSWER_SECONDS))
        self.channel.ask({'type': 'bye'}, b'', {'type': 'bye'}, 0, self.seconds(ANSWER_SECONDS))
        self.channel.end(0.5)
        return bits


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
    return {'metrics': metrics, 'gates': {}, 'feedback': '\n'.join(lines)}


def main():
    folder = Path(os.environ['ASSAY_DATA'])
    text = (folder / 'text.bin').read_bytes()
    limit = float(json.loads((folder / 'text.json').read_bytes())['limit_bpb'])
    channel = Channel(int(os.environ['ASSAY_SERVER_IN_FD']), int(os.environ['ASSAY_SERVER_OUT_FD']))
    try:
        result = measured(text, limit, Scorer(channel, text).run())
    except Fault as fault:
        result = {'failure': {'kind': fault.kind, 'reason': str(fault)[:2000]}, 'feedback': ''}
    with open(int(os.environ['ASSAY_RESULT_FD']), 'w', encoding='utf-8') as out:
        json.dump({'schema': 'assay.evaluation/1', **result}, out, allow_nan=False)


if __name__ == '__main__':
    main()
