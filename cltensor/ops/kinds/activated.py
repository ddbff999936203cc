"""Kernel ops that apply an activation as they store their result: this saves one launch and one pass over memory."""

import functools
import inspect

from ...base.errors import ArgumentError
from ...codegen import activation as text
from ...codegen.types import compute_type
from ...dispatch.registry import REGISTRY
from .elementwise import Elementwise
from .kernel import Kernel


@functools.cache
def suits(name):
    """Whether an op can be an activation: it takes one number, and its gradient needs no more than its result."""
    op = REGISTRY.get(name)
    return (isinstance(op, Elementwise) and len(op.inputs) == len(op.exprs) == 1 and not op.attr_names and op.result is None
            and op.differentiable and {"g0"} <= set(op.gradient((True,)).sources) <= {"g0", "y0"})


def _written(saves):
    """What an op saves, in the notation of its declaration."""
    return " ".join(name if readers is None else f"{name}({','.join(sorted(readers))})" for name, readers in saves.items())


class Activated(Kernel):
    """`activation`(op(*inputs)) for a kernel op whose launch takes `activation`, the template parameter of that name.

    activation is the name of an elementwise op; see suits.
    """

    def __init__(self, op, **common):
        self.inner = op
        super().__init__(f"{op.name}_activated", shape=self._shape_rule(), launch=self._launch, vjp=self._gradients,
                         saves=f"{_written(op.saves)} y", work=self._work, dtypes="floating", public=False, autocast=op.autocast,
                         packs=op.packs, onnx=self._in_onnx, **common)

    def last(self, attrs):
        """See Op."""
        return attrs[-1]

    def _shape_rule(self):
        def shape(*specs, activation, **attributes):
            if not suits(activation):
                raise ArgumentError(f"{self.name}: activation={activation!r} is no elementwise op of one number with a gradient "
                                    "that its result suffices for; such are relu, sigmoid and tanh")
            return self.inner.shape(*specs, **attributes)

        given = inspect.signature(self.inner.shape).parameters.values()
        last = inspect.Parameter("activation", inspect.Parameter.KEYWORD_ONLY)
        shape.__signature__ = inspect.Signature([*given, last])
        return shape

    def _launch(self, inputs, outputs, *, activation, **attributes):
        op = REGISTRY[activation]
        body = text.body(op.exprs, op.inputs[0], compute_type(outputs[0].dtype))
        return self.inner.launch(inputs, outputs, activation=body, **attributes)

    def _work(self, specs, outs, *, activation, **attributes):
        own = self.inner.work
        return None if own is None else own(specs, outs, **attributes) + REGISTRY[activation].flops(outs, outs, ())

    def multiply_adds(self, specs, outs, attrs):
        """See Op."""
        return self.inner.multiply_adds(specs, outs, attrs[:-1])

    def _in_onnx(self, b, *inputs, activation, **attributes):
        return b.apply(REGISTRY[activation], self.inner.onnx(b, *inputs, **attributes))

    def _gradients(self, g, y, *inputs, needs, activation, **attributes):
        g, = REGISTRY[activation].input_gradients((g,), (y,), (y._spec,), (), (True,))
        return self.inner.input_gradients((g,), (y,), inputs, tuple(attributes.values()), needs)


def activated(op):
    """Declare op with an activation; see Activated.  Reference and samples come from the op's own."""

    def ref(*arrays, activation, **attributes):
        return REGISTRY[activation].ref(op.ref(*arrays, **attributes))

    def samples(rng):
        return [(arrays, {**attributes, "activation": name}) for arrays, attributes in op.samples(rng) for name in ("relu", "tanh")]

    return Activated(op, ref=ref, samples=samples, doc=f"An activation of {op.name}, in one go: {op.doc}")
