"""Runs scorings of several parts, and choices among rows, against servers in threads, honest and not; prints what came of each."""
import json
import sys
from dataclasses import replace

import numpy as np

import adversaries
import assay_serving as serving
from adversaries import STRONG, VOCAB
from serving_cheats import ROWS, TESTS, TIMES, RowServer, asked, greedy, in_rows, nats

DRAW = np.random.default_rng(11)
HOW = serving.Choices(vocab=VOCAB, batch=16, tokens=400, blind=120, times=TIMES, tests=TESTS)
# differences of servers are no matter: only what they choose is
LOOSE = replace(HOW, tests=serving.Tests(spread=50, outlier=100, tolerance=100, row_s=10))


def questions():
    """Items of two options of several lengths, one of which the language continues with, and which one that is."""
    items, right = [], DRAW.integers(0, 2, 120)
    for row, gold in zip(ROWS, right):
        size = int(DRAW.integers(4, 30))
        options = [row[size : size + 3], DRAW.integers(0, VOCAB, 3)]
        items.append([(np.concatenate([row[:size], options[which ^ int(gold)]]), size) for which in (0, 1)])
    return items


ITEMS = questions()


def means(item):
    return [float(-STRONG[row[first - 1 : -1], row[first:]].mean()) for row, first in item]


EXPECTED = [int(np.argmin(means(item))) for item in ITEMS]


class ByPlace(RowServer):
    """Claims little of every fourth row of a request."""

    def claim(self, rows, spans):
        claims, at = super().claim(rows, spans), 0
        for place, (first, end) in enumerate(spans):
            claims[at : at + end - first] -= 20 * (place % 4 == 0)
            at += end - first
        return claims


class Remembers(RowServer):
    """Claims certainty of what it was sent before, at the end of another row."""

    def __init__(self, seed=None):
        super().__init__(seed)
        self.seen = set()

    def claim(self, rows, spans):
        claims, at = super().claim(rows, spans), 0
        for row, (first, end) in zip(rows, spans):
            if row[first:end].tobytes() in self.seen:
                claims[at : at + end - first] = 0
            self.seen.add(row[first:end].tobytes())
            at += end - first
        return claims


class Flattens(RowServer):
    """Claims what is no distribution, so that another option may seem the likeliest."""

    def claim(self, rows, spans):
        return 0.5 * super().claim(rows, spans)


class Witness(RowServer):
    verbs, sent = ('rows', 'blinds', 'greedy'), []

    def handle(self, header, payload):
        Witness.sent.append((header['type'], header.get('rows', 0) * header.get('length', 0), header.get('rows', 0)))
        return super().handle(header, payload)


def chosen(kind, how=HOW, items=ITEMS):
    def work(channels, drawn):
        return {'right': serving.choose(items, how, channels, drawn).tolist() == [int(np.argmin(means(item))) for item in items]}
    return asked(lambda place: kind((6, place)), 'a of choices,b of choices', work)[0]


def remembered():
    """Half of the items end as others do: so one server knows them by then, and the other, in its own order, does not."""
    twice = [[(np.concatenate([DRAW.integers(0, VOCAB, int(first)), row[first:]]), first) for row, first in item] for item in ITEMS]
    return chosen(Remembers, LOOSE, ITEMS + twice)


def empty_option():
    """What Python's min makes of an option without a token that counts: chosen where it is the first, else never."""
    row, first = ITEMS[0][0]
    items = [[(row, first), (row[:first], first)], [(row[:first], first), (row, first)]] + ITEMS
    def work(channels, drawn):
        return {'chosen': serving.choose(items, HOW, channels, drawn)[:2].tolist()}
    return asked(lambda place: RowServer((7, place)), 'a of empty,b of empty', work)[0]


def together():
    """Rows, choices and continuations in one life of each server."""
    Witness.sent = []
    prompts = [row[:5] for row in ROWS[:50]]
    wanted = [[int(STRONG[row[4]].argmax())] for row in ROWS[:50]]
    parts = [serving.RowsPart(ROWS, serving.Rows(vocab=VOCAB, batch=48, blind=150, times=TIMES, tests=TESTS)),
             serving.ChoicesPart(ITEMS, HOW), serving.GreedyPart(prompts, wanted, serving.Greedy(vocab=VOCAB, batch=8))]
    def work(channels, drawn):
        scores, choices, hits = serving.score_parts(parts, TIMES, channels, drawn)
        return {**nats(scores), 'right': choices.tolist() == EXPECTED and bool(hits.all())}
    found = asked(lambda place: Witness((8, place)), 'a of parts,b of parts', work)[0]
    verbs = [verb for verb, *_ in Witness.sent]
    return {**found, 'hellos': verbs.count('hello'), 'tokens': max(size for _, size, _ in Witness.sent),
            'rows': max(rows for *_, rows in Witness.sent)}


if __name__ == '__main__':
    runs = {'honest': chosen(RowServer), 'by_place': chosen(ByPlace), 'by_place_loose': chosen(ByPlace, LOOSE),
            'flattens': chosen(Flattens), 'remembers': remembered(), 'empty': empty_option(), 'together': together(),
            'alone': {'nats': in_rows(RowServer)['nats'], 'right': greedy(RowServer)['right']}}
    sys.stdout.write('\n' + json.dumps(runs))
