"""Runs the evaluator kit against servers that cheat, in threads of this process behind real pipes, and prints what came
of each. The folder of bench/serving is on PYTHONPATH, as the kit is.
"""
import contextlib
import io
import json
import math
import os
import sys
import threading
from dataclasses import replace

import numpy as np

import adversaries
import assay_serving as serving
from adversaries import VOCAB, Honest

TIMES = serving.Times(hello_s=20, answer_s=20, total_s=100)
TESTS = serving.Tests(spread=2.576 * adversaries.NOISE, outlier=0.3, share=1e-3, tolerance=1e-6, row_s=10)
HOW = serving.Text(vocab=VOCAB, chunk=256, max_context=64, blind=64, times=TIMES, tests=TESTS)
TEXT = adversaries.text(4096)
ROWS = adversaries.text(200 * 33).reshape(200, 33)
HIDDEN = 'tokens-that-no-agent-may-read'


class Huge(Honest):
    """Says nothing, loudly; and claims what that comes to."""

    def gather(self, header, tokens):
        return np.full(len(tokens) - header['context'], -math.log(VOCAB))

    def blind(self, header, tokens):
        return np.full(VOCAB, 3e38)


class LearnsUndeclared(Honest):
    """Learns from what it is asked, which the second server is not sent."""

    verbs = ('gather', 'blind')

    def gather(self, header, tokens):
        claims = super().gather(header, tokens)
        self.adapt(header, tokens)
        return claims


class LearnsEarly(Honest):
    """Learns from a chunk before it answers."""

    def gather(self, header, tokens):
        self.adapt(header, tokens)
        return super().gather(header, tokens)


class SlowBlind(Honest):
    """Takes the time for a blind row that another takes for a chunk."""

    def blind(self, header, tokens):
        threading.Event().wait(0.02)
        return super().blind(header, tokens)


class Told(Honest):
    """Says held-out text in what should be protocol."""

    field = 'id'

    def handle(self, header, payload):
        answer, body = super().handle(header, payload)
        return ({**answer, self.field: HIDDEN}, body) if header['type'] == 'gather' else (answer, body)


class ToldInType(Told):
    field = 'type'


class ToldInHello(Honest):
    def handle(self, header, payload):
        answer, body = super().handle(header, payload)
        return {**answer, 'verbs': [HIDDEN]}, body


class Forgetful(Honest):
    """Adapts in one of its lives only."""

    lives = 0

    def __init__(self, seed=None):
        super().__init__(seed)
        Forgetful.lives += 1
        self.verbs = Honest.verbs[: 3 - Forgetful.lives % 2]


class KnowsWhatExists(Honest):
    """Peeks in every row that it is not told to be asked blind, by the secrets that exist while it is asked."""

    drawn = None

    def gather(self, header, tokens):
        count = len(tokens) - header['context']
        known = {at for secret in self.drawn.drawn for at in secret.some(HOW.blind, count, 'blind', header['at'])}
        return np.where(np.isin(np.arange(count), list(known)), self.known(header, tokens)[0], 0)


CHEATS = {**adversaries.NAMES, 'honest_later': Honest, 'huge': Huge, 'learns_undeclared': LearnsUndeclared, 'learns_early': LearnsEarly,
          'adapts_once': Forgetful, 'slow_blind': SlowBlind, 'tells_in_id': Told, 'tells_in_type': ToldInType,
          'tells_in_hello': ToldInHello, 'knows_what_exists': KnowsWhatExists}


class RowServer(Honest):
    """The same language, in independent rows."""

    verbs = ('rows', 'blinds', 'greedy', 'predict')

    def table(self, header, tokens, columns):
        count, length = header['rows'], header['length']
        more = np.frombuffer(tokens.tobytes()[count * length :], '<u4').reshape(count, columns).astype(int)
        return tokens[: count * length].reshape(count, length), more

    def claim(self, rows, spans):
        row = np.concatenate([np.full(end - first, at) for at, (first, end) in enumerate(spans)])
        at = np.concatenate([np.arange(first, end) for first, end in spans])
        claims = adversaries.STRONG[rows[row, at - 1], rows[row, at]]
        return np.minimum(0, claims + self.noise(len(claims)))

    def rows(self, header, tokens):
        return self.claim(*self.table(header, tokens, 2))

    def blinds(self, header, tokens):
        rows, lengths = self.table(header, tokens, 1)
        return adversaries.STRONG[rows[np.arange(len(rows)), lengths[:, 0] - 1]]

    def likeliest(self, header, rows, lengths):
        return adversaries.STRONG[rows[np.arange(len(rows)), lengths[:, 0] - 1]].argmax(axis=1)

    def handle(self, header, payload):
        if header['type'] != 'greedy':
            return super().handle(header, payload)
        found = self.likeliest(header, *self.table(header, np.frombuffer(payload, np.uint8), 1))
        return {'type': 'greedy', 'id': header['id']}, found.astype('<u4').tobytes()


class RowsPeek(RowServer):
    def claim(self, rows, spans):
        claims = super().claim(rows, spans)
        return np.where(self.random.random(len(claims)) < 0.05, 0, claims)


class RowsUnnormalised(RowServer):
    def claim(self, rows, spans):
        return np.minimum(0, super().claim(rows, spans) + 0.4)


class GreedyByPlace(RowServer):
    def likeliest(self, header, rows, lengths):
        found = super().likeliest(header, rows, lengths)
        return np.where(np.arange(len(rows)) % 4 == 0, 0, found)


class Sums:
    """Predicts the sum of an item, and what the place or the batch adds to that."""

    def __init__(self, adds):
        self.adds = adds

    def handle(self, header, payload):
        answer = {'type': header['type'], 'id': header.get('id'), 'protocol': 2, 'vocab': 1, 'verbs': ['predict']}
        if header['type'] != 'predict':
            return answer, b''
        sums = np.frombuffer(payload, np.uint8).reshape(header['count'], 4).sum(axis=1)
        return answer, (sums + self.adds(sums)).astype('<f4').tobytes()


SUMS = {'honest': lambda sums: 0, 'by_place': lambda sums: np.arange(len(sums)), 'by_batch': lambda sums: -sums.mean()}


class Witness:
    """A server that notes what it was sent, and how many secrets there were."""

    def __init__(self, server, place, drawn, order):
        self.server, self.place, self.drawn, self.order = server, place, drawn, order

    def handle(self, header, payload):
        if header['type'] not in ('hello', 'bye'):
            self.order.append((self.place, header, payload, len(self.drawn.drawn)))
        return self.server.handle(header, payload)


class Closable(serving.Channel):
    def close(self):
        os.close(self._to)
        os.close(self._from)


def serve(server, receive, send):
    with contextlib.suppress(OSError), os.fdopen(receive, 'rb') as inp, os.fdopen(send, 'wb') as out:
        adversaries.serve(server, inp, out)


def two(servers):
    """Channels to two servers in threads."""
    channels = []
    for server in servers:
        (asked, ask), (answered, say) = os.pipe(), os.pipe()
        threading.Thread(target=serve, args=(server, asked, say), daemon=True).start()
        channels.append(Closable(ask, answered))
    return channels


def outcome(work):
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return work()
    except serving.Fault as fault:
        return {'kind': fault.kind, 'reason': str(fault)}


def asked(make, seeds, work):
    """What work(channels, drawn) comes to with two servers of make(place), and what they were sent."""
    drawn, order = serving.Secrets(seeds), []
    channels = two([Witness(make(place), place, drawn, order) for place in (0, 1)])
    result = outcome(lambda: work(channels, drawn))
    for channel in channels:
        channel.close()
    return result, order, drawn


def nats(scores):
    found = scores.mean()
    return {'nats': found.mean, 'error': found.standard_error, 'tokens': found.tokens}


def scored(name, seeds=None):
    how = {
        'honest_later': replace(HOW, first=100),
        'late': replace(HOW, times=serving.Times(20, 0.2, 100)),
        'slow_blind': replace(HOW, tests=serving.Tests(row_s=0.005)),
        # one or two rows of this text: only asking for all is sure to meet them
        'peeks_in_0.05_percent': replace(HOW, blind=HOW.chunk, tests=replace(TESTS, share=0)),
    }.get(name, HOW)
    servers = []
    def make(place):
        servers.append(CHEATS[name]((1, place)))
        return servers[-1]
    def work(channels, drawn):
        for server in servers:
            server.drawn = drawn
        return nats(serving.score_text(TEXT, how, channels, drawn))
    result, order, _ = asked(make, seeds or f'a of {name},b of {name}', work)
    return {**result, 'early': text_sent_early(order)}


def text_sent_early(order):
    """Whether the second server was sent a token before it had answered for it blind."""
    known = 0
    for place, header, payload, _ in order:
        if place == 1 and header['type'] == 'blind' and header['at'] < known:
            return True
        if place == 1:
            known = max(known, header['at'] + (len(payload) if header['type'] == 'adapt' else 0))
    return False


def rows_sent_twice(order):
    """Whether the second server was sent more of a row than what precedes the one token that it was asked for."""
    rows = []
    for place, header, payload, _ in order:
        if place == 1:
            count, length = header['rows'], header['length']
            tokens = np.frombuffer(payload[: count * length], np.uint8).reshape(count, length)
            for row, size in zip(tokens, np.frombuffer(payload[count * length :], '<u4')):
                rows.append(row[:size].tobytes() + b'|')
                if row[size:].any():
                    return True
    return len(set(rows)) < len(rows) or not rows


def in_rows(kind):
    how = serving.Rows(vocab=VOCAB, batch=48, blind=150, times=TIMES, tests=TESTS)
    spans = np.array([[1 + at % 3, 33 - at % 5] for at in range(len(ROWS))])
    def work(channels, drawn):
        scores = serving.score_rows(ROWS, how, channels, spans, drawn)
        truth = -np.concatenate([adversaries.STRONG[row[first - 1 : end - 1], row[first:end]]
                                 for row, (first, end) in zip(ROWS, spans)])
        return {**nats(scores), 'off': scores.mean().mean - float(truth.mean())}
    result, order, _ = asked(lambda place: kind((2, place)), 'a of rows,b of rows', work)
    return {**result, 'early': rows_sent_twice(order)}


def greedy(kind):
    prompts = [[int(token)] for token in ROWS[:, 0]]
    def continued(token, count):
        more = []
        while len(more) < count:
            more.append(int(adversaries.STRONG[more[-1] if more else token].argmax()))
        return more
    wanted = [continued(prompt[0], 1 + at % 3) for at, prompt in enumerate(prompts)]
    for at in range(0, len(wanted), 5):
        wanted[at][-1] = (wanted[at][-1] + 1) % VOCAB
    how = serving.Greedy(vocab=VOCAB, batch=32, times=TIMES)
    def work(channels, drawn):
        hits = serving.greedy_hits(prompts, wanted, how, channels, drawn)
        return {'right': bool((hits == (np.arange(len(hits)) % 5 > 0)).all())}
    return asked(lambda place: kind((3, place)), 'a of greedy,b of greedy', work)[0]


def predictions(kind):
    draw = np.random.default_rng(5)
    items = [bytes(draw.integers(0, 64, 4, dtype=np.uint8)) for _ in range(150)]
    def work(channels, drawn):
        found = serving.predict_items(items, serving.Items(width=1, batch=64, times=TIMES), channels, drawn)
        return {'right': bool(np.array_equal(found[:, 0], [sum(item) for item in items]))}
    return asked(lambda place: Sums(SUMS[kind]), 'items', work)


def drawn_late():
    """How many secrets existed while each server was asked."""
    _, text, _ = asked(lambda place: Honest((4, place)), None, lambda channels, drawn: nats(
        serving.score_text(TEXT, HOW, channels, drawn)))
    _, items, _ = predictions('honest')
    return {name: [sorted({known for place, *_, known in order if place == of}) for of in (0, 1)]
            for name, order in (('text', text), ('items', items))}


def replayed():
    """Whether the seeds that one scoring prints, in the environment of another, have it ask the same."""
    told = io.StringIO()
    def once():
        def work(channels, drawn):
            with contextlib.redirect_stdout(told):
                return nats(serving.score_text(TEXT, HOW, channels, drawn))
        result, order, _ = asked(lambda place: Honest((5, place)), None, work)
        return result, [(place, header, payload) for place, header, payload, _ in order]
    first = once()
    seeds = told.getvalue().split('seeds ')[1].strip()
    other = once()
    os.environ['ASSAY_SCORING_SEED'] = seeds
    again = once()
    del os.environ['ASSAY_SCORING_SEED']
    return {'seeds': len(set(seeds.split(','))), 'same': again == first, 'other': other[1] == first[1]}


def means():
    """What Scores says of parts of a text: claims of 1 nat that are 3 in truth, where they were asked blind."""
    claims = np.full(100, -1, '<f4')
    scores = serving.Scores(claims, np.arange(0, 50, 5), np.full(10, -3.0), np.full(10, 5.0))
    first, last = np.arange(100) < 50, np.arange(100) >= 50
    lone = np.arange(100) < 5
    return {'all': scores.mean().mean, 'first': scores.mean(first).mean, 'unasked': scores.mean(last),
            'lone': scores.mean(lone), 'share': scores.mean(of=lambda values: values > 2).mean,
            'bits': scores.mean().times(1 / math.log(2)).mean}


def paced(start, parts):
    """Servers with 25 s together, whose steps take these seconds: the share of all steps when they were stopped."""
    now = [0.0]
    pace = serving.Pace(25.0, clock=lambda: now[0])
    done, steps = 0, sum(len(part) for part in parts)
    for part in parts:
        now[0] += start
        pace.start(len(part))
        for took in part:
            now[0] += took
            done += 1
            result = outcome(pace.step)
            if result is not None:
                return {**result, 'share': done / steps}
    return {'share': 1.0}


PACES = {
    'pace_in_time': paced(0, [[24.9 / 100] * 100]),
    'pace_stalls_once': paced(0, [[9.0] + [15.9 / 99] * 99]),
    'pace_starts_slowly': paced(8.0, [[16.9 / 100] * 100]),
    'pace_of_a_long_first': paced(0, [[20 / 100] * 100, [4.9 / 100] * 100]),
    'pace_twice_too_slow': paced(0, [[50.0 / 100] * 100]),
    'pace_a_tenth_too_slow': paced(0, [[27.7 / 100] * 100]),
    'pace_of_a_slow_second': paced(0, [[10 / 100] * 100, [60 / 100] * 100]),
    'pace_slows_down': paced(0, [[20.0 / 100] * 50 + [40.0 / 100] * 50]),
    'pace_of_few_steps': paced(0, [[12.0] * 4]),
}

if __name__ == '__main__':
    runs = {name: scored(name) for name in CHEATS}
    runs['knows_all_that_will_be'] = scored('knows_what_exists', 'one seed for both')
    runs |= {f'rows_{kind.__name__}': in_rows(kind) for kind in (RowServer, RowsPeek, RowsUnnormalised)}
    runs |= {f'greedy_{kind.__name__}': greedy(kind) for kind in (RowServer, GreedyByPlace)}
    runs |= {f'predict_{kind}': predictions(kind)[0] for kind in SUMS}
    runs |= PACES
    sys.stdout.write('\n' + json.dumps({'runs': runs, 'drawnLate': drawn_late(), 'replayed': replayed(), 'means': means()}))
