"""Which of several rows a model finds likeliest, where the answer is in no request."""
from dataclasses import dataclass, field

import numpy as np

from .asker import Times
from .channel import Fault, two
from .estimate import Tests
from .parts import score_parts
from .rows import Spans


@dataclass(frozen=True)
class Choices:
    """How choices are asked; `disagree` is the share of items in which two servers may choose otherwise."""

    vocab: int
    batch: int = 64  # rows of a request
    tokens: int = 1 << 16  # the most tokens of a request
    blind: int = 2048  # rows of which the second server is asked for one token without being sent it
    disagree: float = 0.01
    times: Times = field(default_factory=Times)
    tests: Tests = field(default_factory=Tests)


def chosen(nats):
    """The option with the least mean of nats, as Python's min finds it: the first of equal ones."""
    return nats.index(min(nats))


class ChoicesPart:
    """Items of several rows each, of which the one with the likeliest span is chosen; the result is int[items].

    items  a list of items, each a list of options (row of tokens, first token of its span; the row's end is the span's)

    The second server is asked for tokens of some spans blind, so that what the first claims are log-probabilities of the
    same distribution; then for everything, in another order: a server that remembers the options of earlier items, which
    later ones may show as examples with their answers, chooses otherwise there.
    """

    verbs = ('rows', 'blinds')

    def __init__(self, items, how):
        options = [option for item in items for option in item]
        rows = [np.asarray(row) for row, _ in options]
        self.how, self.longest = how, max(map(len, rows))
        self.spans = Spans(rows, [(first, len(row)) for row, (_, first) in zip(rows, options)], how)
        self.edges = np.cumsum([0, *map(len, items)])
        self.found = []

    def choose(self, claims):
        sizes, ends = self.spans.sizes, self.spans.ends
        # as numpy has it, the mean of nothing is NaN: such an option is chosen where it is the first, as Python's min does
        means = [float(-claims[end - size : end].astype(float).mean()) if size else float('nan') for size, end in zip(sizes, ends)]
        return np.array([chosen(means[first:end]) for first, end in zip(self.edges, self.edges[1:])])

    def ask_first(self, asker, *of):
        self.claims = self.spans.claimed(asker, *of)

    def ask_second(self, asker, *of):
        self.places = self.spans.blind_places(asker.secret, *of)
        self.seen = self.spans.answered_blind(self.places, asker, *of)
        self.again = self.spans.claimed(asker, *of)

    def result(self):
        found = self.spans.scores(self.claims, self.places, self.seen).require(self.how.tests)
        first, second = self.choose(self.claims), self.choose(self.again)
        if (first != second).mean() > self.how.disagree:
            raise Fault('twins_disagree', f'in more than {self.how.disagree:.0%} of the items another option was chosen in another order')
        print(f'chose in {len(first)} items, {(first != second).sum()} otherwise in another order: {found}', flush=True)
        return first


def choose(items, how, channels, drawn=None):
    """The chosen option of each item, see ChoicesPart. Raises Fault."""
    return score_parts([ChoicesPart(items, how)], how.times, two(channels), drawn)[0]
