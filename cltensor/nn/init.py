"""Initial values of parameters, written in place: uniform, normal, Xavier, Kaiming and others.

Every function changes its tensor without recording a gradient, and returns it; `generator` makes the numbers reproducible.
"""

from __future__ import annotations

import contextlib
import functools
import math
import threading
import warnings

import numpy as np

from ..autograd.modes import no_grad
from ..base.calls import named_all as _named_all
from ..base.errors import ArgumentError
from ..tensor.api.creation import from_numpy
from ..tensor.core.tensor import Tensor
from ..tensor.random.sampling import Generator, default_generator

__all__ = ["calculate_gain", "constant", "constant_", "dirac", "dirac_", "eye", "eye_", "kaiming_normal", "kaiming_normal_",
           "kaiming_uniform", "kaiming_uniform_", "normal", "normal_", "ones_", "orthogonal", "orthogonal_", "sparse", "sparse_",
           "trunc_normal_", "uniform", "uniform_", "xavier_normal", "xavier_normal_", "xavier_uniform", "xavier_uniform_", "zeros_"]

_FIXED_GAINS = {"linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "conv_transpose1d": 1.0,
                "conv_transpose2d": 1.0, "conv_transpose3d": 1.0, "sigmoid": 1.0, "tanh": 5.0 / 3, "relu": math.sqrt(2),
                "selu": 3.0 / 4}


def calculate_gain(nonlinearity: str, param=None):
    """The factor by which to scale a layer's weights for the nonlinearity that follows it.

    param: the negative slope of "leaky_relu", 0.01 by default.  Raises ArgumentError for an unknown name.
    """
    if nonlinearity in _FIXED_GAINS:
        return _FIXED_GAINS[nonlinearity]
    if nonlinearity != "leaky_relu":
        known = ", ".join((*_FIXED_GAINS, "leaky_relu"))
        raise ArgumentError(f"Unsupported nonlinearity {nonlinearity}; use one of {known}")
    if param is not None and (isinstance(param, bool) or not isinstance(param, (int, float))):
        raise ArgumentError(f"negative_slope {param} not a valid number")
    return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))


class _State(threading.local):
    """Whether this thread leaves out initial values."""

    skipping = False


_state = _State()


@contextlib.contextmanager
def skipped():
    """A context in which the functions of this module do nothing."""
    before, _state.skipping = _state.skipping, True
    try:
        yield
    finally:
        _state.skipping = before


def _initializer(fn):
    """Run fn without recording gradients, and return its tensor; a tensor without elements stays as it is."""

    @functools.wraps(fn)
    def initialize(tensor, *args, **kwargs):
        if not _state.skipping:
            with no_grad():
                fn(tensor, *args, **kwargs)
        return tensor

    return initialize


def _fans(tensor):
    """(inputs, outputs) of one unit: for a weight (out, in, *kernel), each times the size of the kernel."""
    if tensor.ndim < 2:
        raise ArgumentError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions; got shape "
                            f"{tuple(tensor.shape)}")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _fan(tensor, mode):
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    return _fans(tensor)[mode == "fan_out"]


def _from_host(tensor, array):
    tensor.copy_(from_numpy(array).to(device=tensor.device))


@_initializer
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None):
    """Uniform numbers in [a, b)."""
    tensor.uniform_(a, b, generator=generator)


@_initializer
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None):
    """Normal numbers."""
    tensor.normal_(mean, std, generator=generator)


@_initializer
def trunc_normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
                  generator: Generator | None = None):
    """Normal numbers, drawn again until they lie in [a, b]: the distribution is truncated, not clamped."""
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn("mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be "
                      "incorrect.", stacklevel=3)
    if tensor.is_meta:
        return
    rng = (generator or default_generator).host()
    values = rng.normal(mean, std, tuple(tensor.shape))
    outside = (values < a) | (values > b)
    while outside.any():
        values[outside] = rng.normal(mean, std, np.count_nonzero(outside))
        outside = (values < a) | (values > b)
    _from_host(tensor, values.astype(np.float32))


@_initializer
def constant_(tensor: Tensor, val):
    """One value everywhere."""
    tensor.fill_(val)


@_initializer
def ones_(tensor: Tensor):
    """Ones."""
    tensor.fill_(1)


@_initializer
def zeros_(tensor: Tensor):
    """Zeros."""
    tensor.fill_(0)


@_initializer
def eye_(tensor: Tensor):
    """The identity matrix.  Raises ArgumentError unless the tensor has 2 dimensions."""
    if tensor.ndim != 2:
        raise ArgumentError("Only tensors with 2 dimensions are supported")
    _from_host(tensor, np.eye(*tensor.shape, dtype=np.float32))


@_initializer
def dirac_(tensor: Tensor, groups: int = 1):
    """A convolution that copies its input, for as many channels as fit.  weight (out, in, *kernel)."""
    if tensor.ndim not in (3, 4, 5):
        raise ArgumentError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups:
        raise ArgumentError(f"dim 0 must be divisible by groups: {tensor.shape[0]} channels, {groups} groups")
    out = tensor.shape[0] // groups
    values = np.zeros(tuple(tensor.shape), np.float32)
    middle = tuple(n // 2 for n in tensor.shape[2:])
    for g in range(groups):
        for d in range(min(out, tensor.shape[1])):
            values[(g * out + d, d, *middle)] = 1
    _from_host(tensor, values)


@_initializer
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None):
    """Uniform in +-gain * sqrt(6 / (fan_in + fan_out)).  Source: Glorot and Bengio 2010."""
    bound = gain * math.sqrt(6.0 / sum(_fans(tensor)))
    tensor.uniform_(-bound, bound, generator=generator)


@_initializer
def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None):
    """Normal with std gain * sqrt(2 / (fan_in + fan_out)).  Source: Glorot and Bengio 2010."""
    tensor.normal_(0.0, gain * math.sqrt(2.0 / sum(_fans(tensor))), generator=generator)


def _kaiming_std(tensor, a, mode, nonlinearity):
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=4)
        return 0.0
    return calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode))


@_initializer
def kaiming_uniform_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
                     generator: Generator | None = None):
    """Uniform with std gain / sqrt(fan); a is the negative slope of leaky_relu.  Source: He et al. 2015."""
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    tensor.uniform_(-bound, bound, generator=generator)


@_initializer
def kaiming_normal_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
                    generator: Generator | None = None):
    """Normal with std gain / sqrt(fan); a is the negative slope of leaky_relu.  Source: He et al. 2015."""
    tensor.normal_(0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator=generator)


@_initializer
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None):
    """Orthogonal rows (or columns, if there are fewer) of length gain; (out, *rest) counts as a matrix."""
    if tensor.ndim < 2:
        raise ArgumentError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0 or tensor.is_meta:
        return
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    drawn = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator).float().numpy().astype(np.float64)
    q, r = np.linalg.qr(drawn.T if rows < columns else drawn)
    q *= np.sign(np.diag(r))  # without this, Q is not uniform over all rotations
    q = q.T if rows < columns else q
    _from_host(tensor, (gain * q).astype(np.float32).reshape(tuple(tensor.shape)))


@_initializer
def sparse_(tensor: Tensor, sparsity, std: float = 0.01, generator: Generator | None = None):
    """A matrix of normal numbers, with the fraction `sparsity` of each column set to zero."""
    if tensor.ndim != 2:
        raise ArgumentError("Only tensors with 2 dimensions are supported")
    if tensor.is_meta:
        return
    rows, columns = tensor.shape
    order = tensor.new_empty((rows, columns)).uniform_(generator=generator).float().numpy().argsort(axis=0)
    keep = order >= math.ceil(sparsity * rows)
    tensor.normal_(0, std, generator=generator)
    tensor.mul_(from_numpy(keep.astype(np.float32)).to(tensor))


def _older(name, fn):
    """fn under the name without its underscore, with a warning."""

    @functools.wraps(fn)
    def initialize(*args, **kwargs):
        warnings.warn(f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`.", FutureWarning, stacklevel=2)
        return fn(*args, **kwargs)

    initialize.__name__ = initialize.__qualname__ = name
    initialize.__doc__ = f"""{name}_ under its older name, with a warning; for the same shapes and floating dtypes.

    Raises what {name}_ raises.  Source: the definition of {name}_.

        >>> from cltensor import nn
        >>> nn.init.{name}.__name__
        {name!r}
    """
    return initialize


uniform, normal, constant, eye, dirac = (
    _older(name, fn) for name, fn in (("uniform", uniform_), ("normal", normal_), ("constant", constant_), ("eye", eye_),
                                      ("dirac", dirac_)))
xavier_uniform, xavier_normal, kaiming_uniform, kaiming_normal, orthogonal, sparse = (
    _older(name, fn) for name, fn in (("xavier_uniform", xavier_uniform_), ("xavier_normal", xavier_normal_),
                                      ("kaiming_uniform", kaiming_uniform_), ("kaiming_normal", kaiming_normal_),
                                      ("orthogonal", orthogonal_), ("sparse", sparse_)))
_named_all(globals())


def __dir__():
    return sorted(__all__)
