"""Products with elementwise ops on their result: captured programs run both in one launch."""

from dataclasses import replace

from ...base.shapes import broadcast_strides, collapse
from ...codegen.types import compute_type
from .gemm import product_steps


class ProductFinishing:
    """How an op that is a MatrixProduct is finished; product: (input Specs, output Specs, **attributes) -> MatrixProduct."""

    def __init__(self, product):
        self.product = product

    def admits(self, specs, outs, others, **attributes):
        """Whether operands and further results of these Specs can be walked along the product's rows and columns."""
        if outs[0].ndim < 2 or any(s.ndim < 2 for s in specs[:2]):
            return False
        product = self.product(specs, outs, **attributes)
        return not product.scalars and all(along(product, outs[0].shape, s) is not None for s in others)

    def steps(self, specs, outs, epilogue, **attributes):
        """The Steps of the product and its epilogue."""
        p, shape = self.product(specs, outs, **attributes), outs[0].shape
        functions, values = epilogue.text(compute_type(p.dtype), p.epilogue, len(p.extras))
        extras = tuple((arg, s.dtype, along(p, shape, s)) for arg, s in epilogue.extras)
        more = tuple((arg, s.dtype, along(p, shape, s), value)
                     for (arg, s), value in zip(epilogue.outs, values[1:], strict=True))
        return product_steps(replace(p, extras=(*p.extras, *extras), epilogue=values[0], functions=functions, outs=more,
                                     scalars=epilogue.scalars))


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
