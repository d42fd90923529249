"""Questions without their answers in them: predictions of items, and whether a model continues as expected."""
from dataclasses import dataclass, field

import numpy as np

from .asker import Asker, Times, finite_in, token_type
from .channel import Fault
from .pace import Pace
from .parts import score_parts
from .requests import filled, in_requests
from .secret import Secrets


@dataclass(frozen=True)
class Items:
    """How items are asked; `width` numbers are predicted of each, which may differ by `tolerance` between servers."""

    width: int = 1
    batch: int = 64  # items of a request
    tolerance: float = 1e-5
    times: Times = field(default_factory=Times)


@dataclass(frozen=True)
class Greedy:
    """How continuations are asked; `disagree` is the share of items in which two servers may differ."""

    vocab: int
    batch: int = 64  # prefixes of a request
    tokens: int = 1 << 30  # the most tokens of a request
    disagree: float = 0.01
    times: Times = field(default_factory=Times)


def predict_items(items, how, channels, drawn=None):
    """Predictions [items, width] for independent items of equal size (bytes), each server in a secret order of its own.

    Items hold no labels, so both servers see the same ones; an answer that depends on the order differs. Raises Fault.
    """
    drawn, found = drawn or Secrets(), None
    pace = Pace(how.times.total_s)
    for place, channel in enumerate(channels):
        asker = Asker(channel, place, how.times, pace, how.width)
        asker.hello(drawn, ('predict',), max_rows=how.batch)
        order = asker.secret.permutation(len(items), 'order', place)
        values = np.empty((len(items), how.width))
        starts = range(0, len(items), how.batch)
        pace.start(len(starts))
        for at in starts:
            part = order[at : at + how.batch]
            answer = np.empty((len(part), how.width), '<f4')
            asker.ask('predict', b''.join(items[one] for one in part), answer, count=len(part))
            finite_in(answer)
            values[part] = answer
            pace.step()
        asker.bye()
        if found is not None and np.abs(found - values).max() > how.tolerance:
            raise Fault('twins_disagree', 'the same item was predicted otherwise in another order')
        found = values if found is None else found
    print(f'predicted {len(items)} items, by {len(channels)}; seeds {drawn}', flush=True)
    return found


class GreedyPart:
    """Prompts and how they continue; the result is bool[prompts]: token by token by the likeliest one, exactly so.

    No token of a continuation is sent before it was answered. A second server is asked in another order.
    """

    verbs = ('greedy',)

    def __init__(self, prompts, continuations, how):
        self.prompts, self.how = [np.asarray(prompt) for prompt in prompts], how
        self.continuations = [np.asarray(more, int) for more in continuations]
        self.longest = max(len(prompt) + len(more) - 1 for prompt, more in zip(prompts, continuations))
        self.hits = []

    def ask_first(self, asker, *of):
        self.hits.append(self.continued(asker, *of))

    ask_second = ask_first

    def continued(self, asker, *of):
        open_, hits, known = asker.secret.permutation(len(self.prompts), 'order', *of), np.ones(len(self.prompts), bool), 0
        lengths = [len(prompt) for prompt in self.prompts]
        while open_:
            requests = in_requests(open_, lengths, self.how, asker.secret, known, *of)
            asker.pace.start(len(requests))
            for part in requests:
                answer = self.likeliest(part, known, asker)
                hits[part] = answer == [self.continuations[one][known] for one in part]
                asker.pace.step()
            known += 1
            open_ = [one for one in open_ if hits[one] and len(self.continuations[one]) > known]
        return hits

    def likeliest(self, part, known, asker):
        """The likeliest token after each prompt and the first `known` tokens of how it continues."""
        asked = [np.concatenate([self.prompts[one], self.continuations[one][:known]]) for one in part]
        lengths = np.array([len(prefix) for prefix in asked], '<u4')
        tokens = filled(asked, int(lengths.max()), token_type(self.how.vocab))
        answer = np.empty(len(asked), '<u4')
        asker.ask('greedy', tokens.tobytes() + lengths.tobytes(), answer, rows=len(asked), length=tokens.shape[1])
        return answer

    def result(self):
        first, last = self.hits[0], self.hits[-1]
        if (first != last).mean() > self.how.disagree:
            raise Fault('twins_disagree', f'more than {self.how.disagree:.0%} of the items were continued otherwise in another order')
        print(f'continued {len(first)} items, {(first != last).sum()} otherwise in another order', flush=True)
        return first


def greedy_hits(prompts, continuations, how, channels, drawn=None):
    """Which prompts a model continues exactly as expected, see GreedyPart. Raises Fault."""
    return score_parts([GreedyPart(prompts, continuations, how)], how.times, channels, drawn)[0]
