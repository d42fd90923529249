"""One scoring of several parts: both servers answer all of them, the first everything before the second starts."""
from .asker import Asker
from .pace import Pace
from .secret import Secrets


def score_parts(parts, times, channels, drawn=None):
    """The results of parts (`RowsPart`, `ChoicesPart`, `GreedyPart`), in their order. Raises Fault.

    A server is greeted once and asked for one part after the other. `times` are those of the whole.
    """
    drawn = drawn or Secrets()
    pace = Pace(times.total_s)
    told = {'max_context': max(part.longest for part in parts), 'max_rows': max(part.how.batch for part in parts)}
    verbs = list(dict.fromkeys(verb for part in parts for verb in part.verbs))
    for place, channel in enumerate(channels):
        asker = Asker(channel, place, times, pace, parts[0].how.vocab)
        asker.hello(drawn, verbs, **told)
        for at, part in enumerate(parts):
            (part.ask_second if place else part.ask_first)(asker, at)
        asker.bye()
    results = [part.result() for part in parts]
    print(f'by {len(channels)} servers; seeds {drawn}', flush=True)
    return results
