"""Parametrizations that keep a weight's norm apart, its largest singular value at 1, or its columns orthonormal."""

from __future__ import annotations

from typing import Any

from ... import linalg
from ...autograd.modes import no_grad
from ...base.dtypes import finfo
from ...base.errors import ArgumentError, DimensionError, MismatchError, MissingError
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import cat
from ..functional import normalize
from ..modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..modules.module import Module
from .parametrize import register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _tensor(module, name):
    tensor = getattr(module, name, None)
    if not isinstance(tensor, Tensor):
        raise ArgumentError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return tensor


# --- weight normalisation --------------------------------------------------------------------------------------------


def norm_except(v, dim):
    """The Euclidean norms of the slices of v along dim, kept as dimensions of size 1; one norm of all for dim None or -1."""
    if dim is None or dim == -1:
        return v.norm()
    others = tuple(d for d in range(v.ndim) if d != dim % v.ndim)
    return linalg.vector_norm(v, 2, others, keepdim=True) if others else v.abs()


class _WeightNorm(Module):
    """A length g, of size 1 in all dimensions but one, times the direction of v."""

    def __init__(self, dim=0):
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g, weight_v):
        return weight_v * (weight_g / norm_except(weight_v, self.dim))

    def right_inverse(self, weight):
        return norm_except(weight, self.dim), weight


class _OlderKeys:
    """Reads state_dicts with the keys of the older weight_norm: NAME_g and NAME_v."""

    def __init__(self, name):
        self.name = name

    def __call__(self, module, state_dict, prefix, *rest):
        older = [f"{prefix}{self.name}_g", f"{prefix}{self.name}_v"]
        if all(key in state_dict for key in older):
            for i, key in enumerate(older):
                state_dict[f"{prefix}parametrizations.{self.name}.original{i}"] = state_dict.pop(key)


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Train a weight's length and direction apart: weight = g * v / |v|; return the module.

    dim: the dimension along which each slice has a length of its own; None for one length.  Floating dtypes.  The state_dict has
    parametrizations.NAME.original0, the lengths g of size 1 in all dimensions but dim, and original1, v of the weight's shape; it
    also reads NAME_g and NAME_v.  Raises ArgumentError for a name that is no tensor of the module.
    Source: Salimans and Kingma 2016.

        >>> from cltensor import nn
        >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(4, 3))
        >>> layer.parametrizations.weight.original0.shape
        cltensor.Size([3, 1])
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    module.register_load_state_dict_pre_hook(_OlderKeys(name))
    return module


# --- spectral normalisation ------------------------------------------------------------------------------------------


def matrix_of(weight, dim):
    """weight as a matrix whose rows are its slices along dim."""
    if dim:
        weight = weight.permute(dim, *(d for d in range(weight.ndim) if d != dim))
    return weight.flatten(1)


def power_iteration(matrix, u, v, times, eps):
    """Turn the unit vectors u and v, in place, towards the first pair of singular vectors."""
    with no_grad():
        for _ in range(times):
            u.copy_(normalize(matrix @ v, dim=0, eps=eps))
            v.copy_(normalize(matrix.mT @ u, dim=0, eps=eps))


class _SpectralNorm(Module):
    """A weight divided by an estimate of its largest singular value, refined at each call in training."""

    def __init__(self, weight, n_power_iterations=1, dim=0, eps=1e-12):
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise DimensionError(f"Dimension out of range (expected to be in range of [-{weight.ndim}, {weight.ndim - 1}] but got "
                                 f"{dim})")
        if n_power_iterations <= 0:
            raise ArgumentError(f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}")
        self.dim, self.n_power_iterations, self.eps = dim % weight.ndim, n_power_iterations, eps
        if weight.ndim > 1:
            matrix = matrix_of(weight.detach(), self.dim)
            for name, size in zip(("_u", "_v"), matrix.shape, strict=True):
                self.register_buffer(name, normalize(matrix.new_empty(size).normal_(0, 1), dim=0, eps=eps))
            power_iteration(matrix, self._u, self._v, 15, eps)

    def forward(self, weight):
        if weight.ndim == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = matrix_of(weight, self.dim)
        if self.training:
            power_iteration(matrix.detach(), self._u, self._v, self.n_power_iterations, self.eps)
        u, v = self._u.clone(), self._v.clone()
        return weight / u.dot(matrix @ v)

    def right_inverse(self, value):
        return value


def output_dimension(module):
    """The dimension of a layer's weight that numbers its outputs."""
    return 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0


def spectral_norm(module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Module:
    """Divide a weight by its largest singular value, estimated by power iteration at each call in training; return the module.

    dim: the dimension whose slices are the rows of the matrix; that of the outputs unless given.  Floating dtypes.  The state_dict
    has parametrizations.NAME.original, and the vectors parametrizations.NAME.0._u (rows,) and _v (columns,).
    Raises ArgumentError for a name that is no tensor of the module or no iterations, DimensionError for dim.
    Source: Miyato et al. 2018.

        >>> from cltensor import linalg, nn
        >>> layer = nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3), n_power_iterations=20)
        >>> round(linalg.matrix_norm(layer.weight, 2).item(), 3)
        1.0
    """
    weight = _tensor(module, name)
    made = _SpectralNorm(weight, n_power_iterations, output_dimension(module) if dim is None else dim, eps)
    return register_parametrization(module, name, made)


# --- orthonormal columns ---------------------------------------------------------------------------------------------


class _Orthogonal(Module):
    """A matrix with orthonormal columns, or rows if there are fewer, from a matrix of the same shape."""

    base: Any

    def __init__(self, shape, orthogonal_map, use_trivialization):
        super().__init__()
        self.shape, self.orthogonal_map = shape, orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def _has_base(self):
        return "base" in self._buffers

    def forward(self, X):
        wide = X.shape[-2] < X.shape[-1]
        X = X.mT if wide else X
        Q = self._from_reflections(X) if self.orthogonal_map == "householder" else self._from_skew(X)
        if self._has_base():
            Q = self.base @ Q
        return Q.mT if wide else Q

    @staticmethod
    def _from_reflections(X):
        """The product of the Householder reflections whose vectors lie below X's diagonal, its columns signed by the diagonal."""
        below = X.tril(-1)
        factors = 2.0 / (1.0 + (below * below).sum(-2))
        return linalg.householder_product(below, factors) * X.diagonal(dim1=-2, dim2=-1).detach().trunc().unsqueeze(-2)

    def _from_skew(self, X):
        """The exponential, or the Cayley transform, of a skew-symmetric matrix whose lower triangle X holds."""
        n, k = X.shape[-2:]
        X = X.tril()
        if n != k:
            X = cat([X, X.new_zeros((*X.shape[:-1], n - k))], -1)
        skew = X - X.mT
        if self.orthogonal_map == "matrix_exp":
            return linalg.matrix_exp(skew)[..., :k]
        identity = _identity_like(skew)
        return linalg.solve(identity - skew / 2, identity + skew / 2)[..., :k]

    def right_inverse(self, Q):
        if Q.shape != self.shape:
            raise MismatchError(f"Expected a matrix or batch of matrices of shape {list(self.shape)}. Got a tensor of shape "
                             f"{list(Q.shape)}.")
        if self._has_base():
            return self._rebased(Q)
        if self.orthogonal_map != "householder":
            raise MissingError("It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                               "use_trivialization=False.")
        wide = Q.shape[-2] < Q.shape[-1]
        A, tau = (Q.mT if wide else Q).geqrf()
        A = A.clone()
        diagonal = A.diagonal(dim1=-2, dim2=-1)
        signs = diagonal.sign()
        diagonal.copy_(signs.where(tau != 0, -signs))
        return A.mT if wide else A

    def _rebased(self, Q):
        """Make Q's columns, orthonormalised, the base; return what the map turns into the identity."""
        wide = Q.shape[-2] < Q.shape[-1]
        tall = Q.mT if wide else Q
        n, k = tall.shape[-2:]
        if n != k:
            tall = cat([tall, tall.new_empty((*tall.shape[:-1], n - k)).normal_(0, 1)], -1)
        self.base = _orthonormalised(tall)
        start = Q.new_zeros(Q.shape)
        start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return start


def _identity_like(x):
    return x.new_zeros(x.shape) + x.new_ones((x.shape[-1],)).diag()


def _orthonormalised(x):
    """x itself where its columns are orthonormal, else the Q of its QR decomposition with R's diagonal positive."""
    gram = x.mT @ x
    error = (gram - _identity_like(gram)).abs().max().item()
    if error < 10 * x.shape[-2] * finfo(x.dtype).eps:
        return x.clone()
    q, r = linalg.qr(x)
    signs = r.diagonal(dim1=-2, dim2=-1).sign()
    return q * signs.where(signs != 0, 1.0).unsqueeze(-2)


def orthogonal(module: Module, name: str = "weight", orthogonal_map: str | None = None, *,
               use_trivialization: bool = True) -> Module:
    """Keep a weight's columns orthonormal, or its rows if there are fewer; return the module.

    The weight is a matrix or a batch of matrices (*, n, k) of float32 or float64.  orthogonal_map: "matrix_exp" and "cayley" make
    it from a skew-symmetric matrix, "householder" from k reflections; matrix_exp for square ones, householder for others unless
    given. use_trivialization: multiply by a fixed orthogonal base, the value at the time of registering or of the last assignment;
    without it the first two maps cannot be assigned to.  The state_dict has parametrizations.NAME.original, and with a base
    parametrizations.NAME.0.base.

    Raises ArgumentError for another map, a name that is no tensor of the module or a weight of fewer dimensions.
    Source: Lezcano-Casado 2019 for the base; Golub and Van Loan for the reflections.

        >>> from cltensor import nn
        >>> weight = nn.utils.parametrizations.orthogonal(nn.Linear(4, 3)).weight
        >>> (weight @ weight.mT).round(decimals=4).abs().sum().item()
        3.0
    """
    weight = _tensor(module, name)
    if weight.ndim < 2:
        raise ArgumentError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ArgumentError(f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}')
    return register_parametrization(module, name, _Orthogonal(weight.shape, orthogonal_map, use_trivialization), unsafe=True)


def __dir__():
    return sorted(__all__)
