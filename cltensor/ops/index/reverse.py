"""Reversal along dimensions: one copy that walks them from their ends."""

import numpy as np

from ...base.shapes import dense_strides
from ...dispatch.plan import In
from ...dispatch.spec import spec
from ..kinds.kernel import kernel
from ..pointwise.elementary import copy
from . import onnx_rules


def _shape(x, *, dims):
    return spec(x.shape, dense_strides(x.shape, x.strides), x.dtype, x.device)


def _launch(specs, outs, dims):
    x, = specs
    turned = {d % x.ndim for d in dims}
    backward = spec(x.shape, tuple(-s if d in turned else s for d, s in enumerate(x.strides)), x.dtype, x.device)
    last = In(0, sum((x.shape[d] - 1) * x.strides[d] for d in turned))
    return [step.of([last if arg == In(0) else arg for arg in step.args]) for step in copy.plan_steps(backward, outs[0])]


reverse = kernel("reverse", onnx=onnx_rules.reverse, shape=_shape, launch=_launch, batch="leading", public=False, complex=True,
                 vjp=(lambda g, y, x, dims: reverse(g, dims=dims),), ref=lambda x, dims: np.flip(x, dims), dtypes="stored",
                 samples=lambda rng: [((rng.standard_normal((3, 4, 2)),), {"dims": (-1, -3)}),
                                      ((rng.standard_normal((5,)),), {"dims": (-1,)})],
                 doc="x with the order of elements along dims, numbers below 0, reversed.")
