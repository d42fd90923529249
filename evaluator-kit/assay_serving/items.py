"""Questions without their answers in them: predictions of items, and whether a model continues as expected."""
from dataclasses import dataclass, field

import numpy as np

from .asker import Asker, Times, finite_in, token_type
from .channel import Fault
from .pace import Pace
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


def greedy_round(asked, how, asker):
    """The likeliest token after each prefix."""
    length = max(len(prefix) for prefix in asked)
    tokens = np.zeros((len(asked), length), token_type(how.vocab))
    for row, prefix in zip(tokens, asked):
        row[: len(prefix)] = prefix
    lengths = np.array([len(prefix) for prefix in asked], '<u4')
    answer = np.empty(len(asked), '<u4')
    asker.ask('greedy', tokens.tobytes() + lengths.tobytes(), answer, rows=len(asked), length=length)
    return answer


def greedy_hits(prompts, continuations, how, channels, drawn=None):
    """Which prompts a model continues, token by token by the likeliest one, exactly as expected.

    No token of a continuation is sent before it was answered. A second server, where there is one, is asked in another
    order. Raises Fault.
    """
    drawn, found = drawn or Secrets(), None
    pace = Pace(how.times.total_s)
    for place, channel in enumerate(channels):
        asker = Asker(channel, place, how.times, pace, how.vocab)
        longest = max(len(prompt) + len(more) - 1 for prompt, more in zip(prompts, continuations))
        asker.hello(drawn, ('greedy',), max_context=longest, max_rows=how.batch)
        open_, hits, known = asker.secret.permutation(len(prompts), 'order'), np.ones(len(prompts), bool), 0
        pace.start(max(len(more) for more in continuations))
        while open_:
            for at in range(0, len(open_), how.batch):
                part = open_[at : at + how.batch]
                answer = greedy_round([[*prompts[one], *continuations[one][:known]] for one in part], how, asker)
                hits[part] = answer == [continuations[one][known] for one in part]
            known += 1
            open_ = [one for one in open_ if hits[one] and len(continuations[one]) > known]
            pace.step()
        asker.bye()
        if found is not None and (found != hits).mean() > how.disagree:
            raise Fault('twins_disagree', f'more than {how.disagree:.0%} of the items were continued otherwise in another order')
        found = hits if found is None else found
    print(f'continued {len(prompts)} items, by {len(channels)}; seeds {drawn}', flush=True)
    return found
