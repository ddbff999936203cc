"""Normalisation to mean 0 and variance 1, over the batch, a sample's channels, or groups of them."""

import math

import numpy as np

from ...autograd.modes import no_grad
from ...base import dtypes
from ...base.errors import ArgumentError, ShapeError
from ...codegen import expr as E
from ...ops import reductions
from ...ops.composite import composite
from ...ops.elementwise import elementwise
from ...ops.reduction import reduction
from ...tensor.shape import cat
from .pooling import avg_pool2d


def _op(name, fn, **options):
    return elementwise(name, fn, dtypes="floating", public=False, **options)


_TRIED = {"r": 0.25, "eps": 0.1}


def _tried(rng, names):
    """Random arrays for the generated tests, one a name."""
    return tuple(rng.uniform(0.5 if n == "m2" else -2, 2, (2, 3)) for n in names.split())


# m2 is the sum of squared deviations of the n elements a mean is over, r the reciprocal of n

_apply = _op("norm_apply", lambda x, mean, m2, weight, bias, r, eps: (x - mean) * E.rsqrt(m2 * r + eps) * weight + bias,
             tensors="x mean m2 weight bias", doc="x normalised, scaled and shifted.",
             ref=lambda x, mean, m2, weight, bias, r, eps: (x - mean) / np.sqrt(m2 * r + eps) * weight + bias,
             samples=lambda rng: [(_tried(rng, "x mean m2 weight bias"), _TRIED)])


def _input_slope(g, x, mean, m2, weight, g1, g2, factor, gmean, gm2, r, eps):
    scale = E.rsqrt(m2 * r + eps)
    y = (x - mean) * scale
    return scale * (g * weight - factor * r * (g1 + y * g2)) + gmean * r + 2 * gm2 * (x - mean)


def _slope_reference(g, x, mean, m2, weight, g1, g2, factor, gmean, gm2, r, eps):
    deviation = np.sqrt(m2 * r + eps)
    shared = factor * r * (g1 + g2 * (x - mean) / deviation)
    return (g * weight - shared) / deviation + r * gmean + (x - mean) * gm2 * 2


_slope = _op("norm_slope", _input_slope, tensors="g x mean m2 weight g1 g2 factor gmean gm2",
             ref=_slope_reference, samples=lambda rng: [(_tried(rng, "g x mean m2 weight g1 g2 factor gmean gm2"), _TRIED)],
             doc="The gradient of x from those of its normalised form, mean and m2; factor * g1 and factor * g2 are the sums over "
                 "the mean's elements of g * weight, and of that times the normalised x.")

_pair = reduction(
    "norm_sums", public=False, dtypes="floating", states=("acc", "acc"), result=("input", "input"), identity=(0, 0),
    map=lambda g, x, mean, m2, r=0.0, eps=0.0: (g, g * (x - mean) * E.rsqrt(m2 * r + eps)),
    combine=lambda a, b, c, d: (a + c, b + d), finish=lambda a, b, n, r, eps: (a, b), saves="g x mean m2",
    ref=lambda g, x, mean, m2, r, eps, **dims: (np.sum(g, **dims), np.sum(g * (x - mean) / np.sqrt(m2 * r + eps), **dims)),
    samples=lambda rng: [(_tried(rng, "g x mean m2"), {"dim": dim, **_TRIED}) for dim in (None, 0, 1)],
    vjp=lambda g, y, *inputs, needs, **settings: _pair_gradient(g, inputs, needs, **settings),
    doc="Sums over dim of g, and of g times the normalised x.")

_pair_slope = _op(
    "norm_sums_slope", lambda h1, h2, g, x, mean, m2, r, eps: (
        h1 + h2 * (x - mean) * E.rsqrt(m2 * r + eps), h2 * g * E.rsqrt(m2 * r + eps), -h2 * g * E.rsqrt(m2 * r + eps),
        -0.5 * r * h2 * g * (x - mean) * E.rsqrt(m2 * r + eps) / (m2 * r + eps)),
    tensors="h1 h2 g x mean m2", doc="The gradients of g, x, mean and m2 from those of norm_sums.",
    ref=lambda h1, h2, g, x, mean, m2, r, eps: _pair_slope_reference(h1, h2 * g, h2, x - mean, m2 * r + eps, r),
    samples=lambda rng: [(_tried(rng, "h1 h2 g x mean m2"), _TRIED)])


def _pair_slope_reference(h1, hg, h2, away, variance, r):
    deviation = np.sqrt(variance)
    return h1 + h2 * away / deviation, hg / deviation, -hg / deviation, hg * away * r / (-2 * variance * deviation)


def _pair_gradient(hs, inputs, needs, *, dim, keepdim, r, eps):
    h1, h2 = (reductions.unreduce(h, inputs[0], dim, keepdim) for h in hs)
    return _pair_slope(h1, h2, *inputs, r=r, eps=eps)


def _or(tensor, number):
    return number if tensor is None else tensor


def _count(x, dims):
    return math.prod(x.shape[d] for d in dims)


def _affine_dims(x, weight):
    """The dimensions over which a weight (or bias) of x's rank is the same."""
    return tuple(d for d in range(x.ndim) if weight.shape[d] == 1)


def _gradient(g, y, x, weight, bias, *, dims, eps, needs):
    """Gradients of x, weight and bias of `_normalized` from those of its outputs."""
    (g, gmean, gm2), (_, mean, m2) = g, y
    r = 1.0 / _count(x, dims)
    some = weight if weight is not None else bias
    shared = some is not None and all(some.shape[d] == 1 for d in dims) and _affine_dims(x, some) == dims
    gb = gw = None
    if shared:  # one sum serves the parameters and x
        gb, gw = _pair(g, x, mean, m2, dim=dims, keepdim=True, r=r, eps=eps)
        g1, g2, factor = gb, gw, _or(weight, 1.0)
    elif needs[0]:
        gy = g if weight is None else g * weight
        g1, g2 = _pair(gy, x, mean, m2, dim=dims, keepdim=True, r=r, eps=eps)
        factor = 1.0
    gx = None
    if needs[0]:
        gx = _slope(g, x, mean, m2, _or(weight, 1.0), g1, g2, factor, gmean, gm2, r=r, eps=eps)
    if some is not None and not shared and (needs[1] or needs[2]):
        gb, gw = _pair(g, x, mean, m2, dim=_affine_dims(x, some), keepdim=True, r=r, eps=eps)
    return gx, gw if weight is not None else None, gb if bias is not None else None


def _reference(x, weight, bias, *, dims, eps):
    mean, variance = (f(x, axis=dims, keepdims=True) for f in (np.mean, np.var))
    y = (x - mean) / np.sqrt(variance + eps) * (1 if weight is None else weight) + (0 if bias is None else bias)
    return y, mean, variance * (x.size / mean.size)


def _samples(rng):
    x, dims = rng.uniform(-2, 2, (3, 4, 2)), {"dims": (0, 2), "eps": 0.1}
    channels, rows = rng.uniform(-2, 2, (2, 1, 4, 1)), rng.uniform(-2, 2, (2, 1, 4, 2))
    return [((x, *channels), dims), ((x, *rows), {**dims, "dims": (1, 2)}), ((x, *channels), {**dims, "dims": (1, 2)}),
            ((x, channels[0], None), dims), ((x, None, None), dims)]


@composite("normalized", public=False, dtypes="wide", saves="x weight y1 y2", vjp=_gradient, ref=_reference, samples=_samples)
def _normalized(x, weight, bias, *, dims, eps):
    """(y, mean, m2): x normalised over dims, then times weight plus bias, which have x's rank or are None."""
    mean = reductions.mean(x, dim=dims, keepdim=True)
    m2 = reductions.sum_squares(x, mean, dim=dims, keepdim=True)
    y = _apply(x, mean, m2, _or(weight, 1.0), _or(bias, 0.0), r=1.0 / _count(x, dims), eps=eps)
    return y, mean, m2


def _normalize(x, weight, bias, dims, eps):
    """_normalized, with 16-bit floats worked out in float32."""
    if x.dtype.itemsize > 2 or not x.dtype.is_floating_point:
        return _normalized(x, weight, bias, dims=dims, eps=eps)
    weight, bias = (None if p is None else p.float() for p in (weight, bias))
    y, mean, m2 = _normalized(x.float(), weight, bias, dims=dims, eps=eps)
    return y.to(x.dtype), mean, m2


# --- over the batch --------------------------------------------------------------------------------------------------

_running = _op("norm_running", lambda running_mean, running_var, mean, m2, momentum, r: (
    running_mean + momentum * (mean - running_mean), running_var + momentum * (m2 * r - running_var)),
    tensors="running_mean running_var mean m2", doc="Running statistics moved towards those of a batch.",
    ref=lambda mean, var, new, m2, momentum, r: tuple((1 - momentum) * old + momentum * now
                                                      for old, now in ((mean, new), (var, m2 * r))),
    samples=lambda rng: [(_tried(rng, "mean var new m2"), {"momentum": 0.3, "r": 0.25})])

_scaled = _op("norm_scaled", lambda x, mean, scale, bias: (x - mean) * scale + bias, doc="x moved, scaled and shifted.",
              ref=lambda x, mean, scale, bias: (x - mean) * scale + bias)


def _along(vector, ndim, dim=1):
    """A vector (C,) shaped to broadcast along dimension dim of ndim; None stays."""
    return None if vector is None else vector.reshape(*(1,) * dim, -1, *(1,) * (ndim - dim - 1))


def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """input (N, C, *) normalised for each channel, times weight (C,) plus bias (C,).

    training: by the batch's mean and (biased) variance, and the running ones, unless None, move towards its mean and
    unbiased variance by momentum.  Otherwise by the running statistics.
    Raises ArgumentError when training on one value per channel, ShapeError.
    """
    if input.ndim < 2 and not input.numel():
        return input.clone()
    if input.ndim < 2:
        raise ShapeError(f"batch_norm: expected input (N, C, *), got {input.ndim}D input of shape {list(input.shape)}")
    _check_channels("batch_norm", input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    parameters = _along(weight, input.ndim), _along(bias, input.ndim)
    if not training:
        if running_mean is None or running_var is None:
            raise ArgumentError("batch_norm: Expected running_mean and running_var to be defined when training=False")
        return _with_statistics(input, running_mean, running_var, *parameters, eps)
    count = input.numel() // max(input.shape[1], 1)
    if count <= 1:
        raise ArgumentError(f"Expected more than 1 value per channel when training, got input size {list(input.shape)}"
                            "; use a larger batch, or call eval()")
    y, mean, m2 = _normalize(input, *parameters, (0, *range(2, input.ndim)), eps)
    if running_mean is not None:
        with no_grad():
            _running(running_mean, running_var, mean.reshape(-1), m2.reshape(-1), momentum=momentum,
                     r=1.0 / (count - 1), out=(running_mean, running_var))
    return y


def _check_channels(op, input, **vectors):
    for name, v in vectors.items():
        if v is not None and tuple(v.shape) != (input.shape[1],):
            raise ShapeError(f"{op}: {name} should contain {input.shape[1]} elements, one for each channel of input "
                             f"{list(input.shape)}, not have shape {list(v.shape)}")


def _with_statistics(x, mean, var, weight, bias, eps):
    """x normalised by a given mean and variance (C,), as one scale and shift for each channel."""
    scale = (var + eps).rsqrt().reshape(1, -1, *(1,) * (x.ndim - 2))
    scale = scale if weight is None else scale * weight
    y = _scaled(x, _along(mean, x.ndim), scale, _or(bias, 0.0))
    return y if y.dtype is x.dtype else y.to(x.dtype)


def instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True,
                  momentum=0.1, eps=1e-5):
    """input (N, C, *) normalised for each sample and channel, times weight (C,) plus bias (C,).

    use_input_stats: by the input's own statistics, else by the running ones.
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    n, c = input.shape[:2]
    if math.prod(input.shape[2:]) <= 1:
        raise ArgumentError(f"instance_norm: Expected more than 1 spatial element when training, got input size "
                            f"{list(input.shape)}")
    _check_channels("instance_norm", input, running_mean=running_mean, running_var=running_var, weight=weight,
                    bias=bias)
    parameters = _along(weight, input.ndim), _along(bias, input.ndim)
    y, mean, m2 = _normalize(input, *parameters, tuple(range(2, input.ndim)), eps)
    if running_mean is not None:
        with no_grad():
            mean, m2 = (t.reshape(n, c).mean(0) for t in (mean, m2))
            _running(running_mean, running_var, mean, m2, momentum=momentum, r=1.0 / (math.prod(input.shape[2:]) - 1),
                     out=(running_mean, running_var))
    return y


# --- over a sample ---------------------------------------------------------------------------------------------------


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """input normalised over its last dimensions, of sizes normalized_shape, times weight plus bias of that shape."""
    shape = tuple(normalized_shape)
    lead = input.ndim - len(shape)
    if not shape or lead < 0 or tuple(input.shape[lead:]) != shape:
        raise ShapeError(f"layer_norm: Given normalized_shape={list(shape)}, expected input with shape [*, "
                         f"{', '.join(map(str, shape))}], but got input of size{list(input.shape)}")
    parameters = [_leading(p, name, shape, lead) for p, name in ((weight, "weight"), (bias, "bias"))]
    return _normalize(input, *parameters, tuple(range(lead, input.ndim)), eps)[0]


def _leading(p, name, shape, lead):
    if p is None:
        return None
    if tuple(p.shape) != shape:
        raise ShapeError(f"layer_norm: Expected {name} to be of same shape as normalized_shape, but got {name} of "
                         f"shape {list(p.shape)} and normalized_shape = {list(shape)}")
    return p.reshape(*(1,) * lead, *shape)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    """input (N, C, *) normalised for each sample and group of channels, times weight (C,) plus bias (C,)."""
    if input.ndim < 2:
        raise ShapeError(f"group_norm: Expected at least 2 dimensions for input tensor but received {input.ndim}")
    n, c = input.shape[:2]
    if num_groups <= 0 or c % num_groups:
        raise ArgumentError(f"group_norm: Expected number of channels in input to be divisible by num_groups, but got "
                            f"input of shape {list(input.shape)} and num_groups={num_groups}")
    _check_channels("group_norm", input, weight=weight, bias=bias)
    grouped = input.reshape(n, num_groups, c // num_groups, *input.shape[2:])
    parameters = (None if p is None else p.reshape(1, num_groups, c // num_groups, *(1,) * (input.ndim - 2))
                  for p in (weight, bias))
    return _normalize(grouped, *parameters, tuple(range(2, grouped.ndim)), eps)[0].reshape(input.shape)


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """input divided by the root mean square of its last dimensions, of sizes normalized_shape, times weight.

    eps: added to the mean square; the dtype's smallest step unless given.
    """
    shape = tuple(normalized_shape)
    lead = input.ndim - len(shape)
    if not shape or lead < 0 or tuple(input.shape[lead:]) != shape:
        raise ShapeError(f"rms_norm: Given normalized_shape={list(shape)}, expected input with shape [*, "
                         f"{', '.join(map(str, shape))}], but got input of size{list(input.shape)}")
    x = input.float() if input.dtype.itemsize == 2 else input
    eps = dtypes.finfo(input.dtype).eps if eps is None else eps
    y = x * ((x * x).mean(tuple(range(lead, input.ndim)), keepdim=True) + eps).rsqrt()
    y = y.to(input.dtype)
    return y if weight is None else y * weight


def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """input (N, C, *) divided by (k + alpha * mean over `size` neighbouring channels of input ** 2) ** beta."""
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm: Expected 3D or higher dimensionality input (got {input.ndim}D)")
    n, c = input.shape[:2]
    squares = (input * input).reshape(n, 1, c, math.prod(input.shape[2:]))
    ahead = squares.new_zeros((n, 1, size // 2, squares.shape[3]))
    behind = squares.new_zeros((n, 1, (size - 1) // 2, squares.shape[3]))
    padded = cat([ahead, squares, behind], 2)
    mean = avg_pool2d(padded, (size, 1), stride=1).reshape(input.shape)
    return input / (mean * alpha + k).pow(beta)
