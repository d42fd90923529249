"""The time that an evaluation may take."""
import statistics
import time

from .channel import Fault

TELLING = 0.1  # share of a server's steps, and
STEPS = 8  # their number, from which on the rest of them is projected
DOUBT = 0.25  # by how much more than is allowed a projection may say at its start; at its end nothing


class Pace:
    """Whether what is left to ask of a server can still be done in the time that all of them have together.

    What is to come is taken to go like the median step of this server so far, so that a stall counts once. A
    projection has to be over the limit by DOUBT times the share that is left. Of a server that has not begun nothing
    is projected: what it will be asked takes other times.
    """

    def __init__(self, total_s, clock=time.monotonic):
        self.total_s, self.clock = total_s, clock
        self.began = self.last = clock()
        self.steps, self.took = 0, []

    def left(self):
        """Seconds; raises Fault when there are none."""
        left = self.began + self.total_s - self.clock()
        if left <= 0:
            raise Fault('late', f'scoring took more than {self.total_s:g} s')
        return left

    def start(self, steps):
        """A server has answered for the first time and will be asked in `steps` steps; what it took until now is none."""
        self.steps, self.took = steps, []
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
            raise Fault('late', f'scoring would take {projected:.3g} s of {self.total_s:g} s, by what {share:.0%} of a '
                        f"server's part took: stopped after {now - self.began:.3g} s")
