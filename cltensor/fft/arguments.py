"""What the transforms' arguments mean: lengths and dimensions."""

import functools

from ..base.calls import kind
from ..base.errors import ArgumentError, ArgumentTypeError, DimensionError, ShapeError
from ..base.shapes import normalize_dim
from ..tensor.math.fourier import scale
from ..tensor.shape.padding import pad_constant
from ..tensor.shape.shape import narrow


def settled(name, s, n, dim, norm, inverse):
    """(dim, n, scale) of a transform along one dimension of a Spec."""
    try:
        return _settled(name, s, n, dim, norm, inverse)
    except TypeError:  # numbers that cannot be hashed, if no others
        return _settled.__wrapped__(name, s, n, dim, norm, inverse)


@functools.lru_cache(maxsize=1024, typed=True)
def _settled(name, s, n, dim, norm, inverse):
    dim = one_dim(name, s, dim)
    there = s.shape[dim]
    n = length(name, there if n is None else n)
    return dim, n, scale(name, norm, n, inverse)


def one_dim(name, input, dim):
    """dim as a number from 0 on.  Raises DimensionError for a 0-d tensor, and out of range."""
    if not input.ndim:
        raise DimensionError(f"{name}: Dimension specified as {dim} but tensor has no dimensions; use reshape(1)")
    return normalize_dim(dim, input.ndim, name)


def length(name, n):
    """n as an int.  Raises ArgumentError for a length below 1, ArgumentTypeError for no int."""
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise ArgumentTypeError(f"{name}(): argument 'n' must be int, not {kind(n)}")
    n = n.__index__()
    if n < 1:
        raise ArgumentError(f"{name}: Invalid number of data points ({n}) specified; a transform needs at least 1")
    return n


def resized(input, dim, n):
    """input with n elements along dim: cut off, or filled up with zeros."""
    size = input.shape[dim]
    if n < size:
        return narrow(input, dim, 0, n)
    return input if n == size else pad_constant(input, (0, 0) * (input.ndim - 1 - dim) + (0, n - size))


def several(name, input, s, dim, half=False):
    """(dims, lengths) of a transform over several dimensions; half: input holds n // 2 + 1 of the last n numbers.

    s None: the sizes there are; dim None: the last ones, as many as s has, or all.  -1 in s stands for the size there is.
    """
    s = None if s is None else _numbers(name, "s", s)
    if dim is not None:
        dims = [normalize_dim(d, input.ndim, name) if input.ndim else one_dim(name, input, d) for d in _numbers(name, "dim", dim)]
        if len(set(dims)) < len(dims):
            raise ShapeError(f"{name}: FFT dims must be unique, got {tuple(dim)}")
        if s is not None and len(s) != len(dims):
            raise ArgumentError(f"{name}: When given, dim and shape arguments must have the same length, got dim={dim} and s={s}")
    elif s is None:
        dims = list(range(input.ndim))
    elif len(s) > input.ndim:
        raise ArgumentError(f"{name}: Got shape with {len(s)} values but input tensor only has {input.ndim} dimensions.")
    else:
        dims = list(range(input.ndim - len(s), input.ndim))
    whole = [input.shape[d] for d in dims]
    if half and dims:
        whole[-1] = 2 * (whole[-1] - 1)
    return dims, [length(name, there if n == -1 else n) for n, there in zip(s or [-1] * len(dims), whole, strict=True)]


def _numbers(name, argument, values):
    """An int, or a sequence of them, as a list."""
    values = [values] if hasattr(values, "__index__") else values
    if not isinstance(values, (tuple, list)) or not all(hasattr(v, "__index__") for v in values):
        raise ArgumentTypeError(f"{name}(): argument '{argument}' must be an int or a tuple of ints, not {kind(values)}")
    return [v.__index__() for v in values]
