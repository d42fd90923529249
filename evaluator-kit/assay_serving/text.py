"""A text in order: claims of every token by `gather`, some of them anew by `blind`, learning in between by `adapt`."""
from dataclasses import dataclass, field

import numpy as np

from .asker import Asker, Times, claims_in, log_probabilities, token_type
from .channel import Fault, two
from .estimate import Scores, Tests
from .pace import Pace
from .secret import Secrets


@dataclass(frozen=True)
class Text:
    """How a text is asked."""

    vocab: int = 256
    chunk: int = 1024  # tokens that are asked for at once
    max_context: int = 1024  # tokens before a chunk that are sent with it
    blind: int = 16  # tokens of a chunk that the second server is asked for
    first: int = 0  # tokens at the start that are context only
    times: Times = field(default_factory=Times)
    tests: Tests = field(default_factory=Tests)


class Chunks:
    """A text in parts: (first token of the context, first of the chunk, first after it)."""

    def __init__(self, tokens, how):
        self.tokens, self.how = tokens, how
        self.spans = [(max(0, start - how.max_context), start, min(start + how.chunk, len(tokens)))
                      for start in range(how.first, len(tokens), how.chunk)]

    def asker(self, channel, place, pace):
        return Asker(channel, place, self.how.times, pace, self.how.vocab)

    def hello(self, asker, drawn, pace):
        """Whether the server wants to adapt."""
        told = {'max_context': self.how.max_context, 'max_rows': 1, 'chunk': self.how.chunk, 'chunks_total': len(self.spans)}
        adapts = asker.hello(drawn, ('gather', 'blind'), ('adapt',), **told)
        pace.start(len(self.spans))
        return bool(adapts)

    def done(self, asker, at, adapts, pace):
        """A chunk is scored: it may be learned from, if another follows."""
        _, start, end = self.spans[at]
        if adapts and at + 1 < len(self.spans):
            asker.adapt(self.tokens[start:end], start)
        pace.step()


def gathered(chunks, asker, adapts, pace):
    """float32 log-probabilities that the first server claims for the tokens of the chunks."""
    claims = np.empty(len(chunks.tokens) - chunks.how.first, '<f4')
    for at, (first, start, end) in enumerate(chunks.spans):
        answer = claims[start - chunks.how.first : end - chunks.how.first]
        asker.ask('gather', chunks.tokens[first:end].tobytes(), answer, at=start, context=start - first, count=end - start)
        claims_in(answer)
        chunks.done(asker, at, adapts, pace)
    return claims


def blind_places(chunks, secret):
    """Secret places of each chunk, rising."""
    return [[start + at for at in secret.some(min(chunks.how.blind, end - start), end - start, 'blind', start)]
            for _, start, end in chunks.spans]


def answered_blind(chunks, places, asker, adapts, pace):
    """float64 log-probabilities of the tokens at `places`, from whole rows that are normalised here."""
    how, seen, took = chunks.how, [], 0.0
    allowed = how.tests.row_s * sum(len(of) for of in places)
    for at, (first, start, _) in enumerate(chunks.spans):
        logits = np.empty((len(places[at]), how.vocab), '<f4')
        for row, place in zip(logits, places[at]):
            took += asker.ask('blind', chunks.tokens[first:place].tobytes(), row, at=place, context=start - first)
        if took > allowed:
            raise Fault('late', f'answers without the token took more than {how.tests.row_s:g} s each, in the mean')
        seen.append(log_probabilities(logits)[np.arange(len(logits)), chunks.tokens[places[at]]])
        chunks.done(asker, at, adapts, pace)
    return np.concatenate(seen)


def score_text(tokens, how, channels, drawn=None):
    """Scores of the tokens of a text from place `how.first` on. Raises Fault."""
    first, second = two(channels)
    drawn = drawn or Secrets()
    chunks = Chunks(np.ascontiguousarray(tokens, dtype=token_type(how.vocab)), how)
    pace = Pace(how.times.total_s)
    asker = chunks.asker(first, 0, pace)
    adapts = chunks.hello(asker, drawn, pace)
    claims = gathered(chunks, asker, adapts, pace)
    asker.bye()
    owed_s = asker.owed_s
    asker = chunks.asker(second, 1, pace)
    if chunks.hello(asker, drawn, pace) != adapts:
        raise Fault('twins_disagree', 'one server wants to adapt, the other does not')
    places = blind_places(chunks, asker.secret)
    seen = answered_blind(chunks, places, asker, adapts, pace)
    asker.bye()
    weights = np.concatenate([np.full(len(of), (end - start) / len(of)) for of, (_, start, end) in zip(places, chunks.spans)])
    scores = Scores(claims, np.concatenate(places) - how.first, seen, weights, owed_s)
    found = scores.require(how.tests)
    print(f'scored {len(scores)} tokens in {len(chunks.spans)} chunks: {found}; seeds {drawn}', flush=True)
    return scores
