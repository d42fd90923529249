"""Scores models that nobody trusts: the evaluator's side of served scoring.

The recipe's own code answers as a server, in a sandbox without labels and without network. This file is on the
evaluator's side: it frames, keeps deadlines, decides order and moments of adaptation, normalises, and compares twins.
Standard library and numpy only. assay puts this folder on the evaluator's PYTHONPATH.

    import assay_serving as serving

    def measure():
        nats = serving.score_text(tokens, serving.Text(vocab=256), serving.servers(twins=True))
        return {'metrics': {'bpb': float(nats.sum() / np.log(2) / len(tokens))}, 'feedback': ''}

    serving.evaluate(measure)

TWINS. For a language model the inputs are the labels, shifted by one: whoever sees a request sees its labels. So two
servers run, the second only when the first is dead, and are treated alike. Of each chunk a server is first asked with
the tokens from a secret cut on replaced by earlier ones, `cuts` times with cuts of its own that rise, then as it is.
What the first answers to a chunk as it is is kept, and rows up to and including that of a cut must agree with it in all
other answers, of both servers. The row at a cut predicts a token that this server has not seen, in this request or any
earlier one, and the other server cannot know where the cut is; whose answer counts is drawn for each chunk. Earlier
chunks are asked again at secret moments, so that an answer that depends on what was asked before shows.

ORDER. Each server has a seed of its own, made when it has answered hello: the second's when the first is dead, for only
then it starts. Whose answers count is drawn from a third seed, when both have answered everything. So what the first
answers cannot depend on the second's cuts, even if it could read all that its evaluator knows.

UNSEEN. A row that uses tokens which it should not is seen when it is the row of a cut. Let a share f of the rows be of
that kind. Each server has cuts * chunks rows of its own that it answers without their tokens, so the cheat goes unseen
with probability (1 - f)^k, k = 2 * cuts * chunks: with k = 96, as in byte-golf, that is 0.7 % for f = 5 % and 38 % for
f = 1 %; with the 768 of eight replicates 0.04 % for f = 1 %. Against a first server that knew its own cuts the second's
remain: k / 2, which is 8.5 % for f = 5 %, and 2 % in eight replicates for f = 1 %. If but one of them cheats, up to
`compared` rows before each cut tell. In every row at once nothing can be gained but twice `tolerance`, which is
2 * tolerance / ln 2 bits a token.

FRAMES. 4 bytes of length, little endian, a JSON object of that many bytes, `bytes` (a field of it) bytes of payload.
    {type: hello, protocol: 1, max_context, max_count}             -> {type: hello, protocol: 1, vocab, adapt}
    {type: score, id, context, count, bytes} + tokens              -> {type: scores, id, count, vocab, bytes} + float32
    {type: adapt, id, bytes} + tokens that were just scored        -> {type: adapted, id}
    {type: predict, id, count, bytes} + items of one size          -> {type: predictions, id, count, bytes} + float32
    {type: bye}                                                    -> {type: bye}, then the end of its output
Tokens are uint8 up to a vocabulary of 256, else uint16; all numbers are little endian.

What a server says is never repeated in words: it may know held-out text, and reasons reach agents.
"""
import hashlib
import hmac
import json
import os
import secrets
import select
import statistics
import time
from dataclasses import dataclass

import numpy as np

PROTOCOL = 1
MAX_HEADER = 4096
PAST = 1 << 16  # tokens before a chunk that other endings are taken from
FLOOR = -40.0  # nats; what is less likely is compared as if it were this
TELLING = 0.1  # share of an evaluation, and
STEPS = 8  # its steps, from which on the rest of it is projected
DOUBT = 0.25  # by how much more than is allowed a projection may say at its start; at its end nothing


class Fault(Exception):
    """The recipe's server did wrong; `kind` is protocol, invalid, late or twins_disagree."""

    def __init__(self, kind, reason):
        super().__init__(reason)
        self.kind = kind


@dataclass(frozen=True)
class Text:
    """How a text is asked. Times are seconds; `tolerance` is in nats; `again` is a share of chunks."""

    vocab: int = 256
    chunk: int = 1024
    cuts: int = 2
    max_context: int = 1024
    hello_s: float = 10.0
    answer_s: float = 6.0
    total_s: float = 25.0
    tolerance: float = 1e-4
    compared: int = 64  # rows before each cut; 4 * tokens * vocab bytes are kept for it, in memory
    again: float = 0.25  # how often an earlier chunk is asked again: an answer may not depend on what was asked before

    @property
    def dtype(self):
        return '<u1' if self.vocab <= 256 else '<u2'


class Secret:
    """Choices that a server cannot foresee: HMAC-SHA256 of what is chosen. Equal seeds choose the same."""

    def __init__(self, seed):
        self.seed = seed

    def below(self, bound, *of):
        """An integer from 0 to bound - 1."""
        drawn = hmac.new(self.seed.encode(), repr(of).encode(), hashlib.sha256).digest()
        return int.from_bytes(drawn, 'little') % bound

    def permutation(self, size, *of):
        return sorted(range(size), key=lambda at: self.below(1 << 128, *of, at))


class Secrets:
    """The secrets of one scoring in the order of their use; none exists before it is drawn.

    `seeds`, or ASSAY_SCORING_SEED, repeats an earlier scoring: its seeds with commas between them, as it printed them.
    Where they are fewer than needed the last one serves again.
    """

    def __init__(self, seeds=None):
        self._seeds = (seeds or os.environ.get('ASSAY_SCORING_SEED') or '').split(',')
        self.drawn = []

    def draw(self):
        seed = self._seeds[min(len(self.drawn), len(self._seeds) - 1)]
        self.drawn.append(Secret(seed or secrets.token_hex(16)))
        return self.drawn[-1]

    def __str__(self):
        return ','.join(secret.seed for secret in self.drawn)


class Channel:
    """Frames over two descriptors, with a deadline for every exchange. Nothing the server says sizes a buffer."""

    def __init__(self, to_server, from_server):
        self._to, self._from = to_server, from_server
        os.set_blocking(to_server, False)
        os.set_blocking(from_server, False)

    def _wait(self, readable, writable, deadline, doing):
        left = deadline - time.monotonic()
        if left <= 0 or not any(select.select(readable, writable, [], left)):
            raise Fault('late', f'no answer in time {doing}')

    def _write(self, content, deadline, doing):
        view = memoryview(content)
        while view:
            self._wait([], [self._to], deadline, doing)
            try:
                view = view[os.write(self._to, view[:65536]):]
            except BlockingIOError:
                continue
            except OSError:
                raise Fault('protocol', f'the server closed its input {doing}') from None

    def _read(self, size, deadline, doing):
        content = bytearray()
        while len(content) < size:
            self._wait([self._from], [], deadline, doing)
            try:
                part = os.read(self._from, min(size - len(content), 1 << 20))
            except BlockingIOError:
                continue
            except OSError:  # a socket whose peer died says so by an error, a pipe by its end
                part = b''
            if not part:
                raise Fault('protocol', f'the server ended in the middle {doing}')
            content += part
        return bytes(content)

    def ask(self, header, payload, expected, payload_bytes, seconds):
        """Sends a request and returns the answer's (header, payload).

        The answer must hold every field of `expected` with that value and exactly `payload_bytes` of payload.
        """
        doing = f'after {header["type"]}'
        deadline = time.monotonic() + seconds
        text = json.dumps({**header, 'bytes': len(payload)}).encode()
        self._write(len(text).to_bytes(4, 'little') + text + payload, deadline, doing)
        size = int.from_bytes(self._read(4, deadline, doing), 'little')
        if not 2 <= size <= MAX_HEADER:
            raise Fault('protocol', f'a header that is not of 2 to {MAX_HEADER} bytes {doing}')
        answer = parsed(self._read(size, deadline, doing), doing)
        for field, value in {**expected, 'bytes': payload_bytes}.items():
            found = answer.get(field, 0 if field == 'bytes' else None)
            if type(found) is not type(value) or found != value:
                raise Fault('protocol', f'{field} is not {value} {doing}')
        return answer, self._read(payload_bytes, deadline, doing)

    def end(self, seconds):
        """Refuses bytes that no request asked for; a server that just stays open is left to the harness."""
        try:
            self._wait([self._from], [], time.monotonic() + seconds, 'after bye')
            more = os.read(self._from, 1)
        except (Fault, OSError):
            return
        if more:
            raise Fault('protocol', 'the server sent bytes that nobody asked for')


def parsed(text, doing):
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise Fault('protocol', f'a header that is not JSON {doing}') from None
    if not isinstance(header, dict):
        raise Fault('protocol', f'a header that is not a JSON object {doing}')
    return header


def log_probabilities(logits):
    """Natural log-probabilities in float64, normalised here, of rows of finite float32 logits."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def numbers(payload, count, width):
    values = np.frombuffer(payload, dtype='<f4').reshape(count, width)
    if not np.isfinite(values).all():
        raise Fault('invalid', 'a number that is not finite was answered')
    return values


def servers(twins):
    """The channels that the harness connected, in no particular order.

    `twins`: whether there must be two. One alone is believed in what it may have seen; that does to rehearse on text
    that is no secret.
    """
    names = ('SERVER', 'TWIN') if twins else ('SERVER',)
    return [Channel(int(os.environ[f'ASSAY_{name}_IN_FD']), int(os.environ[f'ASSAY_{name}_OUT_FD'])) for name in names]


class Pace:
    """The time that an evaluation may take, and whether what is left of it can still be done in that.

    What is to come is taken to go like the median step so far, so that a stall counts once. A projection has to be
    over the limit by DOUBT times the share that is left.
    """

    def __init__(self, total_s, steps, clock=time.monotonic):
        self.total_s, self.steps, self.clock = total_s, steps, clock
        self.began = self.last = clock()
        self.took = []

    def left(self):
        """Seconds; raises Fault when there are none."""
        left = self.began + self.total_s - self.clock()
        if left <= 0:
            raise Fault('late', f'scoring took more than {self.total_s:g} s')
        return left

    def start(self):
        """A server has answered for the first time: what it took until then is no step."""
        self.last = self.clock()

    def step(self):
        """One of the steps is done; raises Fault when the rest cannot be."""
        now = self.clock()
        self.took.append(now - self.last)
        self.last = now
        done, share = len(self.took), len(self.took) / self.steps
        if done < STEPS or share < TELLING:
            return
        projected = now - self.began + (self.steps - done) * statistics.median(self.took)
        if projected > self.total_s * (1 + DOUBT * (1 - share)):
            raise Fault('late', f'scoring would take {projected:.3g} s of {self.total_s:g} s, by what {share:.0%} of it '
                        f'took: stopped after {now - self.began:.3g} s')


class Asker:
    """One server, its deadlines and the secret names of its requests."""

    def __init__(self, channel, how, place, pace):
        self.channel, self.how, self.place, self.pace = channel, how, place, pace
        self.secret, self.asked = None, 0

    def ask(self, header, payload, expected, size, most):
        left = self.pace.left()
        return self.channel.ask(header, payload, expected, size, min(most, left))

    def name(self):
        self.asked += 1
        return self.secret.below(1 << 40, 'name', self.place, self.asked)

    def hello(self, drawn, **told):
        """Whether the server wants to adapt. Its secret is drawn when it has answered: what ran before it is dead."""
        request = {'type': 'hello', 'protocol': PROTOCOL, **told}
        expected = {'type': 'hello', 'protocol': PROTOCOL, 'vocab': self.how.vocab}
        answer, _ = self.ask(request, b'', expected, 0, self.how.hello_s)
        self.pace.start()
        self.secret = drawn.draw()
        return answer.get('adapt') is True

    def scores(self, tokens, context):
        """Logits of the tokens after `context`."""
        count, name = len(tokens) - context, self.name()
        request = {'type': 'score', 'id': name, 'context': context, 'count': count}
        expected = {'type': 'scores', 'id': name, 'count': count, 'vocab': self.how.vocab}
        size = count * self.how.vocab * 4
        _, payload = self.ask(request, tokens.tobytes(), expected, size, self.how.answer_s)
        return numbers(payload, count, self.how.vocab)

    def adapt(self, tokens):
        name = self.name()
        expected = {'type': 'adapted', 'id': name}
        self.ask({'type': 'adapt', 'id': name}, tokens.tobytes(), expected, 0, self.how.answer_s)

    def predictions(self, items, width):
        count, name = len(items), self.name()
        expected = {'type': 'predictions', 'id': name, 'count': count}
        request = {'type': 'predict', 'id': name, 'count': count}
        _, payload = self.ask(request, b''.join(items), expected, count * width * 4, self.how.answer_s)
        return numbers(payload, count, width)

    def bye(self):
        self.ask({'type': 'bye'}, b'', {'type': 'bye'}, 0, self.how.answer_s)
        self.channel.end(0.5)


class Chunks:
    """A text in chunks, with the secret cuts of each server in them."""

    def __init__(self, tokens, how):
        self.tokens, self.how = tokens, how
        self.starts = range(0, len(tokens), how.chunk)

    def __len__(self):
        return len(self.starts)

    def span(self, at):
        """(first token of the context, first of the chunk, first after it)."""
        start = self.starts[at]
        return max(0, start - self.how.max_context), start, min(start + self.how.chunk, len(self.tokens))

    def cuts(self, at, asker):
        """Rising, counted from the chunk's start: the first tokens that differ in what this server is asked."""
        _, start, end = self.span(at)
        drawn = (asker.secret.below(end - start, 'cut', at, asker.place, turn) for turn in range(self.how.cuts))
        return sorted(drawn)

    def real(self, at):
        first, _, end = self.span(at)
        return self.tokens[first:end]

    def altered(self, at, cut, asker, *turn):
        """The chunk up to its cut, then tokens that came before the chunk: later ones would tell what is to come."""
        first, start, end = self.span(at)
        cut += start
        truth, before = self.tokens[cut], self.tokens[max(0, start - PAST) : start]
        places = np.flatnonzero(before != truth)

        def below(bound, *more):
            return asker.secret.below(bound, 'ending', at, asker.place, *turn, *more)

        if len(places):
            ending = np.resize(np.roll(before, -places[below(len(places))]), end - cut)
        else:
            drawn = [below(self.how.vocab, place) for place in range(end - cut)]
            drawn[0] = (int(truth) + 1 + drawn[0] % (self.how.vocab - 1)) % self.how.vocab
            ending = np.array(drawn, self.tokens.dtype)
        return np.concatenate([self.tokens[first:cut], ending])


class Answers:
    """What the first server answered to the text as it is, and whether all other answers agree with that."""

    def __init__(self, chunks):
        self.chunks, self.how, self.askers = chunks, chunks.how, []
        # the cuts of the second are not drawn yet: each row may be one of those that are compared
        self.kept = np.empty((len(chunks.tokens), self.how.vocab), '<f4')

    def ask(self, at, asker):
        """Asks for a chunk up to each cut, then as it is; the logits of that."""
        first, start, end = self.chunks.span(at)
        cuts = self.chunks.cuts(at, asker)
        altered = [asker.scores(self.chunks.altered(at, cut, asker, turn), start - first) for turn, cut in enumerate(cuts)]
        logits = asker.scores(self.chunks.real(at), start - first)
        if asker is self.askers[0]:
            self.kept[start:end] = logits
        for cut, answered in [*zip(cuts, altered), (end - start, logits)]:
            self.agree(at, answered, cut)
        return logits

    def ask_again(self, at, asker):
        """Asks for a chunk that came before this one with another ending: what was asked in between must not matter."""
        earlier = asker.secret.below(at, 'earlier', asker.place, at)
        first, start, _ = self.chunks.span(earlier)
        cut = self.chunks.cuts(earlier, asker)[-1]
        self.agree(earlier, asker.scores(self.chunks.altered(earlier, cut, asker, 'again', at), start - first), cut)

    def agree(self, at, logits, limit):
        """Compares the rows before every cut up to `limit`: from there on the request was another."""
        _, start, _ = self.chunks.span(at)
        for cut in {cut for asker in self.askers for cut in self.chunks.cuts(at, asker) if cut <= limit}:
            rows = slice(max(0, cut + 1 - self.how.compared), cut + 1)
            found, kept = logits[rows], self.kept[start:][rows]
            if np.abs(floored(found) - floored(kept)).max() > self.how.tolerance:
                raise Fault('twins_disagree', 'the same past gave other predictions when what follows, or what was '
                            'asked before, was another: rows may depend on the tokens before them only, within '
                            f'{self.how.tolerance:g} nats')


def floored(logits):
    return np.maximum(log_probabilities(logits), FLOOR)


def score_text(tokens, how, channels, drawn=None):
    """Nats that each token of a text costs, in order, by twins, or by one server that is only compared with itself.

    A server that declares `adapt` is sent each chunk when its scores are in; twins are sent the same. Raises Fault.
    """
    drawn = drawn or Secrets()
    tokens = np.ascontiguousarray(tokens, dtype=how.dtype)
    chunks = Chunks(tokens, how)
    pace = Pace(how.total_s, len(channels) * len(chunks))
    nats, answers, modes = np.full((len(channels), len(tokens)), np.nan), Answers(chunks), set()
    for place, channel in enumerate(channels):
        asker = Asker(channel, how, place, pace)
        modes.add(asker.hello(drawn, max_context=how.max_context, max_count=how.chunk))
        answers.askers.append(asker)
        if len(modes) > 1:
            raise Fault('twins_disagree', 'one server wants to adapt, the other does not')
        for at in range(len(chunks)):
            _, start, end = chunks.span(at)
            logits = answers.ask(at, asker)
            nats[place, start:end] = -log_probabilities(logits)[np.arange(end - start), tokens[start:end]]
            if True in modes:
                asker.adapt(tokens[start:end])
            elif at and asker.secret.below(1000, 'again', place, at) < 1000 * how.again:
                answers.ask_again(at, asker)
            pace.step()
        asker.bye()
    counts = drawn.draw()
    counted = np.array([counts.below(len(channels), 'counts', at) for at in range(len(chunks))], int)
    every = np.arange(len(tokens))
    found = nats[counted[every // how.chunk], every]
    if not np.isfinite(found).all():
        raise RuntimeError('a token was not scored')
    print(f'scored {len(tokens)} tokens in {len(chunks)} chunks, by {len(channels)}; seeds {drawn}', flush=True)
    return found


def predict_items(items, width, how, channels, drawn=None):
    """Predictions [items, width] for independent items of equal size (bytes), each server in a secret order of its own.

    `how`: a Text, of which chunk (items a request), tolerance (absolute) and times are used; vocab is the width.
    Items hold no labels, so both see the same ones; an answer that depends on the order differs. Raises Fault.
    """
    drawn = drawn or Secrets()
    starts, found = range(0, len(items), how.chunk), None
    pace = Pace(how.total_s, len(channels) * len(starts))
    for place, channel in enumerate(channels):
        asker = Asker(channel, how, place, pace)
        asker.hello(drawn, max_count=how.chunk)
        order = asker.secret.permutation(len(items), 'order', place)
        values = np.empty((len(items), width))
        for at in starts:
            part = order[at : at + how.chunk]
            values[part] = asker.predictions([items[one] for one in part], width)
            pace.step()
        asker.bye()
        if found is not None and np.abs(found - values).max() > how.tolerance:
            raise Fault('twins_disagree', 'the same item was predicted otherwise in another order')
        found = values if found is None else found
    print(f'predicted {len(items)} items, by {len(channels)}; seeds {drawn}', flush=True)
    return found


def evaluate(measure):
    """Runs measure() and writes what it returns, or the server's fault, as the evaluation's one result."""
    try:
        result = measure()
    except Fault as fault:
        result = {'failure': {'kind': fault.kind, 'reason': str(fault)[:2000]}, 'feedback': ''}
    with open(int(os.environ['ASSAY_RESULT_FD']), 'w', encoding='utf-8') as out:
        json.dump({'schema': 'assay.evaluation/1', **result}, out, allow_nan=False)
