"""Composite ops: functions of other ops.  Their gradient is derived from those ops or declared."""

from ...dispatch.binding import bind
from ...dispatch.run_planned import run_composite
from .kernel import Planned


class Composite(Planned):
    """An op run by calling `fn(*tensors, **attributes)`, which uses other ops.

    Without `vjp` the ops it calls are recorded for autograd; with `vjp` only this op is recorded, as one node.
    """

    kind = "composite"

    def __init__(self, name, fn, **common):
        super().__init__(name, **common)
        self.fn = fn
        self._read_signature(fn)

    def apply(self, args, attrs):
        """See Op."""
        out = attrs.pop("out", None)
        if self.vjp is None:
            return self.delivered(self.fn(*args, **attrs), out)
        return self.delivered(run_composite(self, *bind(self, args, attrs)), out)


def composite(name=None, **options):
    """Declare a composite op; a decorator: `@composite("logaddexp")`."""

    def declare(fn):
        options.setdefault("doc", fn.__doc__ or "")
        return Composite(name or fn.__name__, fn, **options)

    return declare
