"""Runs the evaluator kit against servers that cheat, each pair in threads of this process, and prints what came of it.

Of a server every request is handled by one function of it: (header, tokens, memory) -> logits, or raw bytes to send.
"""
import contextlib
import io
import json
import os
import sys
import threading
import time
import zlib

import numpy as np

import assay_serving as serving

VOCAB = 32
HOW = serving.Text(vocab=VOCAB, chunk=64, cuts=2, max_context=64, hello_s=5, answer_s=5, total_s=100, tolerance=1e-4)
GENERATOR = np.random.default_rng(5)
TEXT = np.cumsum(GENERATOR.integers(0, 3, 3200)).astype(np.uint8) % VOCAB
HIDDEN = 'tokens-that-no-agent-may-read'


def honest(header, tokens, memory):
    """A step of 0, 1 or 2 from the token before, as the text has it, but not sharp."""
    before = np.concatenate([[0], tokens])[header['context'] : -1].astype(int)
    logits = np.zeros((len(before), VOCAB), np.float32)
    for step, weight in ((0, 1.0), (1, 1.5), (2, 1.2)):
        logits[np.arange(len(before)), (before + step) % VOCAB] += weight
    return logits


def labels(header, tokens, ahead=0):
    return np.resize(tokens[header['context'] + ahead :], header['count']).astype(int) if ahead else tokens[header['context'] :]


def sharpened(logits, rows, at, by):
    logits[rows, at[rows]] += by
    return logits


def peeks(ahead=0, by=8.0, share=1.0, when=lambda header, memory: True):
    def answer(header, tokens, memory):
        logits = honest(header, tokens, memory)
        if not when(header, memory):
            return logits
        at = np.asarray(labels(header, tokens, ahead), int)
        key = np.array([zlib.crc32(tokens[max(0, i - 8) : i].tobytes()) for i in range(header['context'], len(tokens))])
        return sharpened(logits, np.flatnonzero(key % 10000 < share * 10000), at, by)
    return answer


def asked_on_chunk(nth):
    """Whether this is the nth request in a row on the same context."""
    def when(header, memory):
        return memory['same'] == nth
    return when


def remembers(header, tokens, memory):
    """Answers from memory where it saw the last 12 tokens before."""
    logits, known = honest(header, tokens, memory), memory.setdefault('known', {})
    for row in range(header['count']):
        past = tokens[max(0, header['context'] + row - 12) : header['context'] + row].tobytes()
        if past in known:
            logits[row, known[past]] += 8
    for at in range(12, len(tokens)):
        known[tokens[at - 12 : at].tobytes()] = int(tokens[at])
    return logits


def replays(header, tokens, memory):
    """Peeks, and answers an earlier question as it did before, as far as the question is the same."""
    seen = memory.setdefault('seen', [])
    logits = peeks()(header, tokens, memory)
    for earlier, answered in reversed(seen):
        same = np.cumprod(earlier[: len(tokens)] == tokens[: len(earlier)]).sum() - header['context']
        if same >= 0:
            logits[: same + 1] = answered[: same + 1][: len(logits)]
            break
    seen.append((tokens, logits.copy()))
    return logits


def counts_requests(header, tokens, memory):
    memory['n'] = memory.get('n', 0) + 1
    return honest(header, tokens, memory) * np.float32(1 + memory['n'] % 7 / 100)


def learns(header, tokens, memory):
    """What adapt allows: counts of the steps in the text so far."""
    before = np.concatenate([[0], tokens])[header['context'] : -1].astype(int)
    counts = memory.setdefault('steps', np.ones(VOCAB))
    rows = np.log(counts / counts.sum()).astype(np.float32)
    return rows[(np.arange(VOCAB)[None, :] - before[:, None]) % VOCAB]


def learns_early(header, tokens, memory):
    """The same, from the tokens that it is asked to score."""
    count_steps(tokens[header['context'] :], memory)
    return learns(header, tokens, memory)


def count_steps(tokens, memory):
    steps = np.bincount(np.diff(tokens.astype(int)) % VOCAB, minlength=VOCAB)
    memory['steps'] = memory.get('steps', np.ones(VOCAB)) + steps


def knows_what_exists(header, tokens, memory):
    """Peeks in every row that no cut is at, by the secret that exists while the first server is asked."""
    at = next(at for at, _ in enumerate(range(0, len(TEXT), HOW.chunk)) if begins(at, header, tokens))
    known = {memory['drawn'].drawn[0].below(header['count'], 'cut', at, place, turn)
             for place in (0, 1) for turn in range(HOW.cuts)}
    rows = np.array([row for row in range(header['count']) if row not in known])
    return sharpened(honest(header, tokens, memory), rows, labels(header, tokens).astype(int), 8)


def begins(at, header, tokens):
    start = at * HOW.chunk
    before = TEXT[max(0, start - HOW.max_context) : start]
    return header['context'] == len(before) and np.array_equal(before, tokens[: len(before)])


def changed(change):
    def answer(header, tokens, memory):
        logits = honest(header, tokens, memory)
        return change(logits)
    return answer


def put(logits, value):
    logits[-1, 3] = value
    return logits


def stalls(header, tokens, memory):
    time.sleep(HOW.answer_s + 1)
    return honest(header, tokens, memory)


CHEATS = {
    'honest': honest,
    'peeks': peeks(),
    'peeks_3_ahead': peeks(ahead=3),
    'peeks_at_5_percent': peeks(share=0.05),
    'peeks_a_hundredth': peeks(by=0.01),
    'peeks_below_the_tolerance': peeks(by=0.00009),
    'peeks_as_first': peeks(when=lambda header, memory: memory['place'] == 0),
    'peeks_as_second': peeks(when=lambda header, memory: memory['place'] == 1),
    'peeks_in_the_last_of_a_chunk': peeks(when=asked_on_chunk(2)),
    'remembers': remembers,
    'replays': replays,
    'knows_what_exists': knows_what_exists,
    'counts_requests': counts_requests,
    'adapt_learns': learns,
    'adapt_learns_early': learns_early,
    'unnormalised': changed(lambda logits: logits + np.float32(1000)),
    'huge': changed(lambda logits: logits * np.float32(1e38)),
    'nan': changed(lambda logits: put(logits, np.nan)),
    'infinite': changed(lambda logits: put(logits, np.inf)),
    'stalls': stalls,
    'tells_in_error': lambda header, tokens, memory: {'type': 'error', 'reason': HIDDEN},
    'tells_in_field': lambda header, tokens, memory: {'type': 'scores', 'id': HIDDEN},
    'tells_in_vocab': lambda header, tokens, memory: {'type': 'scores', 'id': header['id'], 'count': HIDDEN},
}


def serve(answer, place, adapts, receive, send, order, drawn):
    memory = {'place': place, 'same': -1, 'drawn': drawn}
    with os.fdopen(receive, 'rb') as inp, os.fdopen(send, 'wb') as out:
        try:
            while head := inp.read(4):
                header = json.loads(inp.read(int.from_bytes(head, 'little')))
                payload = inp.read(header['bytes'])
                body, said = b'', {'type': header['type'], 'protocol': 1, 'vocab': VOCAB, 'adapt': adapts}
                if header['type'] == 'score':
                    tokens = np.frombuffer(payload, np.uint8)
                    begun = tokens[: header['context']].tobytes()
                    memory['same'] = memory['same'] + 1 if memory.get('begun') == begun else 0
                    memory['begun'] = begun
                    order.append((place, 'score', tokens[header['context'] :].tobytes(), len(drawn.drawn)))
                    said = answer(header, tokens, memory)
                    if isinstance(said, np.ndarray):
                        body = said.astype('<f4').tobytes()
                        said = {'type': 'scores', 'id': header['id'], 'count': header['count'], 'vocab': VOCAB}
                elif header['type'] == 'adapt':
                    order.append((place, 'adapt', payload, len(drawn.drawn)))
                    count_steps(np.frombuffer(payload, np.uint8), memory)
                    said = {'type': 'adapted', 'id': header['id']}
                elif header['type'] == 'predict':
                    order.append((place, 'predict', payload, len(drawn.drawn)))
                    said, body = answer(header, payload, memory)
                text = json.dumps({**said, 'bytes': len(body)}).encode()
                out.write(len(text).to_bytes(4, 'little') + text + body)
                out.flush()
                if header['type'] == 'bye':
                    return
        except OSError:
            return


class Closable(serving.Channel):
    def close(self):
        os.close(self._to)
        os.close(self._from)


def pair(answer, adapts, order, drawn):
    """Channels to two servers of the same program, and in `order` what they were asked and how many secrets were drawn."""
    channels = []
    for place in (0, 1):
        (asked, ask), (answered, say) = os.pipe(), os.pipe()
        threading.Thread(target=serve, args=(answer, place, adapts, asked, say, order, drawn), daemon=True).start()
        channels.append(Closable(ask, answered))
    return channels


def outcome(work):
    try:
        return work()
    except serving.Fault as fault:
        return {'kind': fault.kind, 'reason': str(fault)}


def scored(name, seeds=None):
    return scored_by(CHEATS[name], name.startswith('adapt'), seeds or ','.join(f'{which} of {name}' for which in 'abc'))


def scored_by(answer, adapts, seeds, text=TEXT, how=HOW):
    order, drawn = [], serving.Secrets(seeds)
    channels = pair(answer, adapts, order, drawn)
    result = outcome(lambda: {'nats': float(serving.score_text(text, how, channels, drawn).mean())})
    for channel in channels:
        channel.close()
    return {**result, 'early': adapted_early(order)}


def known_when_asked(work):
    """How many secrets existed while each server was asked, and after all."""
    order, drawn = [], serving.Secrets()
    work(order, drawn)
    return [*(sorted({known for place, *_, known in order if place == of}) for of in (0, 1)), [len(drawn.drawn)]]


def drawn_late():
    items = [bytes([at, 0, 0, 0]) for at in range(150)]
    return {
        'text': known_when_asked(lambda order, drawn: serving.score_text(TEXT, HOW, pair(honest, False, order, drawn), drawn)),
        'items': known_when_asked(lambda order, drawn: serving.predict_items(
            items, 1, HOW, pair(sums('honest'), False, order, drawn), drawn)),
    }


def replayed():
    """Whether the seeds that one scoring prints, in the environment of another, have it ask and count the same."""
    def once():
        order, drawn, told = [], serving.Secrets(), io.StringIO()
        with contextlib.redirect_stdout(told):
            nats = serving.score_text(TEXT, HOW, pair(CHEATS['peeks_below_the_tolerance'], False, order, drawn), drawn)
        return order, nats, told.getvalue().split('seeds ')[1].strip()
    order, nats, seeds = once()
    other = once()
    os.environ['ASSAY_SCORING_SEED'] = seeds
    again = once()
    del os.environ['ASSAY_SCORING_SEED']
    return {'seeds': len(set(seeds.split(','))), 'same': again[0] == order and np.array_equal(again[1], nats),
            'other': other[0] == order}


def unseen(share, evaluations):
    """How often a server that peeks in this share of the rows passes, and how often it should by (1 - f)^k."""
    how = serving.Text(vocab=VOCAB, chunk=64, cuts=2, max_context=64, total_s=100, again=0)
    text = GENERATOR.integers(0, VOCAB, 640).astype(np.uint8)
    answer = peeks(share=share)
    keys = [zlib.crc32(text[max(0, at - at % 64 - 64, at - 8) : at].tobytes()) for at in range(len(text))]
    f, k = float(np.mean([key % 10000 < share * 10000 for key in keys])), 2 * how.cuts * len(text) // how.chunk
    passed = [scored_by(answer, False, f'a{n},b{n},c{n}', text, how).get('kind') is None for n in range(evaluations)]
    return {'unseen': float(np.mean(passed)), 'expected': (1 - f) ** k, 'evaluations': evaluations}


def adapted_early(order):
    """Whether a server was sent a chunk before both of its real scores could be in, or never."""
    real = [TEXT[at : at + HOW.chunk].tobytes() for at in range(0, len(TEXT), HOW.chunk)]
    for place in (0, 1):
        own = [(kind, tokens) for of, kind, tokens, _ in order if of == place]
        for chunk in real:
            adapts = [at for at, (kind, tokens) in enumerate(own) if kind == 'adapt' and tokens == chunk]
            if adapts and ('score', chunk) not in own[: adapts[0]]:
                return True
    return False


def sums(kind):
    def answer(header, payload, memory):
        items = np.frombuffer(payload, np.uint8).reshape(header['count'], 4).astype(np.float32)
        values = items.sum(axis=1, keepdims=True)
        if kind == 'by_place':
            values = values + np.arange(len(values), dtype=np.float32)[:, None]
        if kind == 'by_batch':
            values = values - values.mean()
        said = {'type': 'predictions', 'id': header['id'], 'count': header['count']}
        return said, values.astype('<f4').tobytes()
    return answer


def predictions(kind):
    items = [bytes(GENERATOR.integers(0, 256, 4, dtype=np.uint8)) for _ in range(150)]
    how, drawn = serving.Text(vocab=VOCAB, chunk=64), serving.Secrets('items')
    def work():
        found = serving.predict_items(items, 1, how, pair(sums(kind), False, [], drawn), drawn)
        return {'right': bool(np.array_equal(found[:, 0], [sum(item) for item in items]))}
    return outcome(work)


def paced(of, seconds):
    """An evaluation of 25 s whose steps take these seconds: its share when it was stopped, and why."""
    now = [0.0]
    pace = serving.Pace(25.0, len(seconds), clock=lambda: now[0])
    now[0] = of.get('start', 0.0)
    pace.start()
    for done, took in enumerate(seconds, 1):
        now[0] += took
        result = outcome(pace.step)
        if result is not None:
            return {**result, 'share': done / len(seconds)}
    return {'share': 1.0}


PACES = {
    'pace_in_time': paced({}, [24.9 / 100] * 100),
    'pace_stalls_once': paced({}, [9.0] + [15.9 / 99] * 99),
    'pace_starts_slowly': paced({'start': 8.0}, [16.9 / 100] * 100),
    'pace_twice_too_slow': paced({}, [50.0 / 100] * 100),
    'pace_a_tenth_too_slow': paced({}, [27.7 / 100] * 100),
    'pace_slows_down': paced({}, [20.0 / 100] * 50 + [40.0 / 100] * 50),
    'pace_of_few_steps': paced({}, [12.0] * 4),
}

if __name__ == '__main__':
    results = {name: scored(name) for name in CHEATS}
    results |= {f'predict_{kind}': predictions(kind) for kind in ('honest', 'by_place', 'by_batch')}
    results |= PACES
    results['knows_all_that_will_be'] = scored('knows_what_exists', 'one seed for both')
    others = {'drawnLate': drawn_late(), 'replayed': replayed(), 'unseen': unseen(share=0.02, evaluations=200)}
    sys.stdout.write('\n' + json.dumps({'runs': results, **others}))
