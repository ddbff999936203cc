"""The search: which values to try next.  It knows no device: the caller passes a function that measures.

From the best values so far, try every change of one constant, then the helpful changes combined.  Repeat from the new best
values until nothing helps or the time is over.  Measure each candidate in turns with the defaults and compare their ratio,
which a busy machine disturbs less than a time.
"""

from dataclasses import dataclass, field

from .key import text

MARGIN = 0.03  # a gain below this is noise


@dataclass
class Outcome:
    """What a search found: the best values, seconds of the defaults and of these, the failures, whether the search finished.

    If the defaults could not be measured, values is empty and `error` says why.
    """

    values: dict = field(default_factory=dict)
    default_seconds: float = 0.0
    seconds: float = 0.0
    tried: int = 0
    denied: list = field(default_factory=list)  # (values, reason)
    finished: bool = False
    error: str | None = None


class Search:
    """One search.

    space: {constant: values worth trying};  defaults: {constant: value}
    measure: a function (list of values, careful) -> iterator of (values, result); a result has "seconds" and
        "default_seconds", or "error", or "unfit" for values that the launch rule rejects
    denied: a function values -> bool, True: never try them;  over: a function () -> bool, whether the time is over
    start: values to try first, the best of an earlier search, or None
    """

    def __init__(self, space, defaults, measure, denied, over, start=None):
        self.start = start
        self.space, self.defaults, self.measure, self.denied, self.over = space, defaults, measure, denied, over
        self.tried = set()  # values as text
        self.ratios = {}  # values as text: (their time / the defaults' time, values)
        self.outcome = Outcome()

    def run(self):
        """Search, then measure the best values once more, carefully.  Returns the Outcome."""
        found = self.outcome
        first = None if self.over() else self._one(self.defaults)
        if first is None:
            found.error = found.denied.pop()[1] if found.denied else "no time was left to measure the defaults"
            return found
        self._keep(self.defaults, first)
        self.ratios[text(self.defaults)] = 1.0, self.defaults
        self._try([self.start] if self.start else [])
        best = self._climb()
        if best != self.defaults:  # the best of many noisy measurements looks better than it is
            again = self._one(best)
            if again and again["seconds"] < again["default_seconds"] * (1 - MARGIN):
                self._keep(best, again)
        return found

    def _keep(self, values, result):
        self.outcome.values = values
        self.outcome.default_seconds, self.outcome.seconds = result["default_seconds"], result["seconds"]

    def _climb(self):
        """The best values, after as many rounds as help."""
        while True:
            ratio, start = self._best()
            self._try([{**start, n: v} for n, values in self.space.items() for v in values])
            better = sorted(self._gains(start, ratio), key=lambda gain: gain[0])
            self._try(combined(start, [change for _, change in better]))
            reached, best = self._best()
            if self.over():
                return best
            if reached >= ratio * (1 - MARGIN):
                self.outcome.finished = True
                return best

    def _best(self):
        return min(self.ratios.values(), key=lambda found: found[0])

    def _gains(self, start, ratio):
        """Yield (new ratio, (constant, value)) for each single change of start that helps."""
        for n, values in self.space.items():
            for v in values:
                reached, _ = self.ratios.get(text({**start, n: v}), (ratio, None))
                if reached < ratio * (1 - MARGIN):
                    yield reached, (n, v)

    def _try(self, candidates):
        """Measure the candidates not tried before; note those that fail."""
        new = [c for c in candidates if text(c) not in self.tried and not self.denied(c)]
        if new and not self.over():
            for values, result in self.measure(new, False):
                if self._note(values, result):
                    self.ratios[text(values)] = result["seconds"] / result["default_seconds"], values
                if self.over():
                    break

    def _one(self, values):
        """The result of measuring these values carefully, or None."""
        for _, result in self.measure([values], True):
            if self._note(values, result):
                return result
        return None

    def _note(self, values, result):
        """Note a result; returns whether it has a time."""
        self.tried.add(text(values))
        self.outcome.tried = len(self.tried)
        if "error" in result:
            self.outcome.denied.append((values, result["error"]))
        return "seconds" in result


def combined(start, changes):
    """Yield start with the first two changes (constant, value), the first three, ...; only a constant's first change counts."""
    values, names = dict(start), set()
    for n, v in changes:
        if n not in names:
            names.add(n)
            values = {**values, n: v}
            if len(names) > 1:
                yield values
