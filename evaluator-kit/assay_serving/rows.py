"""Independent rows of tokens: claims of spans by `rows`, in secret order; one token of some of them anew by `blinds`."""
from dataclasses import dataclass, field

import numpy as np

from .asker import Asker, Times, claims_in, log_probabilities, token_type
from .channel import Fault, two
from .estimate import Scores, Tests
from .pace import Pace
from .secret import Secrets


@dataclass(frozen=True)
class Rows:
    """How rows are asked."""

    vocab: int
    batch: int = 64  # rows of a request
    blind: int = 2048  # rows of which the second server is asked for one token
    times: Times = field(default_factory=Times)
    tests: Tests = field(default_factory=Tests)


def greeted(channel, place, how, length, drawn, pace, steps):
    asker = Asker(channel, place, how.times, pace, how.vocab)
    asker.hello(drawn, ('rows', 'blinds'), max_context=length, max_rows=how.batch)
    pace.start(steps)
    return asker


def in_batches(order, size):
    return [order[at : at + size] for at in range(0, len(order), size)]


def claimed(tokens, spans, how, asker, pace):
    """float32 log-probabilities that the first server claims for the tokens of the spans, in the order of the rows."""
    sizes = spans[:, 1] - spans[:, 0]
    ends = np.cumsum(sizes)
    claims = np.empty(int(sizes.sum()), '<f4')
    for part in in_batches(asker.secret.permutation(len(tokens), 'order'), how.batch):
        answer = np.empty(int(sizes[part].sum()), '<f4')
        payload = tokens[part].tobytes() + spans[part].astype('<u4').tobytes()
        asker.ask('rows', payload, answer, rows=len(part), length=tokens.shape[1])
        claims_in(answer)
        at = 0
        for row in part:
            claims[ends[row] - sizes[row] : ends[row]] = answer[at : at + sizes[row]]
            at += sizes[row]
        pace.step()
    return claims


def blind_places(spans, how, secret):
    """(row, token of it) in a secret order, one a row."""
    sizes = spans[:, 1] - spans[:, 0]
    rows = secret.some(min(how.blind, len(spans)), len(spans), 'rows')
    order = secret.permutation(len(rows), 'order')
    return np.array([(row, spans[row, 0] + secret.below(int(sizes[row]), 'place', row)) for row in (rows[at] for at in order)])


def answered_blind(tokens, places, how, asker, pace):
    """float64 log-probabilities of the tokens at `places`, from whole rows that are normalised here."""
    seen, took, allowed = [], 0.0, how.tests.row_s * len(places)
    for part in in_batches(places, how.batch):
        prefixes = np.where(np.arange(tokens.shape[1]) < part[:, 1:], tokens[part[:, 0]], 0).astype(tokens.dtype)
        logits = np.empty((len(part), how.vocab), '<f4')
        payload = prefixes.tobytes() + part[:, 1].astype('<u4').tobytes()
        took += asker.ask('blinds', payload, logits, rows=len(part), length=tokens.shape[1])
        if took > allowed:
            raise Fault('late', f'answers without the token took more than {how.tests.row_s:g} s each, in the mean')
        seen.append(log_probabilities(logits)[np.arange(len(part)), tokens[part[:, 0], part[:, 1]]])
        pace.step()
    return np.concatenate(seen)


def score_rows(tokens, how, channels, spans=None, drawn=None):
    """Scores of the tokens of spans of independent rows, row after row. Raises Fault.

    tokens  [rows, length]
    spans   [rows, 2]: first token that is scored, first after it; by default all but the first of each row
    """
    first, second = two(channels)
    drawn = drawn or Secrets()
    tokens = np.ascontiguousarray(tokens, dtype=token_type(how.vocab))
    count, length = tokens.shape
    spans = np.tile([1, length], (count, 1)) if spans is None else np.asarray(spans, int)
    if not ((0 <= spans[:, 0]) & (spans[:, 0] < spans[:, 1]) & (spans[:, 1] <= length)).all():
        raise ValueError('a span is empty, or leaves its row')
    pace = Pace(how.times.total_s)
    asker = greeted(first, 0, how, length, drawn, pace, -(-count // how.batch))
    claims = claimed(tokens, spans, how, asker, pace)
    asker.bye()
    asker = greeted(second, 1, how, length, drawn, pace, -(-min(how.blind, count) // how.batch))
    places = blind_places(spans, how, asker.secret)
    seen = answered_blind(tokens, places, how, asker, pace)
    asker.bye()
    sizes = spans[:, 1] - spans[:, 0]
    begins = np.cumsum(sizes) - sizes
    at = begins[places[:, 0]] + places[:, 1] - spans[places[:, 0], 0]
    # a place stands for the tokens of its row, and for the rows that were not asked
    scores = Scores(claims, at, seen, sizes[places[:, 0]] * (count / len(places)))
    found = scores.require(how.tests)
    print(f'scored {len(scores)} tokens in {count} rows: {found}; seeds {drawn}', flush=True)
    return scores
