"""FusedProduct: a matrix product and the elementwise ops on its result, in one launch."""

from dataclasses import replace

import numpy as np

from ...base.shapes import broadcast_strides, collapse
from ...codegen import types
from ...codegen.emit import emit
from ...codegen.expr import Input
from ...dispatch.plan import In, Out, Plan, Value
from .gemm import product_steps


class FusedProduct:
    """An op of captured programs: expressions of a product's result, and of further operands of its shape.

    inner: an op with a `product`; exprs: what is stored; total: the name of the input that stands for the product's result; names:
    of the further inputs; numbers: names of numbers.  Its last attribute is the tuple of its results' Specs, of which the first is
    contiguous.
    """

    kind, reports_faults, strided = "kernel", False, False

    def __init__(self, inner, exprs, total, names, numbers, name):
        self.inner, self.exprs, self.total, self.inputs, self.numbers, self.name = inner, exprs, total, names, numbers, name
        self.plans = {}

    def plan(self, specs, attrs):
        """The Plan for the Specs of the product's operands and the further ones."""
        *given, outs = attrs
        own = len(specs) - len(self.inputs)
        product = self.inner.product(specs[:own], outs[:1], **dict(zip(self.inner.attr_names, given, strict=True)))
        c = types.compute_type(product.dtype)
        first = len(product.extras)
        names = {self.total: "acc", **{n: f"e{first + i}" for i, n in enumerate(self.inputs)},
                 **{n: f"s{i}" for i, n in enumerate(self.numbers)}}
        extras = tuple((In(own + i), s.dtype, along(product, outs[0].shape, s)) for i, s in enumerate(specs[own:]))
        makes, values = [], []
        given = ", ".join(f"const {c} {n}" for n in names.values())
        for k, e in enumerate(self.exprs):
            if isinstance(e, Input) and e.name == self.total:
                values.append(product.epilogue)
                continue
            made = emit(e, dict.fromkeys(names, c), c, names)
            makes.append(f"static inline {c} finish{k}({given}) {{ {' '.join(made.statements)} return {made.results[0]}; }}")
            values.append(f"finish{k}({', '.join([product.epilogue, *list(names.values())[1:]])})")
        number = getattr(np, types.NUMPY_OF[c])
        more = tuple((Out(k), s.dtype, along(product, outs[0].shape, s), values[k]) for k, s in enumerate(outs) if k)
        fused = replace(product, extras=(*product.extras, *extras), epilogue=values[0], functions="\n".join(makes), outs=more,
                        scalars=tuple((f"s{i}", Value(i, number)) for i in range(len(self.numbers))))
        return Plan(outs[0].device, specs, outs, product_steps(fused))


def along(product, shape, spec):
    """The strides of a Spec, broadcast to a product's result of this shape, over (batch, row, column); None if one will not do."""
    strides = broadcast_strides(spec.shape, spec.strides, shape)
    split = len(shape) - 2 if product.batch else 0
    steps = []
    for part in (slice(0, split), slice(split, -1)):
        _, (found,) = collapse(shape[part], strides[part])
        if len(found) > 1:
            return None
        steps.append(found[0] if found else 0)
    return (*steps, strides[-1])
