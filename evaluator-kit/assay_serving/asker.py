"""One server as it is asked: the verbs of protocol 2, their deadlines and the secret names of requests."""
import time
from dataclasses import dataclass

import numpy as np

from .channel import Fault

PROTOCOL = 2


@dataclass(frozen=True)
class Times:
    """Seconds: for the answer to hello, for any later one, and for everything together."""

    hello_s: float = 10.0
    answer_s: float = 6.0
    total_s: float = 25.0


def token_type(vocab):
    """How tokens are sent."""
    return '<u1' if vocab <= 1 << 8 else '<u2' if vocab <= 1 << 16 else '<u4'


class Asker:
    """A server, of which `told` is what hello tells it and `verbs` are what it will be asked for."""

    def __init__(self, channel, place, times, pace, vocab):
        self.channel, self.place, self.times, self.pace, self.vocab = channel, place, times, pace, vocab
        self.secret, self.asked = None, 0
        self.owed_s = 0.0  # of the answers since hello

    def hello(self, drawn, verbs, optional=(), **told):
        """Greets, and returns which of the optional verbs the server wants.

        Its secret is drawn when it has answered: what ran before it is dead.
        """
        hello = {'type': 'hello', 'protocol': PROTOCOL, 'vocab': self.vocab, 'max_context': 0, 'max_rows': 0, 'chunk': 0,
                 'chunks_total': 0, 'verbs': [*verbs, *optional], **told}
        expected = {'type': 'hello', 'protocol': PROTOCOL, 'vocab': self.vocab}
        answer = self.channel.ask(hello, b'', expected, bytearray(), min(self.times.hello_s, self.pace.left()))
        has = answer.get('verbs')
        for verb in verbs:
            if not isinstance(has, list) or verb not in has:
                raise Fault('protocol', f'the verbs of its hello lack {verb}')
        self.secret = drawn.draw()
        return {verb for verb in optional if verb in has}

    def ask(self, verb, payload, answer, **header):
        """Asks under a secret name and fills the array `answer`; the seconds that it took."""
        self.asked += 1
        name = self.secret.below(1 << 40, 'name', self.place, self.asked)
        request = {'type': verb, 'id': name, **header}
        left, began = self.pace.left(), time.monotonic()
        self.channel.ask(request, payload, {'type': verb, 'id': name}, answer, min(self.times.answer_s, left))
        took = time.monotonic() - began
        self.owed_s += took
        return took

    def adapt(self, tokens, at):
        """Hands over tokens that were scored, the first of them at place `at`."""
        self.ask('adapt', tokens.tobytes(), bytearray(), at=at)

    def bye(self):
        expected = {'type': 'bye'}
        self.channel.ask({'type': 'bye'}, b'', expected, bytearray(), min(self.times.answer_s, self.pace.left()))
        self.channel.end(0.5)


def claims_in(values):
    """Refuses what is no log-probability."""
    if not np.isfinite(values).all():
        raise Fault('invalid', 'a claim that is not finite was answered')
    if (values > 0).any():
        raise Fault('invalid', 'a claim above 0 was answered: no log-probability is (clip what rounding leaves above it)')


def finite_in(values):
    """Refuses numbers that are none."""
    if not np.isfinite(values).all():
        raise Fault('invalid', 'a number that is not finite was answered')


def log_probabilities(logits):
    """Natural log-probabilities in float64, normalised here, of rows of finite float32 logits."""
    finite_in(logits)
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
