"""Composite ops: functions of other ops.  Their gradient is derived from those ops or declared."""

from ...base.context import context
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
            return self.delivered(self._told(args, attrs, self.fn(*args, **attrs)), out)
        return self.delivered(run_composite(self, *bind(self, args, attrs)), out)

    def _told(self, args, attrs, result):
        """result, of which a recorder is told where it may take this op as a whole."""
        if self.onnx is not None and context.recorder is not None:
            inputs, values = bind(self, args, attrs)
            context.recorder.op(self, inputs, values, result if isinstance(result, tuple) else (result,))
        return result


def composite(name=None, **options):
    """Declare a composite op; a decorator: `@composite("logaddexp")`."""

    def declare(fn):
        options.setdefault("doc", fn.__doc__ or "")
        return Composite(name or fn.__name__, fn, **options)

    return declare
