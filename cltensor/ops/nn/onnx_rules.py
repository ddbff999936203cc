"""What ONNX has for normalisation, softmax, attention, recurrent layers and activations."""

import math

import numpy as np

from ...base import dtypes

# --- activations -----------------------------------------------------------------------------------------------------


def _is_float32(b, *tensors):
    """Whether tensors and result are of dtypes that runtimes have activations for."""
    return all(getattr(x, "dtype", None) is b.results[0].dtype and x.dtype in (dtypes.float32, dtypes.float64) for x in tensors)


def of_floats(operator, *attributes, opset=13):
    """The rule of an activation that is one operator, whose attributes are the op's, in order."""

    def rule(b, x, **given):
        if b.opset < opset or not _is_float32(b, x):
            return NotImplemented
        return b(operator, x, **dict(zip(attributes, map(float, given.values()), strict=True)))

    return rule


def clipped(b, x, *, min_val=-1.0, max_val=1.0):
    """Clip."""
    return b("Clip", x, b.constant(min_val, x.dtype), b.constant(max_val, x.dtype), shape=x.shape) if _is_float32(b, x) \
        else NotImplemented


def gelu(b, x):
    """Gelu, or its definition by Erf."""
    if not _is_float32(b, x):
        return NotImplemented
    if b.opset >= 20:
        return b("Gelu", x)
    return b("Mul", b("Mul", x, 0.5), b("Add", b("Erf", b("Mul", x, math.sqrt(0.5))), 1.0))


def gelu_tanh(b, x):
    """Gelu by tanh."""
    return b("Gelu", x, approximate="tanh") if b.opset >= 20 and _is_float32(b, x) else NotImplemented


def hardsigmoid(b, x):
    """HardSigmoid."""
    return b("HardSigmoid", x, alpha=1 / 6, beta=0.5) if _is_float32(b, x) else NotImplemented


def softplus(b, x, *, beta=1.0, threshold=20.0):
    """Softplus of a multiple."""
    if not _is_float32(b, x):
        return NotImplemented
    scaled = x if beta == 1 else b("Mul", x, float(beta))
    y = b("Softplus", scaled)
    y = y if beta == 1 else b("Div", y, float(beta))
    return b.where(b("Greater", scaled, float(threshold), dtype=dtypes.bool_), x, y)


def prelu(b, x, weight):
    """PRelu."""
    fits = _is_float32(b, x, weight) and weight.ndim <= x.ndim
    return b("PRelu", x, weight, shape=x.shape) if fits and b.results[0].shape == x.shape else NotImplemented


# --- softmax ---------------------------------------------------------------------------------------------------------


def _softmax(operator):
    def rule(b, x, *, dim):
        if not x.ndim:  # the softmax of one number is 1
            return b("Sub" if operator == "LogSoftmax" else "Div", x, x)
        return b(operator, x, axis=dim)

    return rule


softmax, log_softmax = _softmax("Softmax"), _softmax("LogSoftmax")


def softmax_parts(b, x, *, dim):
    """ReduceMax and ReduceLogSumExp."""
    x = b.cast(x, b.results[0].dtype)
    top = b.reduce("ReduceMax", x, [dim], True)
    log = b.reduce("ReduceLogSumExp", b("Sub", x, top), [dim], False)
    return b.reshape(top, log.shape), log


def softmax_grad(b, g, y, *, dim):
    """y (g - sum of g y)."""
    return b("Mul", y, b("Sub", g, b.reduce("ReduceSum", b("Mul", g, y), [dim], True)))


def log_softmax_grad(b, g, y, *, dim):
    """g - exp(y) times the sum of g."""
    return b("Sub", g, b("Mul", b("Exp", y), b.reduce("ReduceSum", g, [dim], True)))


# --- normalisation ---------------------------------------------------------------------------------------------------


def _laid(b, vector, x, along):
    """A weight or bias shaped to broadcast over x."""
    return b.reshape(b.cast(vector, x.dtype), [n if d in along else 1 for d, n in enumerate(x.shape)])


def normalized(b, x, weight, bias, *, dims, along, eps):
    """LayerNormalization, InstanceNormalization, or means and deviations."""
    wide = x if x.dtype.itemsize > 2 else b.cast(x, dtypes.float32)
    if dims == along and dims == tuple(range(x.ndim - len(dims), x.ndim)) and b.opset >= 17 and wide is x:
        weight = b.expand(b.constant(1.0, x.dtype), [x.shape[d] for d in dims]) if weight is None else weight
        shape = tuple([1 if d in dims else n for d, n in enumerate(x.shape)])
        y, mean, inverse = b("LayerNormalization", x, b.cast(weight, x.dtype), None if bias is None else b.cast(bias, x.dtype),
                             outputs=[(x.shape, x.dtype), *[(shape, dtypes.float32)] * 2], axis=dims[0], epsilon=float(eps))
        return y, mean, _squares(b, inverse, eps, _count(b, x, dims))
    if dims == tuple(range(2, x.ndim)) and dims and wide is x:
        return _by_channels(b, x, weight, bias, along, eps)
    count = _count(b, wide, dims)
    mean = b.reduce("ReduceMean", wide, dims, True)
    away = b("Sub", wide, mean)
    m2 = b.reduce("ReduceSumSquare", away, dims, True)
    y = b("Div", away, b("Sqrt", b("Add", b("Div", m2, count), float(eps))))
    y = y if weight is None else b("Mul", y, _laid(b, weight, wide, along))
    return y if bias is None else b("Add", y, _laid(b, bias, wide, along)), mean, m2


def _count(b, x, dims):
    """How many elements a mean is over, as a number of x's dtype; sizes may be dynamic."""
    return float(max(math.prod(x.shape[d] for d in dims), 1))


def _squares(b, inverse, eps, count):
    """The sum of squared deviations from 1 / sqrt(their mean + eps)."""
    return b("Mul", b("Sub", b("Reciprocal", b("Mul", inverse, inverse)), float(eps)), count)


def _by_channels(b, x, weight, bias, along, eps):
    """InstanceNormalization: its weights are along dimension 1; others are applied afterwards."""
    channels = x.shape[1]
    inside = along == (1,)
    one, zero = (b.expand(b.constant(v, x.dtype), (channels,)) for v in (1.0, 0.0))
    y = b("InstanceNormalization", x, b.cast(weight, x.dtype) if inside and weight is not None else one,
          b.cast(bias, x.dtype) if inside and bias is not None else zero, shape=x.shape, epsilon=float(eps))
    if not inside:
        y = y if weight is None else b("Mul", y, _laid(b, weight, x, along))
        y = y if bias is None else b("Add", y, _laid(b, bias, x, along))
    return (y, *_moments(b, x, tuple(range(2, x.ndim))))


def _moments(b, x, dims):
    mean = b.reduce("ReduceMean", x, dims, True)
    return mean, b.reduce("ReduceSumSquare", b("Sub", x, mean), dims, True)


def norm_backward(b, g, x, mean, m2, weight, *, dims, along, sums, eps):
    """The gradient by its definition; sums for parameters have no form."""
    if sums:
        return NotImplemented
    deviation = b("Sqrt", b("Add", b("Div", m2, _count(b, x, dims)), float(eps)))
    normal = b("Div", b("Sub", x, mean), deviation)
    gw = g if weight is None else b("Mul", g, _laid(b, weight, x, along))
    g1, g2 = (b.reduce("ReduceMean", v, dims, True) for v in (gw, b("Mul", gw, normal)))
    return b("Div", b("Sub", b("Sub", gw, g1), b("Mul", normal, g2)), deviation)


def norm_scaled(b, x, mean, scale, bias):
    """BatchNormalization of variance 1, where everything is a number for each channel."""
    shape = (1, x.shape[1], *(1,) * (x.ndim - 2)) if getattr(x, "ndim", 0) >= 2 else None
    vectors = [v for v in (mean, scale, bias) if hasattr(v, "shape")]
    if shape is None or len(vectors) < 2 or any(v.shape != shape for v in vectors) or not _is_float32(b, x, *vectors):
        return NotImplemented
    found = _statistics(b, b.reshape(scale, shape[1:2])) if hasattr(scale, "shape") else None
    mean, scale, bias = (b.reshape(v, shape[1:2]) if hasattr(v, "shape") else b.expand(b.constant(float(v), x.dtype), shape[1:2])
                         for v in (mean, scale, bias))
    one = b.expand(b.constant(1.0, x.dtype), shape[1:2])
    if found is None:
        return b("BatchNormalization", x, scale, bias, mean, one, shape=x.shape, epsilon=0.0)
    variance, weight, eps = found
    return b("BatchNormalization", x, one if weight is None else weight, bias, mean, variance, shape=x.shape, epsilon=eps)


def _statistics(b, scale):
    """(variance, weight or None, eps) where a scale is weight / sqrt(variance + eps); None where it is not."""
    by_weight = b.maker(scale)
    pairs = [(scale, None)]
    if by_weight is not None and by_weight.operator == "Mul":
        pairs = [by_weight.inputs, by_weight.inputs[::-1]]
    for inverse, weight in pairs:
        added = inverse
        for operator, at in (("Div", 1), ("Sqrt", 0)):
            node = b.maker(added)
            if node is None or node.operator != operator or (at and node.inputs[0].number != 1):
                break
            added = node.inputs[at]
        else:
            node = b.maker(added)
            if node is not None and node.operator == "Add" and node.inputs[1].number is not None:
                return node.inputs[0], weight, float(node.inputs[1].number)
    return None


def resized(b, x, *, sizes, scales, mode, align):
    """Resize, by scales where these were given, else to sizes."""
    if not x.dtype.is_floating_point:
        return _picked(b, x, sizes, scales, mode)
    x = b.cast(x, dtypes.float32) if x.dtype.itemsize == 2 else x
    kind = {"nearest": "nearest", "nearest-exact": "nearest", "bicubic": "cubic"}.get(mode, "linear")
    places = "align_corners" if align else "asymmetric" if mode == "nearest" else "half_pixel"
    how = {"mode": kind, "coordinate_transformation_mode": places}
    if kind == "nearest":
        how["nearest_mode"] = "floor" if mode == "nearest" else "round_prefer_ceil"
    elif kind == "cubic":
        how["cubic_coeff_a"] = -0.75
    shape = (*x.shape[:2], *sizes)
    if all(scales) and not align:
        by = b.constant(np.array([1, 1, *scales], np.float32), dtypes.float32)
        return b("Resize", x, None, by, shape=shape, **how)
    return b("Resize", x, None, None, b.ints(shape), shape=shape, **how)


def _picked(b, x, sizes, scales, mode):
    """The pixels of integers, by their places."""
    for d, (new, scale) in enumerate(zip(sizes, scales, strict=True), 2):
        old, middle = x.shape[d], np.float32(0 if mode == "nearest" else 0.5)
        ratio = np.float32(1 / scale) if scale else np.float32(old) / np.float32(new)
        places = np.minimum(np.floor((np.arange(new, dtype=np.float32) + middle) * ratio), old - 1).astype(np.int64)
        x = b("Gather", x, b.ints(places), shape=(*x.shape[:d], new, *x.shape[d + 1:]), axis=d)
    return x


# --- attention -------------------------------------------------------------------------------------------------------


def attention(b, q, k, v, mask, *, scale, causal):
    """Softmax of scaled products, times v; rows in which all is masked are 0."""
    keys = b.transpose(k, (0, 1, 3, 2))
    scores = b("Mul", b.product(q, keys), float(scale))
    lowest = b.constant(-math.inf, q.dtype)
    if mask is not None:
        scores = b.where(mask, scores, lowest) if mask.dtype is dtypes.bool_ else b("Add", scores, b.cast(mask, q.dtype))
    if causal:
        rows, columns = b.arange(q.shape[2]), b.arange(k.shape[2])
        scores = b.where(b("LessOrEqual", columns, b.unsqueeze(rows, [1]), dtype=dtypes.bool_), scores, lowest)
    weights = b("Softmax", scores, axis=3)
    if mask is not None:
        weights = b.where(b("IsNaN", weights, dtype=dtypes.bool_), 0.0, weights)
    sums = b.reduce("ReduceLogSumExp", b.cast(scores, b.results[1].dtype), [3], False)
    return b.product(weights, v), sums, b.constant(0.0, b.results[2].dtype)


# --- recurrent layers ------------------------------------------------------------------------------------------------

_GATES = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "tanh": (0,), "relu": (0,)}  # those of ONNX, by their places here


def recurrent(b, x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, *, mode, batch_sizes, reverse):
    """LSTM, GRU or RNN of sequences of one length.  Of an lstm's cells only the last step's are there."""
    if w_hr is not None:
        b.refuse("its states are projected")
    steps, rows, hidden = len(batch_sizes), batch_sizes[0], w_hh.shape[1]
    packed = Packed(batch_sizes, reverse) if len(set(batch_sizes)) > 1 else None
    sequence = x if packed is None else b("Gather", x, b.ints(packed.places), shape=(steps * rows, x.shape[1]), axis=0)
    sequence = b.reshape(sequence, (steps, rows, x.shape[1]))
    weights = [b.unsqueeze(_ordered(b, w, mode, hidden), [0]) for w in (w_ih, w_hh)]
    biases = [_ordered(b, v, mode, hidden) for v in (b_ih, b_hh) if v is not None]
    given = [sequence, *weights, b.unsqueeze(b.concat(biases, 0), [0]) if biases else None,
             None if packed is None else b.constant(np.array(packed.lengths), dtypes.int32),
             None if h0 is None else b.unsqueeze(h0, [0])]
    options = {"hidden_size": hidden, "direction": "reverse" if reverse else "forward"}
    if mode == "lstm":
        given.append(None if c0 is None else b.unsqueeze(c0, [0]))
    elif mode == "gru":
        options["linear_before_reset"] = 1
    else:
        options["activations"] = [mode.capitalize()]
    operator = {"lstm": "LSTM", "gru": "GRU"}.get(mode, "RNN")
    state = (1, rows, hidden)
    shapes = [(steps, *state), state, *([state] if mode == "lstm" else [])]
    y, _, *cell = b(operator, *given, outputs=[(s, x.dtype) for s in shapes], **options)
    y = b.reshape(y, (steps * rows, hidden))
    if packed is not None:
        y = b("Gather", y, b.ints(packed.rows), shape=(len(packed.rows), hidden), axis=0)
        return (y, packed.cells(b, b.reshape(cell[0], (rows, hidden)))) if cell else (y,)
    return (y, _last_cells(b, cell[0], steps, rows, hidden, reverse)) if cell else (y,)


class Packed:
    """Sequences of several lengths, whose rows lie step by step, as ONNX has them: padded to the longest.

    places: the row of each step and sequence, 0 for none; rows: where each row is then; lengths: of the sequences.
    """

    def __init__(self, batch_sizes, reverse):
        width, firsts = batch_sizes[0], [sum(batch_sizes[:t]) for t in range(len(batch_sizes))]
        self.lengths = [sum(n > i for n in batch_sizes) for i in range(width)]
        self.places = [first + i if i < n else 0 for first, n in zip(firsts, batch_sizes, strict=True) for i in range(width)]
        self.rows = [t * width + i for t, n in enumerate(batch_sizes) for i in range(n)]
        self.last = [0] * len(self.rows)  # for each row 1 + the sequence that it is the last of, else 0
        for i, length in enumerate(self.lengths):
            self.last[i if reverse else firsts[length - 1] + i] = i + 1

    def cells(self, b, cell):
        """The cells of all rows, of which only those of the last steps are known: NaN for the others."""
        unknown = b.expand(b.constant(math.nan, cell.dtype), (1, cell.shape[1]))
        return b("Gather", b.concat([unknown, cell], 0), b.ints(self.last), shape=(len(self.last), cell.shape[1]), axis=0)


def _ordered(b, w, mode, hidden):
    """A weight or bias with its gates in ONNX's order."""
    rows = [at * hidden + i for at in _GATES[mode] for i in range(hidden)]
    return w if len(_GATES[mode]) == 1 else b("Gather", w, b.ints(rows), shape=w.shape, axis=0)


def _last_cells(b, cell, steps, rows, hidden, reverse):
    """The cells of all steps, of which only those of the last are known: NaN for the others."""
    cell = b.reshape(cell, (rows, hidden))
    if steps == 1:
        return cell
    unknown = b.expand(b.constant(math.nan, cell.dtype), (steps - 1, rows, hidden))
    unknown = b.reshape(unknown, ((steps - 1) * rows, hidden))
    return b.concat([cell, unknown] if reverse else [unknown, cell], 0)
