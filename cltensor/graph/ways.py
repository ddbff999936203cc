"""Ways: the fastest of several ways to do the same work, found on the calls of the program that asks for it."""

import math
import time

CALLS = 8  # by one way, before the next one is tried
GROWTH = 4  # times as many in the next round: only many calls in a row show how fast they follow one another
ROUNDS = 3  # of all ways that are still in question
AGAIN = 4000, 100_000  # calls after which all ways are tried again: something else may have run during the trial
_BEHIND = 1.4  # x the fastest: a way that takes longer is out of question
LONG = 1e-3  # seconds for a call; where it takes longer, waking threads does not matter, and the first way is taken


class Ways:
    """The ways in question.  `settle` before each call that finds it `due`, once all that was enqueued is done; then `now`.

    Timed is how fast calls follow one another, with all that the program does between them: where it waits for each result, the
    wait counts; where it does not, what runs meanwhile does.  chosen: the way taken until the next trial; None during one.
    """

    def __init__(self, ways):
        self.all, self.again = list(ways), list(AGAIN)
        self._begin()
        if len(self.all) == 1:
            self._choose(self.all[0], math.inf)

    def _begin(self):
        self.ways, self.times, self.at, self.start, self.round = list(self.all), {}, 0, None, 0
        self.chosen, self.left = None, 0

    def _choose(self, way, calls):
        self.chosen, self.left = way, calls

    def now(self):
        """The way for this call."""
        self.left -= 1
        return self.ways[self.at] if self.chosen is None else self.chosen

    @property
    def due(self):
        """Whether enough calls went one way."""
        return self.left <= 0

    def settle(self, clock=time.perf_counter):
        """Go on to the next way."""
        if not self.due:
            return
        if self.chosen is not None:
            self._begin()
        now = clock()
        if self.start is not None:
            self._note((now - self.start) / self._calls)
        if self.chosen is None:
            self.start, self.left = now, self._calls

    @property
    def _calls(self):
        """By one way in this round."""
        return CALLS * GROWTH ** self.round

    def _note(self, seconds):
        """Keep the time of a call by this way, and go on to the next one."""
        self.times[self.at] = min(seconds, self.times.get(self.at, seconds))
        if self.at == 0 and seconds > LONG:
            self._choose(self.all[0], math.inf)
            return
        self.at += 1
        if self.at == len(self.ways):
            self.at, self.round = 0, self.round + 1
            self._judge()

    def _judge(self):
        """Drop ways that are slow, after a round of all."""
        best = min(self.times.values())
        self.ways = [way for i, way in enumerate(self.ways) if self.times[i] <= _BEHIND * best]
        self.times = dict(enumerate(t for t in self.times.values() if t <= _BEHIND * best))
        if len(self.ways) == 1 or self.round == ROUNDS:
            self._choose(self.ways[min(self.times, key=self.times.get)], self.again.pop(0) if self.again else math.inf)
