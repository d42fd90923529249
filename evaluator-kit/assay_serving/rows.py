"""Independent rows of tokens: claims of spans by `rows`, in secret order; one token of some of them anew by `blinds`."""
from dataclasses import dataclass, field

import numpy as np

from .asker import Times, claims_in, log_probabilities, token_type
from .channel import Fault, two
from .estimate import Scores, Tests
from .parts import score_parts
from .requests import filled, in_requests


@dataclass(frozen=True)
class Rows:
    """How rows are asked."""

    vocab: int
    batch: int = 64  # rows of a request
    tokens: int = 1 << 30  # the most tokens of a request
    blind: int = 2048  # rows of which the second server is asked for one token
    times: Times = field(default_factory=Times)
    tests: Tests = field(default_factory=Tests)


class Spans:
    """Rows of tokens, of each of which a span is scored: [rows, 2], first token that is, first after it.

    A span may be empty: such a row is not asked for.
    """

    def __init__(self, rows, spans, how):
        self.rows, self.how = rows, how
        self.spans = np.asarray(spans, int).reshape(-1, 2)
        self.lengths = [len(row) for row in rows]
        if not ((0 <= self.spans[:, 0]) & (self.spans[:, 0] <= self.spans[:, 1]) & (self.spans[:, 1] <= self.lengths)).all():
            raise ValueError('a span leaves its row')
        self.sizes = self.spans[:, 1] - self.spans[:, 0]
        self.ends = np.cumsum(self.sizes)
        self.asked = np.flatnonzero(self.sizes)

    def requests(self, order, asker, *of):
        return in_requests(order, self.lengths, self.how, asker.secret, *of)

    def tokens(self, rows, length):
        return filled(rows, length, token_type(self.how.vocab))

    def claimed(self, asker, *of):
        """float32 log-probabilities that a server claims for the tokens of the spans, in the order of the rows."""
        order = self.asked[asker.secret.permutation(len(self.asked), 'order', *of)]
        claims = np.empty(int(self.sizes.sum()), '<f4')
        requests = self.requests(order, asker, *of)
        asker.pace.start(len(requests))
        for part in requests:
            length = max(self.lengths[row] for row in part)
            answer = np.empty(int(self.sizes[part].sum()), '<f4')
            payload = self.tokens([self.rows[row] for row in part], length).tobytes() + self.spans[part].astype('<u4').tobytes()
            asker.ask('rows', payload, answer, rows=len(part), length=length)
            claims_in(answer)
            at = 0
            for row in part:
                claims[self.ends[row] - self.sizes[row] : self.ends[row]] = answer[at : at + self.sizes[row]]
                at += self.sizes[row]
            asker.pace.step()
        return claims

    def blind_places(self, secret, *of):
        """A secret token of each of some secret rows: {row: place}, in a secret order."""
        some = self.asked[secret.some(min(self.how.blind, len(self.asked)), len(self.asked), 'rows', *of)]
        order = some[secret.permutation(len(some), 'blind', *of)]
        return {int(row): int(self.spans[row, 0] + secret.below(int(self.sizes[row]), 'place', *of, int(row))) for row in order}

    def answered_blind(self, places, asker, *of):
        """float64 log-probabilities of the tokens at `places`, from whole rows of logits that are normalised here."""
        seen, took, allowed = {}, 0.0, self.how.tests.row_s * len(places)
        requests = self.requests(list(places), asker, 'blind', *of)
        asker.pace.start(len(requests))
        for part in requests:
            # as long as when the token was sent with its row: the same kernels run
            length, ends = max(self.lengths[row] for row in part), [places[row] for row in part]
            logits = np.empty((len(part), self.how.vocab), '<f4')
            payload = self.tokens([self.rows[row][:end] for row, end in zip(part, ends)], length).tobytes()
            took += asker.ask('blinds', payload + np.array(ends, '<u4').tobytes(), logits, rows=len(part), length=length)
            if took > allowed:
                raise Fault('late', f'answers without the token took more than {self.how.tests.row_s:g} s each, in the mean')
            found = log_probabilities(logits)
            seen.update((row, found[at, self.rows[row][end]]) for at, (row, end) in enumerate(zip(part, ends)))
            asker.pace.step()
        return seen

    def scores(self, claims, places, seen):
        """What the tokens cost, by both servers."""
        rows = np.array(list(places))
        at = self.ends[rows] - self.sizes[rows] + np.array(list(places.values())) - self.spans[rows, 0]
        # a place stands for the tokens of its row, and for the rows that were not asked
        return Scores(claims, at, [seen[row] for row in places], self.sizes[rows] * (len(self.asked) / len(rows)))


class RowsPart:
    """Rows as a part of a scoring; the result is their Scores."""

    verbs = ('rows', 'blinds')

    def __init__(self, tokens, how, spans=None):
        tokens = np.ascontiguousarray(tokens, dtype=token_type(how.vocab))
        spans = np.tile([1, tokens.shape[1]], (len(tokens), 1)) if spans is None else np.asarray(spans, int)
        if (spans[:, 0] >= spans[:, 1]).any():
            raise ValueError('a span is empty')
        self.spans, self.how = Spans(tokens, spans, how), how
        self.longest = tokens.shape[1]

    def ask_first(self, asker, *of):
        self.claims = self.spans.claimed(asker, *of)

    def ask_second(self, asker, *of):
        self.places = self.spans.blind_places(asker.secret, *of)
        self.seen = self.spans.answered_blind(self.places, asker, *of)

    def result(self):
        scores = self.spans.scores(self.claims, self.places, self.seen)
        found = scores.require(self.how.tests)
        print(f'scored {len(scores)} tokens in {len(self.spans.rows)} rows: {found}', flush=True)
        return scores


def score_rows(tokens, how, channels, spans=None, drawn=None):
    """Scores of the tokens of spans of independent rows, row after row. Raises Fault.

    tokens  [rows, length]
    spans   [rows, 2]: first token that is scored, first after it; by default all but the first of each row
    """
    return score_parts([RowsPart(tokens, how, spans)], how.times, two(channels), drawn)[0]
