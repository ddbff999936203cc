"""Affine maps of vectors."""

from __future__ import annotations

from ...dispatch.autocast import PROMOTE_ON_GPU, autocasts
from ...ops.gemm.matmul import linear as _linear
from ...ops.kinds.precision import in_float32
from ...tensor.core.tensor import Tensor
from .out import into


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None, *, out: Tensor | None = None):
    """input (*, in_features) @ weight (out_features, in_features).T + bias (out_features,)."""
    y = _linear(input, weight, bias)
    return into("linear", out, y)


@autocasts(PROMOTE_ON_GPU)
@in_float32
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None):
    """y[..., k] = input1 (*, in1) @ weight[k] (in1, in2) @ input2 (*, in2) + bias[k]; weight (out, in1, in2)."""
    out, in1, in2 = weight.shape
    turned = weight.permute(1, 0, 2).reshape(in1, out * in2)
    y = (input1.matmul(turned).unflatten(-1, (out, in2)) * input2.unsqueeze(-2)).sum(-1)
    return y if bias is None else y + bias
