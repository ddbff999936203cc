"""What ONNX has for reading and writing by index, reversal and joining."""

from ...base import dtypes

_REDUCTIONS = {"set": ("none", 13), "add": ("add", 16), "prod": ("mul", 16), "amax": ("max", 18), "amin": ("min", 18)}


def gather(b, x, index, *, dim, wrap=False):
    """GatherElements; of one dimension Gather."""
    if not x.ndim:
        return b.expand(x, index.shape)
    if not index.ndim:
        return b.reshape(b("Gather", x, index, shape=(), dtype=x.dtype, axis=0), ())
    dim %= x.ndim
    cut = {d: (0, n, 1) for d, n in enumerate(index.shape) if d != dim}
    return b("GatherElements", b.slice(x, cut), index, shape=index.shape, axis=dim)


def index_select(b, x, index, *, dim, wrap=False):
    """Gather."""
    if not x.ndim:
        return x
    dim %= x.ndim
    index = b.reshape(index, (index.numel,))
    return b("Gather", x, index, shape=(*x.shape[:dim], index.numel, *x.shape[dim + 1:]), axis=dim)


def scatter(b, x, index, src, *, dim, combine, wrap=False):
    """ScatterElements."""
    reduction, opset = _REDUCTIONS[combine]
    if combine != "set":
        b.needs(opset, f"scatter with {combine}")
        if x.dtype is dtypes.bool_:
            x, src = (b.cast(t, dtypes.int32) for t in (x, src))
    shape, one = x.shape, not x.ndim
    if one:
        x, index, src = (b.reshape(t, (t.numel,)) for t in (x, index, src))
    if not index.ndim:
        index, src = b.reshape(index, (1,)), b.reshape(src, (1,))
    dim %= x.ndim
    src = b.slice(src, {d: (0, n, 1) for d, n in enumerate(index.shape)})
    options = {} if combine == "set" else {"reduction": reduction}
    return b.reshape(b("ScatterElements", x, index, src, shape=x.shape, axis=dim, **options), shape)


def index_combine(b, x, index, src, *, dim, combine, wrap=False):
    """ScatterElements along one dimension, with the index repeated over the others."""
    if not x.ndim:
        return scatter(b, x, b.reshape(index, (1,)), b.reshape(src, (1,)), dim=0, combine=combine)
    dim %= x.ndim
    index = b.reshape(index, [index.numel if d == dim else 1 for d in range(x.ndim)])
    return scatter(b, x, b.expand(index, src.shape), src, dim=dim, combine=combine)


def reverse(b, x, *, dims):
    """Slice with steps of -1."""
    dims = [d % x.ndim for d in dims]
    lowest = -(1 << 62)
    return b("Slice", x, b.ints([-1] * len(dims)), b.ints([lowest] * len(dims)), b.ints(dims), b.ints([-1] * len(dims)),
             shape=x.shape)


def cat(b, *inputs, dim):
    """Concat."""
    dtype = b.results[0].dtype
    return b.concat([b.cast(x, dtype) for x in inputs], dim)


def stack(b, *inputs, dim):
    """Concat along a new dimension."""
    dtype = b.results[0].dtype
    return b.concat([b.unsqueeze(b.cast(x, dtype), [dim]) for x in inputs], dim)
