"""Generalization: programs captured for a few sizes of their arguments, as one for all sizes.

What differs between the captures must follow from the sizes by formulas (`formulas.py`).  Then `at` makes the program for other
sizes, without running the function again.  Source of the idea: Plotkin, "A note on inductive generalization", 1970.
"""

from dataclasses import dataclass

from ..base.observed_sizes import hold
from .formulas import NotGeneral, Symbols
from .rules import Sized
from .unification import Unification


@dataclass(frozen=True)
class Sample:
    """One capture: its Captured, and the Observations made meanwhile.

    specs: the arguments' Specs; offsets: (offset, bytes of an element) of each.
    """

    captured: object
    specs: tuple
    offsets: tuple
    observations: object

    def way(self):
        """What the program has asked of sizes, the answers, and the ops that it ran: equal for captures that may be one program."""
        seen = self.observations
        return seen.way(), len(seen.sizes), [n.op.name for n in self.captured.stages[0][1].nodes]


class Generalization:
    """What several Samples have in common.  Raises NotGeneral where they are not one program."""

    def __init__(self, samples):
        self.symbols = Symbols([[x.shape for x in s.specs] for s in samples])
        unified = Unification(self.symbols, [s.offsets for s in samples], [s.observations for s in samples])
        self._specs = unified.each(s.specs for s in samples)
        self._program = unified.captured([s.captured for s in samples])
        self._observed = {k: unified.number([s.observations.sizes[k] for s in samples])
                          for k in samples[0].observations.places()}
        self._questions = unified.of([s.observations.questions() for s in samples])
        self._spare = {}

    def at(self, specs):
        """The Captured for arguments of these Specs, to be started; None where it is not known to hold for them."""
        sizes = self.symbols.of([s.shape for s in specs])
        if sizes is None:
            return None
        at = Sized(sizes)
        try:
            if at.list(self._specs) != list(specs):
                return None
            made = at.of(self._program)
            if not hold(at.of(self._questions), {k: at.of(n) for k, n in self._observed.items()}):
                return None
        except NotGeneral:
            return None
        for p in made.programs:
            p.spare = self._spare.setdefault(p is made, {})
        return made
