"""Pooling over one to three spatial dimensions: the largest, mean or p-norm of each window."""


from ...base.calls import applied
from ...base.context import context
from ...base.errors import ArgumentError
from ...dispatch.autocast import FLOAT32_ON_CPU
from ...ops.conv import pooling as ops
from ...ops.kinds.precision import in_float32
from . import windows
from .out import into
from .sizes import batched, each


def _squeezed(result, single):
    return result.squeeze(0) if single else result


def _max_pool(n, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    op = f"max_pool{n}d"
    if n == 3 and context.autocast is not None:
        input, = FLOAT32_ON_CPU.arguments(input)
    kernel = each(kernel_size, n, op, "kernel_size")
    input, single = batched(input, n, op)
    pool = ops.max_pool if input.dtype.category != "int" else windows.max_pool
    y, positions = pool(input, kernel_size=kernel, stride=_stride(stride, kernel, n, op),
                        padding=each(padding, n, op, "padding"), dilation=each(dilation, n, op, "dilation"),
                        ceil_mode=bool(ceil_mode))
    return (_squeezed(y, single), _squeezed(positions, single)) if return_indices else _squeezed(y, single)


def _stride(stride, kernel, n, op):
    return kernel if stride is None or stride == () or stride == [] else each(stride, n, op, "stride")


def _avg_pool(n, input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
              divisor_override=None, *, out=None):
    op = f"avg_pool{n}d"
    if n == 3 and context.autocast is not None:
        input, = FLOAT32_ON_CPU.arguments(input)
    kernel = each(kernel_size, n, op, "kernel_size")
    input, single = batched(input, n, op)
    pool = ops.avg_pool if input.dtype.category != "int" else windows.avg_pool
    y = pool(input, kernel_size=kernel, stride=_stride(stride, kernel, n, op), padding=each(padding, n, op, "padding"),
             ceil_mode=bool(ceil_mode), count_include_pad=bool(count_include_pad), divisor_override=divisor_override)
    return into(op, out, _squeezed(y, single))


def _output_size(output_size, input, n, op):
    """output_size as a tuple, None standing for the input's size."""
    values = (output_size,) * n if output_size is None or hasattr(output_size, "__index__") else tuple(output_size)
    values = values * n if len(values) == 1 else values
    if len(values) != n:
        raise ArgumentError(f"{op}: output_size must be one int or {n} ints, one for each spatial dimension, got "
                            f"{output_size}")
    return tuple(m if v is None else v.__index__() for v, m in zip(values, input.shape[2:], strict=True))


def _check_adaptive(op, n, input):
    if input.ndim not in (n + 1, n + 2):
        raise ArgumentError(f"{op}: Input dimension should be at least {n + 1} and at most {n + 2}, got input of size "
                            f"{list(input.shape)}")


def _adaptive_max_pool(n, input, output_size, return_indices=False):
    op = f"adaptive_max_pool{n}d"
    _check_adaptive(op, n, input)
    input, single = batched(input, n, op)
    y, positions = ops.adaptive_max_pool(input, output_size=_output_size(output_size, input, n, op))
    return (_squeezed(y, single), _squeezed(positions, single)) if return_indices else _squeezed(y, single)


def _adaptive_avg_pool(n, input, output_size):
    op = f"adaptive_avg_pool{n}d"
    if n == 3 and context.autocast is not None:
        input, = FLOAT32_ON_CPU.arguments(input)
    _check_adaptive(op, n, input)
    input, single = batched(input, n, op)
    return _squeezed(ops.adaptive_avg_pool(input, output_size=_output_size(output_size, input, n, op)), single)


@in_float32
def _lp_pool(n, input, norm_type, kernel_size, stride=None, ceil_mode=False):
    kernel = each(kernel_size, n, f"lp_pool{n}d", "kernel_size")
    total = _avg_pool(n, input.pow(norm_type), kernel, stride, 0, ceil_mode, divisor_override=1)
    return (total.sign() * total.abs().relu()).pow(1.0 / norm_type)  # relu has slope 0 at 0; without it the slope there is infinite


def _named(fn, n, doc):
    """fn for n spatial dimensions, under its public name."""
    public = applied(fn, n)
    public.__name__ = public.__qualname__ = f"{fn.__name__[1:]}{n}d"
    public.__doc__ = doc.format(n=n, dims=", ".join(("L",) if n == 1 else ("D", "H", "W")[-n:]))
    return public


def _with_indices(pool):
    """pool that also returns the positions."""

    def public(*args, return_indices=False, **kwargs):
        return pool(*args, return_indices=True, **kwargs)

    public.__name__ = public.__qualname__ = f"{pool.__name__}_with_indices"
    public.__doc__ = f"(result, int64 positions) of {pool.__name__}, which see."
    return public


max_pool1d, max_pool2d, max_pool3d = (_named(_max_pool, n, """Largest value of each window of input (N, C, {dims}).

    stride: kernel_size unless given; padding counts as minus infinity; return_indices: also the flat position of each
    maximum in its plane (int64), the first at a tie.
    """) for n in (1, 2, 3))
max_pool1d_with_indices, max_pool2d_with_indices, max_pool3d_with_indices = (_with_indices(pool) for pool in (
    max_pool1d, max_pool2d, max_pool3d))
avg_pool2d, avg_pool3d = (_named(_avg_pool, n, """Mean of each window of input (N, C, {dims}).

    stride: kernel_size unless given; count_include_pad: whether padded zeros count; divisor_override: divide by this.
    """) for n in (2, 3))


def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """Mean of each window of input (N, C, L).

    stride: kernel_size unless given; count_include_pad: whether padded zeros count.
    """
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d = (_named(
    _adaptive_max_pool, n, "Largest values of output_size windows that cover input (N, C, {dims}).") for n in (1, 2, 3))
adaptive_max_pool1d_with_indices, adaptive_max_pool2d_with_indices, adaptive_max_pool3d_with_indices = (
    _with_indices(pool) for pool in (adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d))
adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d = (_named(
    _adaptive_avg_pool, n, "Means of output_size windows that cover input (N, C, {dims}).") for n in (1, 2, 3))
lp_pool1d, lp_pool2d, lp_pool3d = (_named(
    _lp_pool, n, "The norm of degree norm_type of each window of input (N, C, {dims}).") for n in (1, 2, 3))
