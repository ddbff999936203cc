"""What ONNX has for extremes with their places, sorting and searching."""

from ...base import dtypes


def _whole(b, x):
    """x in a dtype that runtimes compare numbers of."""
    if x.dtype.category == "bool" or (x.dtype.category == "int" and x.dtype.itemsize < 4):
        return b.cast(x, dtypes.int32)
    return b.cast(x, dtypes.float32) if x.dtype.itemsize == 2 else x


def position(operator):
    """The rule of ArgMax or ArgMin: over one dimension, or over all."""

    def rule(b, x, *, dim, keepdim):
        x = _whole(b, x)
        if len(dim) == 1:
            axis, = dim
            shape = [1 if d == axis else n for d, n in enumerate(x.shape) if keepdim or d != axis]
            return b(operator, x, shape=shape, dtype=dtypes.int64, axis=axis, keepdims=int(keepdim))
        kept = [d for d in range(x.ndim) if d not in dim]
        rows = b.transpose(x, [*kept, *dim])
        count = 1
        for d in dim:
            count *= x.shape[d]
        rows = b.reshape(rows, [*(x.shape[d] for d in kept), count])
        found = b(operator, rows, shape=rows.shape[:-1], dtype=dtypes.int64, axis=rows.ndim - 1, keepdims=0)
        return b.reshape(found, b.results[0].shape)

    return rule


def reduced(operator):
    """The rule of an operator that reduces numbers as they are."""

    def rule(b, x, *, dim, keepdim):
        if not x.dtype.is_floating_point or x.dtype.itemsize == 2:
            return NotImplemented
        return b.reduce(operator, x, dim, keepdim)

    return rule


def sort_rows(b, x, *, descending):
    """TopK of all."""
    given = _whole(b, x)
    one = not given.ndim
    given = b.reshape(given, (1,)) if one else given
    count = b.ints([given.shape[-1]])
    values, places = b("TopK", given, count, outputs=[(given.shape, given.dtype), (given.shape, dtypes.int64)], axis=-1,
                       largest=int(descending), sorted=1)
    return b.reshape(values, x.shape), b.reshape(places, x.shape)


def search_rows(b, sequence, values, sorter, *, right, int32):
    """How many elements of a row are below each value."""
    if sorter is not None:
        sequence = b("GatherElements", sequence, sorter, shape=sequence.shape, axis=sequence.ndim - 1)
    sequence, values = _whole(b, sequence), _whole(b, values)
    row = sequence if sequence.ndim == 1 else b.unsqueeze(sequence, [sequence.ndim - 1])
    below = b("LessOrEqual" if right else "Less", row, b.unsqueeze(values, [values.ndim]), dtype=dtypes.bool_)
    return b.reduce("ReduceSum", b.cast(below, dtypes.int64), [below.ndim - 1], False)


def compact(b, mask, counts, *, count):
    """NonZero."""
    return b.reshape(b("NonZero", b.flat(mask), shape=(1, count), dtype=dtypes.int64), (count,))


def mode_rows(b, keys, places):
    """The place at which the count of equal elements up to there is largest, the first of several."""
    n = keys.shape[-1]
    given = _whole(b, keys)
    equal = b("Equal", b.unsqueeze(given, [given.ndim]), b.unsqueeze(given, [given.ndim - 1]), dtype=dtypes.bool_)
    before = b("LessOrEqual", b.arange(n), b.unsqueeze(b.arange(n), [1]), dtype=dtypes.bool_)
    counts = b.reduce("ReduceSum", b.cast(b("And", equal, before), dtypes.int64), [equal.ndim - 1], False)
    best = b("ArgMax", counts, shape=(*keys.shape[:-1], 1), dtype=dtypes.int64, axis=counts.ndim - 1, keepdims=1)
    picked = [b("GatherElements", x, best, shape=best.shape, axis=x.ndim - 1) for x in (keys, places)]
    return tuple(b.reshape(x, keys.shape[:-1]) for x in picked)
