"""What ONNX has for random numbers: other ones than here, from the same distributions."""

from ...base import dtypes


def _uniform(builder, like, low=0.0, high=1.0):
    return builder("RandomUniformLike", like, low=float(low), high=float(high))


def random_like(builder, x, /, *, distribution, seed, offset, a, b):
    """RandomNormalLike and RandomUniformLike; integers are uniform numbers rounded down."""
    x = x if x.dtype.is_floating_point else builder.cast(x, dtypes.float32)
    if distribution == "normal":
        return builder("RandomNormalLike", x, mean=float(a), scale=float(b))
    if distribution == "uniform":
        return _uniform(builder, x, a, b)
    return NotImplemented


def dropout(builder, x, /, *, seed, offset, a, b):
    """x * b where a uniform number is at least a, else 0."""
    dropped = builder("Less", _uniform(builder, x), float(a), dtype=dtypes.bool_)
    return builder.where(dropped, 0.0, builder("Mul", x, float(b)))


def bernoulli(builder, p, /, *, dtype, seed, offset, a, b):
    """1 where a uniform number is below p."""
    return builder("Less", _uniform(builder, p), p, dtype=dtypes.bool_)
