"""What a text costs, from what the first server claims and what the second answers blind; and when that is refused."""
from dataclasses import dataclass

import numpy as np

from .channel import Fault

ERRORS = 4  # standard errors that the mean of the differences may be off
FLOOR = -40.0  # nats; what is less likely is compared as if it were this
SPREADS = 2  # times the calibrated spread that is let pass


@dataclass(frozen=True)
class Tests:
    """How far the servers may differ, in nats: measure it on the start recipe, whose figures the log has.

    spread     99th percentile of |second - first| of honest answers; twice as much is refused
    outlier    a row that differs by more is one
    share      of the blind rows that may be outliers
    tolerance  mean difference that is let pass besides 4 standard errors
    row_s      mean seconds of a blind answer: four times what the start recipe takes, on the slowest host
    """

    spread: float = 1e-4
    outlier: float = 1e-3
    share: float = 0.0
    tolerance: float = 1e-5
    row_s: float = 1.0


@dataclass(frozen=True)
class Estimate:
    """A mean over `tokens` tokens with its standard error; `blind` of them were asked blind."""

    mean: float
    standard_error: float
    tokens: int
    blind: int

    def times(self, factor):
        """In another unit: nats a token times tokens / ln 2 / bytes are bits a byte."""
        return Estimate(self.mean * factor, self.standard_error * factor, self.tokens, self.blind)


class Scores:
    """Nats that tokens cost. What the first server claims is no score: only corrected means can be had.

    owed_s   seconds for which the first server owed answers, hello apart, by the evaluator's own clock; assay measures
             them as well, as `eval_s`
    """

    def __init__(self, claims, places, seen, weights, owed_s=0.0):
        """`seen`: log-probabilities of the tokens at `places`, which stand for `weights` tokens each."""
        self.owed_s = owed_s
        self._claims, self._places = claims, np.asarray(places)
        self._seen, self._weights = np.asarray(seen), np.asarray(weights, float)

    def __len__(self):
        return len(self._claims)

    def mean(self, where=None, of=lambda nats: nats):
        """Estimate of the mean over all tokens, or those of the mask `where`, of a function of an array of nats.

        None where fewer than two of these tokens were asked blind: nothing is known of them then.
        """
        claims = self._claims if where is None else self._claims[where]
        blind = slice(None) if where is None else np.asarray(where)[self._places]
        places, weights = self._places[blind], self._weights[blind]
        if len(places) < 2:
            return None
        gap = np.subtract(of(-self._seen[blind]), of(-self._claims[places].astype(np.float64)), dtype=np.float64)
        shift = np.average(gap, weights=weights)
        count = len(gap)
        error = np.sqrt((weights**2 * (gap - shift) ** 2).sum() * count / (count - 1)) / weights.sum()
        return Estimate(float(of(-claims.astype(np.float64)).mean() + shift), float(error), len(claims), count)

    def require(self, tests):
        """Raises Fault where the servers differ by more than honest ones do. Returns what was found, for the log."""
        gap = np.maximum(self._seen, FLOOR) - np.maximum(self._claims[self._places].astype(np.float64), FLOOR)
        count, mean = len(gap), float(np.average(gap, weights=self._weights))
        error = float(np.sqrt((self._weights**2 * (gap - mean) ** 2).sum() * count / max(count - 1, 1)) / self._weights.sum())
        sizes = np.abs(gap)
        outliers, spread = int((sizes > tests.outlier).sum()), float(np.quantile(sizes, 0.99, method='lower'))
        found = f'mean {mean:.3g} (standard error {error:.2g}), spread {spread:.3g}, {outliers} outliers in {count} blind rows'
        why = None
        if outliers > tests.share * count:
            why = f'{outliers} of {count} differ by more than {tests.outlier:g} nats'
        elif spread > SPREADS * tests.spread:
            why = f'one in a hundred differs by more than {SPREADS * tests.spread:g} nats'
        elif abs(mean) > ERRORS * error + tests.tolerance:
            why = f'they differ in the mean, by more than {ERRORS} standard errors and {tests.tolerance:g} nats'
        if why is not None:
            raise Fault('twins_disagree', 'log-probabilities that one server claimed for tokens that it was sent are not '
                        f'those that another gave them without being sent them: {why}')
        return found
