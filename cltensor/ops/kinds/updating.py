"""Updating: a kernel op whose result lies where its first input does; an op of captured programs."""

import functools

from ...dispatch.plan import Plan
from .finished import attributes


class Updating:
    """A kernel op that has `updates`, as a write to its first operand."""

    kind, finishing, updates, strided = "kernel", None, None, False

    def __init__(self, inner):
        self.inner, self.name, self.reports_faults, self.plans = inner, f"{inner.name}_", inner.reports_faults, {}
        self.values = inner.values

    @staticmethod
    @functools.cache
    def of(inner):
        """The Updating of an op, always the same one."""
        return Updating(inner)

    def flops(self, specs, outs, attrs):
        """See Op."""
        return self.inner.flops(specs, outs, attrs)

    def plan(self, specs, attrs):
        """The Plan for the operands' Specs."""
        outs = (specs[0],)
        return Plan(specs[0].device, specs, outs, self.inner.updates(specs, outs, **attributes(self.inner, attrs)))
