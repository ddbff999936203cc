"""Fractional max pooling: windows that advance by a fraction, rounded at random to one whole step or the next.

Source: B. Graham, Fractional Max-Pooling, 2014.
"""



from ...autograd.modes import no_grad
from ...base.calls import applied
from ...base.errors import ArgumentError, DTypeError, ShapeError
from ...ops.conv import fractional_pooling as ops
from ...tensor.api.creation import arange
from ...tensor.random.sampling import rand
from .sizes import batched


def _sizes(value, n, op, name):
    values = (value,) * n if hasattr(value, "__index__") else tuple(value)
    if len(values) != n:
        raise ShapeError(f"{op}: {name} must either be a single Int or tuple of {n} Ints, got {value}")
    return tuple(v.__index__() for v in values)


def _output_size(op, n, input, output_size, output_ratio):
    if output_size is not None:
        return _sizes(output_size, n, op, "output_size")
    if output_ratio is None:
        raise ArgumentError(f"{op} requires specifying either an output_size or an output_ratio")
    if len(output_ratio) != n:
        raise ArgumentError(f"{op} requires output_ratio to be a tuple of {n} numbers, got {output_ratio}")
    return tuple(int(m * r) for m, r in zip(input.shape[-n:], output_ratio, strict=True))


def _check(op, n, input, kernel, size, samples):
    if not input.dtype.is_floating_point:
        raise DTypeError(f"{op}: not defined for {input.dtype.name}; use .float()")
    if 0 in input.shape[1:]:
        raise ShapeError(f"{op}: Expected input to have non-zero size for non-batch dimensions, but got {list(input.shape)}")
    for m, k, o in zip(input.shape[2:], kernel, size, strict=True):
        if k < 1 or o < 0:
            raise ShapeError(f"{op}: kernel_size must be at least 1 and output_size at least 0, got {kernel} and {size}")
        if o + k - 1 > m:
            raise ShapeError(f"{op}: pool size {k} too large relative to input size {m} for {o} outputs; output_size + kernel_size "
                             f"- 1 may be at most the input's size")
    if samples is None:
        return
    if samples.dtype is not input.dtype:
        raise DTypeError(f"{op}: Expect _random_samples to have the same dtype as input, {input.dtype.name}, got "
                         f"{samples.dtype.name}")
    if samples.ndim != 3 or samples.shape[0] < input.shape[0] or samples.shape[1] != input.shape[1] or samples.shape[2] != n:
        raise ShapeError(f"{op}: Expect _random_samples to have shape {[*input.shape[:2], n]}, got {list(samples.shape)}")


def _starts(u, size, kernel, out):
    """The starts of the `out` windows of one dimension, for random u (N, C): int64 (N, C, out)."""
    i = arange(out, dtype=u.dtype, device=u.device)
    step = (size - kernel) / (out - 1) if out > 1 else 0.0
    return ops.start(u.unsqueeze(-1), i, step=step, last=float(out - 1), end=float(size - kernel)).long()


def _positions(input, kernel, size, samples):
    """The flat positions in the plane of each window's elements: int64 (N, C, *size, elements)."""
    n = len(size)
    flat = 0
    for d, (m, k, o) in enumerate(zip(input.shape[2:], kernel, size, strict=True)):
        # for planes, PyTorch's first sample belongs to the last dimension
        u = samples[:, :, n - 1 - d if n == 2 else d]
        within = arange(k, device=input.device).reshape(*(1,) * d, k, *(1,) * (n - 1 - d))
        start = _starts(u, m, k, o).reshape(*u.shape, *(1,) * d, o, *(1,) * (2 * n - 1 - d))
        flat = flat * m + start + within
    return flat.flatten(-n)


def _fractional_max_pool(n, input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                         _random_samples=None):
    op = f"fractional_max_pool{n}d"
    size = _output_size(op, n, input, output_size, output_ratio)
    kernel = _sizes(kernel_size, n, op, "kernel_size")
    x, single = batched(input, n, op)
    _check(op, n, x, kernel, size, _random_samples)
    planes = x.flatten(2)
    with no_grad():
        u = rand(*x.shape[:2], n, dtype=x.dtype, device=x.device) if _random_samples is None else _random_samples[:x.shape[0]]
        places = _positions(x, kernel, size, u)
        seen = planes.gather(2, places.flatten(2)).reshape(places.shape)
        chosen = places.gather(-1, seen.argmax(-1, keepdim=True)).squeeze(-1)
    y = planes.gather(2, chosen.flatten(2)).reshape(chosen.shape)
    return (y.squeeze(0), chosen.squeeze(0)) if single else (y, chosen)


def _pooled(n, input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
    found = _fractional_max_pool(n, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)
    return found if return_indices else found[0]


def _named(fn, n, name, doc):
    public = applied(fn, n)
    public.__name__ = public.__qualname__ = name
    public.__doc__ = doc.format(n=n, dims=("D, H, W", "H, W")[n == 2])
    return public


_DOC = """Largest value of each of output_size windows, spread over input (N, C, {dims}) or (C, {dims}) at random.

    kernel_size, output_size: an int or {n}; output_ratio: {n} numbers, the output's size over the input's, where output_size is
    not given; _random_samples (N, C, {n}), of input's dtype: where in its step each dimension begins, in [0, 1).
    """
fractional_max_pool2d, fractional_max_pool3d = (_named(_pooled, n, f"fractional_max_pool{n}d", _DOC + """return_indices: also
    the flat position of each maximum in its plane (int64).  Raises ShapeError, DTypeError, ArgumentError.
    """) for n in (2, 3))
fractional_max_pool2d_with_indices, fractional_max_pool3d_with_indices = (_named(
    _fractional_max_pool, n, f"fractional_max_pool{n}d_with_indices", _DOC + """Returns (y, the flat position of each maximum in
    its plane, int64).  Raises ShapeError, DTypeError, ArgumentError.
    """) for n in (2, 3))
