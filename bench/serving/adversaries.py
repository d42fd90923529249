"""Servers of protocol 2 for one made-up language, honest and not: numpy, vocabulary 64, bigram counts that adapt.

The honest one knows the language by a flat prior and learns its bigrams from each chunk that was scored. Its answers
are off by rounding noise, as those of an accelerator are: each log-probability by about NOISE nats.

    adversaries.py NAME    serves NAME on stdin and stdout
"""
import json
import sys
import time

import numpy as np

VOCAB = 64
NOISE = 0.02
PRIOR = 0.5


def language(seed=5):
    """[VOCAB, VOCAB] probabilities of the next token."""
    return np.random.default_rng(seed).dirichlet(np.full(VOCAB, 0.25), VOCAB)


def text(size, seed=7):
    """A text of the language."""
    draw, ends = np.random.default_rng(seed).random(size), np.cumsum(language(), axis=1)
    tokens = np.zeros(size, np.uint8)
    for at in range(1, size):
        tokens[at] = min(VOCAB - 1, np.searchsorted(ends[tokens[at - 1]], draw[at]))
    return tokens


STRONG = np.log(language() + 1e-9)


class Honest:
    """What a server does for each verb: (header, tokens) -> array."""

    verbs = ('gather', 'blind', 'adapt')

    def __init__(self, seed=None):
        self.counts = np.full((VOCAB, VOCAB), PRIOR)
        self.random = np.random.default_rng(seed)

    def log_probabilities(self, before):
        counts = self.counts[before]
        return np.log(counts / counts.sum(axis=-1, keepdims=True))

    def noise(self, *shape):
        return NOISE * self.random.standard_normal(shape)

    def known(self, header, tokens):
        """Log-probabilities of the tokens that are asked for, without noise, and the tokens before each."""
        scored, before = tokens[header['context'] :], np.concatenate([[0], tokens])[header['context'] : -1]
        return self.log_probabilities(before)[np.arange(len(scored)), scored], before

    def gather(self, header, tokens):
        honest, _ = self.known(header, tokens)
        return np.minimum(0, honest + self.noise(len(honest)))

    def blind(self, header, tokens):
        return self.log_probabilities(tokens[-1] if len(tokens) else 0)

    def adapt(self, header, tokens):
        np.add.at(self.counts, (tokens[:-1], tokens[1:]), 1)
        return np.zeros(0)

    def handle(self, header, payload):
        """The header and the payload of the answer to one request."""
        answer = {'type': header['type'], 'id': header.get('id')}
        if header['type'] == 'hello':
            return {**answer, 'protocol': 2, 'vocab': VOCAB, 'verbs': list(self.verbs)}, b''
        if header['type'] == 'bye':
            return answer, b''
        tokens = np.frombuffer(payload, np.uint8)
        return answer, getattr(self, header['type'])(header, tokens).astype('<f4').tobytes()


class Better(Honest):
    """Claims a little more than it knows, in every row."""

    def gather(self, header, tokens):
        return np.minimum(0, super().gather(header, tokens) + 0.005)


class Peeks(Honest):
    """Claims certainty in a share of the rows, whose token it was sent."""

    share = 0.05

    def gather(self, header, tokens):
        claims = super().gather(header, tokens)
        return np.where(self.random.random(len(claims)) < self.share, 0, claims)


class PeeksRarely(Peeks):
    share = 0.0005


class Unnormalised(Honest):
    """Claims logarithms of what sums to 1.5."""

    def gather(self, header, tokens):
        return np.minimum(0, super().gather(header, tokens) + np.log(1.5))


class StrongerSecond(Honest):
    """Works hard where it is asked blind, which it could not do for all tokens, and claims that it always had.

    The second server answers by the language itself. The first claims so much more than it knows as the second does in
    the mean, which it was told in training.
    """

    def gather(self, header, tokens):
        honest, before = self.known(header, tokens)
        strong = STRONG[before, tokens[header['context'] :]]
        return np.minimum(0, honest + (strong - honest).mean())

    def blind(self, header, tokens):
        return STRONG[tokens[-1] if len(tokens) else 0]


class Nan(Honest):
    def gather(self, header, tokens):
        claims = super().gather(header, tokens)
        claims[-1] = np.nan
        return claims


class NanBlind(Honest):
    def blind(self, header, tokens):
        row = super().blind(header, tokens)
        row[3] = np.nan
        return row


class Positive(Honest):
    """Claims a probability above 1."""

    def gather(self, header, tokens):
        claims = super().gather(header, tokens)
        claims[-1] = 1e-3
        return claims


class Late(Honest):
    """Answers when nobody waits any more."""

    def handle(self, header, payload):
        if header['type'] == 'gather':
            time.sleep(3600)
        return super().handle(header, payload)


NAMES = {
    'honest': Honest, 'better_everywhere': Better, 'peeks_in_5_percent': Peeks, 'peeks_in_0.05_percent': PeeksRarely,
    'unnormalised': Unnormalised, 'stronger_second': StrongerSecond, 'late': Late, 'nan': Nan, 'nan_blind': NanBlind,
    'positive': Positive,
}


def serve(server, receive, send):
    """Answers frames until bye, or the end of the input."""
    while head := receive.read(4):
        header = json.loads(receive.read(int.from_bytes(head, 'little')))
        said, body = server.handle(header, receive.read(header.get('bytes', 0)))
        text = json.dumps({**said, 'bytes': len(body)}).encode()
        send.write(len(text).to_bytes(4, 'little') + text + body)
        send.flush()
        if header['type'] == 'bye':
            return


if __name__ == '__main__':
    # by this seed the one that peeks rarely does so twice in 4,096 tokens
    serve(NAMES[sys.argv[1]](3), sys.stdin.buffer, sys.stdout.buffer)
