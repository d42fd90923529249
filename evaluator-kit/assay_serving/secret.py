"""Choices that a server cannot foresee."""
import hashlib
import hmac
import os
import secrets


class Secret:
    """HMAC-SHA256 of what is chosen, so that no choice tells the next one. Equal seeds choose the same."""

    def __init__(self, seed):
        self.seed = seed

    def below(self, bound, *of):
        """An integer from 0 to bound - 1."""
        drawn = hmac.digest(self.seed.encode(), repr(of).encode(), hashlib.sha256)
        return int.from_bytes(drawn, 'little') % bound

    def permutation(self, size, *of):
        """The integers from 0 to size - 1 in a secret order."""
        return sorted(range(size), key=lambda at: self.below(1 << 128, *of, at))

    def some(self, count, bound, *of):
        """`count` different integers from 0 to bound - 1, rising; all of them where there are no more."""
        if 2 * count >= bound:
            return sorted(self.permutation(bound, *of)[:count])
        chosen, turn = set(), 0
        while len(chosen) < count:
            chosen.add(self.below(bound, *of, turn))
            turn += 1
        return sorted(chosen)


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
