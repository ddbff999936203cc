"""Transforms of vectors and matrices."""

import math
from collections.abc import Sequence
from typing import Any

from ...base.dtypes import finfo
from ...base.errors import ArgumentError
from ...base.shapes import Size
from ...nn.functional import pad
from ...tensor import Tensor
from ...tensor.api.creation import arange, eye
from ...tensor.linalg.linalg import cholesky
from ...tensor.shape.diagonals import diag_embed
from .. import constraints
from ..parameters import softplus
from ..utils import tril_matrix_to_vec, tril_size, vec_to_tril_matrix
from .elementwise import _Plain, inside_unit


def _longer(shape, by):
    if len(shape) < 1:
        raise ArgumentError("Too few dimensions on input")
    return Size((*shape[:-1], shape[-1] + by))


class SoftmaxTransform(_Plain):
    """y = exp(x) over its sum, along the last dimension; not bijective.

    For tensors (*, K) of any floating dtype; cache_size is 0 or 1.  Raises ArgumentError for the shape of a number.  Source:
    standard definition.

        SoftmaxTransform()(cltensor.zeros(2))   # tensor([0.5000, 0.5000])
    """

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x):
        return x.softmax(-1)

    def _inverse(self, y):
        return y.log()

    def forward_shape(self, shape: Sequence[int]) -> Size:
        """See Transform."""
        return _longer(shape, 0)

    inverse_shape = forward_shape


class StickBreakingTransform(_Plain):
    """K numbers to K + 1 fractions: each says how much to break off what is left of a stick; zeros give equal parts.

    For tensors (*, K) of any floating dtype; cache_size is 0 or 1.  Raises ArgumentError for the shape of a number.  Source: Stan
    Reference Manual 2024, "Unit simplex".

        StickBreakingTransform()(cltensor.zeros(1))   # tensor([0.5000, 0.5000])
    """

    domain, codomain, bijective = constraints.real_vector, constraints.simplex, True

    @staticmethod
    def _parts_left(x):
        """How many parts are left to break off, at each number of x."""
        return arange(x.shape[-1], 0, -1, dtype=x.dtype, device=x.device)

    def _call(self, x):
        broken = inside_unit((x - self._parts_left(x).log()).sigmoid())
        left = (1 - broken).cumprod(-1)
        return pad(broken, [0, 1], value=1) * pad(left, [1, 0], value=1)

    def _inverse(self, y):
        first = y[..., :-1]
        left = (1 - first.cumsum(-1)).clamp(min=finfo(y.dtype).tiny)
        return first.log() - left.log() + self._parts_left(first).log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The sum of log(broken (1 - broken)) and of the logarithms of what was left."""
        x = x - self._parts_left(x).log()
        return (-x - softplus(-x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        """See Transform."""
        return _longer(shape, 1)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        """See Transform."""
        return _longer(shape, -1)


class LowerCholeskyTransform(_Plain):
    """Square matrices to lower triangular ones with a positive diagonal, by exp of the diagonal.

    For tensors (*, n, n) of any floating dtype; cache_size is 0 or 1.  Never raises.  Source: standard definition.

        LowerCholeskyTransform()(cltensor.zeros(2, 2))   # the identity
    """

    domain, codomain = constraints.independent(constraints.real, 2), constraints.lower_cholesky

    def _call(self, x):
        return x.tril(-1) + diag_embed(x.diagonal(dim1=-2, dim2=-1).exp())

    def _inverse(self, y):
        return y.tril(-1) + diag_embed(y.diagonal(dim1=-2, dim2=-1).log())


class PositiveDefiniteTransform(_Plain):
    """Square matrices to positive definite ones: L L^T for L by LowerCholeskyTransform.

    For tensors (*, n, n) of float32 or float64; cache_size is 0 or 1.  Raises LinAlgError from its inverse for a matrix that is not
    positive definite.  Source: standard definition.

        PositiveDefiniteTransform()(cltensor.zeros(2, 2))   # the identity
    """

    domain, codomain = constraints.independent(constraints.real, 2), constraints.positive_definite

    def _call(self, x):
        low = LowerCholeskyTransform()(x)
        return low @ low.mT

    def _inverse(self, y):
        return LowerCholeskyTransform().inv(cholesky(y))


class CorrCholeskyTransform(_Plain):
    """Vectors of n (n - 1) / 2 numbers to lower triangular factors (n, n) of correlation matrices, whose rows have length 1.

    For tensors (*, n (n - 1) / 2) of any floating dtype; cache_size is 0 or 1.  tanh of the numbers are partial correlations: of
    the length that a row has left, each takes its part.  Raises ArgumentError for another number of numbers.  Source: Stan
    Reference Manual 2024, "Cholesky factors of correlation matrices".

        CorrCholeskyTransform()(cltensor.zeros(1))   # the identity of size 2
    """

    domain, codomain, bijective = constraints.real_vector, constraints.corr_cholesky, True

    def _call(self, x):
        eps = finfo(x.dtype).eps
        r = vec_to_tril_matrix(x.tanh().clamp(min=-1 + eps, max=1 - eps), diag=-1)
        left = (1 - r**2).sqrt().cumprod(-1)
        r = r + eye(r.shape[-1], dtype=r.dtype, device=r.device)
        return r * pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y):
        left = (1 - (y * y).cumsum(-1)).clamp(min=finfo(y.dtype).tiny)
        vector = tril_matrix_to_vec(y, diag=-1)
        lengths = tril_matrix_to_vec(pad(left[..., :-1], [1, 0], value=1), diag=-1)
        return (vector / lengths.sqrt()).atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor, intermediates: Any = None) -> Tensor:
        """Half the sum of log(length left) of each element below the diagonal, and of log(1 - tanh(x)**2).

        x and y say all; intermediates, what a forward pass kept, plays no part.
        """
        left = 1 - (y * y).cumsum(-1)
        lengths = tril_matrix_to_vec(left, diag=-2)
        tanh_part = -2 * (x + softplus(-2 * x) - math.log(2))
        return 0.5 * lengths.log().sum(-1) + tanh_part.sum(-1)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        """See Transform."""
        if len(shape) < 1:
            raise ArgumentError("Too few dimensions on input")
        n = tril_size(shape[-1], -1)
        return Size((*shape[:-1], n, n))

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        """See Transform."""
        if len(shape) < 2:
            raise ArgumentError("Too few dimensions on input")
        if shape[-2] != shape[-1]:
            raise ArgumentError("Input is not square")
        return Size((*shape[:-2], shape[-1] * (shape[-1] - 1) // 2))
