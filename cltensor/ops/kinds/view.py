"""View ops: another shape, strides and offset over the same storage; nothing runs on the device."""

import inspect

from ...dispatch.binding import bind, check_tensors
from ...dispatch.run_planned import run_view
from ...dispatch.spec import spec
from .op import Op


class View(Op):
    """An op whose result shares its input's storage.

    rule    (Spec, **attributes) -> (shape, strides, offset in elements relative to the input's), and the dtype if it is another
    vjp     (g, y, x, **attributes) -> gradient of x
    """

    kind = "view"

    def __init__(self, name, rule, **common):
        super().__init__(name, **common)
        self.rule = rule
        first, *rest = inspect.signature(rule).parameters.values()
        self.inputs = (first.name,)
        self.attrs = {p.name: p.default for p in rest}
        self.attr_names = tuple(self.attrs)

    def apply(self, args, attrs):
        """See Op."""
        inputs, values = bind(self, args, attrs)
        return run_view(self, *check_tensors(self, inputs), values)

    def plan(self, s, attrs):
        """(Spec of the result, offset relative to the input's)."""
        if self.complex or self.dtypes == "parts":
            self.check_dtypes((s,))
        shape, strides, delta, *dtype = self.rule(s, **dict(zip(self.attr_names, attrs, strict=True)))
        return spec(tuple(shape), tuple(strides), dtype[0] if dtype else s.dtype, s.device), delta


def view(name, rule, **options):
    """Declare a view op; see View."""
    return View(name, rule, **options)
