"""Absorbing: a reduction of what elementwise ops make of its operands, in one launch; an op of captured programs."""

from ...codegen import expr
from .fold import traced
from .reduction import Reduction


class Absorbing(Reduction):
    """A reduction whose inputs are expressions.

    inner: the Reduction; given: {name of its input: expression}; inputs, numbers: the names in these expressions.  The values of a
    call are inner's, then `numbers`.
    """

    def __init__(self, inner, given, inputs, numbers, name):
        self.__dict__.update(inner.__dict__)
        self.name, self.inputs, self.scalars = name, tuple(inputs), (*inner.scalars, *numbers)
        index = ["index"] if inner.indexed else []
        made = expr.substitute(traced(inner.map, [*inner.inputs, *index, *inner.scalars]), given)
        self.map = lambda *names: made
        if inner.finish is not None:
            kept = len(inner.states) + 1 + len(inner.scalars)  # what inner.finish gets
            self.finish = lambda *values: inner.finish(*values[:kept])
        self.inner, self.plans, self.sources = inner, {}, {}

    @property
    def formula(self):
        """What it computes: ops with equal formulas are alike."""
        return self.inner, self.map(), self.inputs, self.scalars
