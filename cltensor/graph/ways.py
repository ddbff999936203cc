"""Ways: the fastest of several ways to do the same work, found on the calls of the program that asks for it."""

import time

CALLS = 8  # by one way, before the next one is tried
ROUNDS = 3  # of all ways that are still in question
_BEHIND = 1.25  # x the fastest: a way that takes longer is out of question
LONG = 1e-3  # seconds for a call; where it takes longer, waking threads does not matter, and the first way is taken


class Ways:
    """The ways in question.  `settle` before each call that finds it `due`, once all that was enqueued is done; then `now`.

    Timed is how fast calls follow one another, with all that the program does between them: where it waits for each result, the
    wait counts; where it does not, what runs meanwhile does.  chosen: the way taken for good; None before that is known.
    """

    def __init__(self, ways):
        self.ways, self.times, self.at, self.left, self.start, self.round = list(ways), {}, 0, CALLS, None, 0
        self.chosen = self.ways[0] if len(self.ways) == 1 else None

    def now(self):
        """The way for this call."""
        if self.chosen is not None:
            return self.chosen
        self.left -= 1
        return self.ways[self.at]

    @property
    def due(self):
        """Whether enough calls went one way."""
        return self.chosen is None and (self.left <= 0 or self.start is None)

    def settle(self, clock=time.perf_counter):
        """Go on to the next way."""
        if self.due:
            now = clock()
            if self.start is not None:
                self._note(now - self.start)
            self.start, self.left = now, CALLS

    def _note(self, seconds):
        self.times[self.at] = min(seconds, self.times.get(self.at, seconds))
        if self.at == 0 and seconds > LONG * CALLS:
            self.chosen = self.ways[0]
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
            self.chosen = self.ways[min(self.times, key=self.times.get)]
