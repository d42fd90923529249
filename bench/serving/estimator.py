"""What the difference estimator makes of each adversary, over many evaluations: a line each, and JSON at the end.

    PYTHONPATH=evaluator-kit python bench/serving/estimator.py [--repetitions 200] [--tokens 16384] [--blind 32]

Servers are called in this process, without pipes; all else is the kit's own scoring. `claimed` and `corrected` are
gains over the honest model, in nats a token: in the mean of all evaluations (with their standard deviation), whether
they are refused or not; `passed` is the corrected gain of those that are not.
"""
import argparse
import contextlib
import io
import json
import math

import numpy as np

import adversaries
import assay_serving as serving

LENIENT = serving.Tests(math.inf, math.inf, 1.0, math.inf, math.inf)
# the 99th percentile of what the honest servers differ by
TESTS = serving.Tests(spread=2.576 * adversaries.NOISE, outlier=0.3, share=1e-4, tolerance=0)


class Direct:
    """A channel to a server in this process; a server that would not answer is late at once."""

    def __init__(self, server):
        self.server = server

    def ask(self, header, payload, expected, answer, seconds):
        if isinstance(self.server, adversaries.Late) and header['type'] == 'gather':
            raise serving.Fault('late', 'no answer in time')
        said, body = self.server.handle(header, payload)
        memoryview(answer).cast('B')[:] = body
        return said

    def end(self, seconds):
        pass


def honest_nats(tokens, how):
    """Nats a token of the honest model without its noise."""
    server, nats = adversaries.Honest(0), 0.0
    for start in range(0, len(tokens), how.chunk):
        first = max(0, start - how.max_context)
        nats -= server.known({'context': start - first}, tokens[first : start + how.chunk])[0].sum()
        server.adapt({}, tokens[start : start + how.chunk])
    return nats / len(tokens)


def evaluation(name, tokens, how, repetition):
    """(claimed, corrected, standard error) nats a token, and why it was refused or None."""
    kind = adversaries.NAMES[name]
    channels = [Direct(kind((repetition, place))) for place in (0, 1)]
    drawn = serving.Secrets(f'{name}-{repetition}-a,{name}-{repetition}-b')
    try:
        scores = serving.score_text(tokens, how, channels, drawn)
    except serving.Fault as fault:
        return None, fault.kind
    corrected = scores.mean()
    figures = (-float(scores._claims.mean(dtype=np.float64)), corrected.mean, corrected.standard_error)
    try:
        scores.require(TESTS)
    except serving.Fault as fault:
        return figures, fault.kind
    return figures, None


def line(name, tokens, how, repetitions):
    """The figures of one adversary."""
    with contextlib.redirect_stdout(io.StringIO()):
        found = [evaluation(name, tokens, how, repetition) for repetition in range(repetitions)]
    truth = honest_nats(tokens, how)
    figures = np.array([figures for figures, _ in found if figures is not None]).reshape(-1, 3)
    passed = np.array([figures[1] for figures, why in found if why is None and figures is not None])
    result = {'name': name, 'refused': sum(why is not None for _, why in found), 'kinds': sorted({why for _, why in found if why})}
    if len(figures):
        gains = truth - figures[:, 1]
        result.update(claimed=float(truth - figures[:, 0].mean()), corrected=float(gains.mean()), sd=float(gains.std(ddof=1)),
                      standard_error=float(figures[:, 2].mean()))
    if len(passed):
        result['passed'] = float(truth - passed.mean())
    return result


def printed(result, repetitions):
    def number(name, form):
        return format(result[name], form) if name in result else '–'
    print(f'{result["name"]:<22}{number("claimed", "+.5f"):>10} {number("corrected", "+.5f"):>10} {number("sd", ".5f"):>9} '
          f'{number("standard_error", ".5f"):>9} {number("passed", "+.5f"):>10} {result["refused"] / repetitions:>8.1%}  '
          f'{", ".join(result["kinds"])}', flush=True)


def main():
    options = argparse.ArgumentParser()
    for name, value in (('repetitions', 200), ('tokens', 16384), ('chunk', 512), ('blind', 32)):
        options.add_argument(f'--{name}', type=int, default=value)
    options.add_argument('--only', nargs='*', default=list(adversaries.NAMES))
    given = options.parse_args()
    tokens = adversaries.text(given.tokens)
    how = serving.Text(vocab=adversaries.VOCAB, chunk=given.chunk, max_context=64, blind=given.blind,
                       times=serving.Times(total_s=math.inf), tests=LENIENT)
    blind = given.blind * math.ceil(given.tokens / given.chunk)
    print(f'{given.repetitions} evaluations of {given.tokens} tokens, {blind} of them blind; nats a token')
    print(f'{"":<22}{"claimed":>10} {"corrected":>10} {"sd":>9} {"its se":>9} {"passed":>10} {"refused":>8}')
    results = []
    for name in given.only:
        results.append(line(name, tokens, how, given.repetitions))
        printed(results[-1], given.repetitions)
    print(json.dumps({'repetitions': given.repetitions, 'tokens': given.tokens, 'blind': blind, 'lines': results}))


if __name__ == '__main__':
    main()
