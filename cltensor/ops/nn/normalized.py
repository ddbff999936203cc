"""The op behind every normalisation by mean and variance, and its gradients of every order."""

import math

import numpy as np

from ...base.context import context
from ...codegen import expr as E
from ..kinds.composite import composite
from ..kinds.elementwise import elementwise
from ..kinds.reduction import reduction
from ..reduce import reduction_ops
from . import onnx_rules
from .normalization import laid, norm_backward, norm_forward, reference, samples, suits


def _op(name, fn, **options):
    return elementwise(name, fn, dtypes="floating", public=False, **options)


_TRIED = {"r": 0.25, "eps": 0.1}


def tried(rng, names):
    """Random arrays for the generated tests, one per name."""
    return tuple(rng.uniform(0.5 if n == "m2" else -2, 2, (2, 3)) for n in names.split())


# a mean is over n elements; m2 is the sum of their squared deviations, r is 1 / n

_apply = _op("norm_apply", lambda x, mean, m2, weight, bias, r, eps: (x - mean) * E.rsqrt(m2 * r + eps) * weight + bias,
             tensors="x mean m2 weight bias", doc="x normalised, scaled and shifted.",
             ref=lambda x, mean, m2, weight, bias, r, eps: (x - mean) / np.sqrt(m2 * r + eps) * weight + bias,
             samples=lambda rng: [(tried(rng, "x mean m2 weight bias"), _TRIED)])


def _input_slope(g, x, mean, m2, weight, g1, g2, factor, gmean, gm2, r, eps):
    scale = E.rsqrt(m2 * r + eps)
    y = (x - mean) * scale
    return scale * (g * weight - factor * r * (g1 + y * g2)) + gmean * r + 2 * gm2 * (x - mean)


def _slope_reference(g, x, mean, m2, weight, g1, g2, factor, gmean, gm2, r, eps):
    deviation = np.sqrt(m2 * r + eps)
    shared = factor * r * (g1 + g2 * (x - mean) / deviation)
    return (g * weight - shared) / deviation + r * gmean + (x - mean) * gm2 * 2


_slope = _op("norm_slope", _input_slope, tensors="g x mean m2 weight g1 g2 factor gmean gm2",
             ref=_slope_reference, samples=lambda rng: [(tried(rng, "g x mean m2 weight g1 g2 factor gmean gm2"), _TRIED)],
             doc="The gradient of x from those of its normalised form, mean and m2; factor * g1 and factor * g2 are the sums over "
                 "the mean's elements of g * weight, and of that times the normalised x.")

_pair = reduction(
    "norm_sums", public=False, dtypes="floating", states=("acc", "acc"), result=("input", "input"), identity=(0, 0),
    map=lambda g, x, mean, m2, r=0.0, eps=0.0: (g, g * (x - mean) * E.rsqrt(m2 * r + eps)),
    combine=lambda a, b, c, d: (a + c, b + d), finish=lambda a, b, n, r, eps: (a, b), saves="g x mean m2",
    ref=lambda g, x, mean, m2, r, eps, **dims: (np.sum(g, **dims), np.sum(g * (x - mean) / np.sqrt(m2 * r + eps), **dims)),
    samples=lambda rng: [(tried(rng, "g x mean m2"), {"dim": dim, **_TRIED}) for dim in (None, 0, 1)],
    vjp=lambda g, y, *inputs, needs, **settings: _pair_gradient(g, inputs, needs, **settings),
    doc="Sums over dim of g, and of g times the normalised x.")

_pair_slope = _op(
    "norm_sums_slope", lambda h1, h2, g, x, mean, m2, r, eps: (
        h1 + h2 * (x - mean) * E.rsqrt(m2 * r + eps), h2 * g * E.rsqrt(m2 * r + eps), -h2 * g * E.rsqrt(m2 * r + eps),
        -0.5 * r * h2 * g * (x - mean) * E.rsqrt(m2 * r + eps) / (m2 * r + eps)),
    tensors="h1 h2 g x mean m2", doc="The gradients of g, x, mean and m2 from those of norm_sums.",
    ref=lambda h1, h2, g, x, mean, m2, r, eps: _pair_slope_reference(h1, h2 * g, h2, x - mean, m2 * r + eps, r),
    samples=lambda rng: [(tried(rng, "h1 h2 g x mean m2"), _TRIED)])


def _pair_slope_reference(h1, hg, h2, away, variance, r):
    deviation = np.sqrt(variance)
    return h1 + h2 * away / deviation, hg / deviation, -hg / deviation, hg * away * r / (-2 * variance * deviation)


def _pair_gradient(hs, inputs, needs, *, dim, keepdim, r, eps):
    h1, h2 = (reduction_ops.unreduce(h, inputs[0], dim, keepdim) for h in hs)
    return _pair_slope(h1, h2, *inputs, r=r, eps=eps)


def number(tensor, absent):
    """The tensor, or the number `absent` if it is None."""
    return absent if tensor is None else tensor


def _count(x, dims):
    return max(math.prod(x.shape[d] for d in dims), 1)  # at least 1: avoids division by zero for empty x


def _wide(x):
    """x with 16-bit floats converted to float32."""
    return x.float() if x is not None and x.dtype.itemsize == 2 else x


def _gradient(g, y, x, weight, bias, *, dims, along, eps, needs):
    """Gradients of x, weight and bias of `normalized` from those of its outputs."""
    (g, gmean, gm2), (_, mean, m2) = g, y
    if gmean is None and gm2 is None and not context.grad and suits(x, dims, along):
        return _gradient_in_pieces(g, x, mean, m2, weight, bias, dims, along, eps, needs)
    g = x.new_zeros(()).expand(x.shape) if g is None else g
    kind, g, x, wide = x.dtype, *map(_wide, (g, x, weight))
    w, r = laid(wide, x, along), 1.0 / _count(x, dims)
    gx = gw = gb = None
    shared = _others(x, along) == dims and (weight is not None or bias is not None)
    if shared:  # the same sums serve the parameters and x
        gb, gw = g1, g2 = _pair(g, x, mean, m2, dim=dims, keepdim=True, r=r, eps=eps)
        factor = number(w, 1.0)
    elif needs[0]:
        g1, g2 = _pair(g if weight is None else g * w, x, mean, m2, dim=dims, keepdim=True, r=r, eps=eps)
        factor = 1.0
    if needs[0]:
        gx = _slope(g, x, mean, m2, number(w, 1.0), g1, g2, factor, number(gmean, 0.0), number(gm2, 0.0), r=r, eps=eps)
        gx = gx if gx.dtype is kind else gx.to(kind)
    if (needs[1] or needs[2]) and not shared:
        gb, gw = _parameter_sums(g, x, mean, m2, along, r, eps)
    return gx, *_fitted((gw, gb), (weight, bias), needs[1:])


def _others(x, along):
    """The dimensions of x over which a weight is broadcast."""
    return tuple(d for d in range(x.ndim) if d not in along)


def _parameter_sums(g, x, mean, m2, along, r, eps):
    """The sums of g, and of g times the normalised x, for each weight."""
    given, dims = (g, x, mean, m2), _others(x, along)
    if not dims:  # an empty dim would mean all dimensions
        given, dims = [v.unsqueeze(0) for v in given], (0,)
    return _pair(*given, dim=dims, keepdim=True, r=r, eps=eps)


def _gradient_in_pieces(g, x, mean, m2, weight, bias, dims, along, eps, needs):
    """The same gradients, from the kernel norm_backward."""
    g, x, wide = g.contiguous(), x.contiguous(), None if weight is None else weight.contiguous()
    sums = needs[1] or needs[2]
    inside = sums and (along != dims or x.device.profile.style == "cpu")
    gx, gb, gw = norm_backward(g, x, mean, m2, wide, dims=dims, along=along, sums=inside, eps=eps), None, None
    if inside:
        gx, both = gx
        gb, gw = both.sum(1) if both.shape[1] > 1 else both
    elif sums:
        gb, gw = _parameter_sums(g, x, mean, m2, along, 1.0 / _count(x, dims), eps)
    return gx, *_fitted((gw, gb), (weight, bias), needs[1:])


def _fitted(gradients, parameters, needs):
    """Gradients in the shapes of their parameters; None where none is needed."""
    return (g.reshape(p.shape).to(p.dtype) if need else None for g, p, need in zip(gradients, parameters, needs, strict=True))


def _samples(rng):
    x = rng.uniform(-2, 2, (3, 4, 2))
    batch, rows = ({"dims": d, "along": a, "eps": 0.1} for d, a in (((0, 2), (1,)), ((1, 2), (1, 2))))
    return [*samples(rng), ((x, *rng.uniform(-2, 2, (2, 4))), batch), ((x, rng.uniform(-2, 2, 4), None), batch),
            ((x, None, None), rows)]


@composite("normalized", onnx=onnx_rules.normalized, public=False, dtypes="floating", accepts_missing_gradients=True,
           saves="x weight y1 y2", vjp=_gradient, ref=reference, samples=_samples)
def normalized(x, weight, bias, *, dims, along, eps):
    """(y, mean, m2): x normalised over dims, times weight, plus bias.

    weight and bias have one element for each index of the dimensions `along`, or are None.
    16-bit floats are computed in float32; mean and m2 are float32 then.
    """
    if suits(x, dims, along):
        given = (p if p is None else p.contiguous() for p in (weight, bias))
        return norm_forward(x.contiguous(), *given, dims=dims, along=along, eps=eps)
    kind, x, weight, bias = x.dtype, *map(_wide, (x, weight, bias))
    mean = reduction_ops.mean(x, dim=dims, keepdim=True)
    m2 = reduction_ops.sum_squares(x, mean, dim=dims, keepdim=True)
    weight, bias = (laid(p, x, along) for p in (weight, bias))
    y = _apply(x, mean, m2, number(weight, 1.0), number(bias, 0.0), r=1.0 / _count(x, dims), eps=eps)
    return y if y.dtype is kind else y.to(kind), mean, m2


running = elementwise("norm_running", lambda running_mean, running_var, mean, m2, momentum, r: (
    running_mean + momentum * (mean - running_mean), running_var + momentum * (m2 * r - running_var)), dtypes="floating",
    public=False, tensors="running_mean running_var mean m2", doc="Running statistics moved towards those of a batch.",
    ref=lambda mean, var, new, m2, momentum, r: tuple((1 - momentum) * old + momentum * now
                                                      for old, now in ((mean, new), (var, m2 * r))),
    samples=lambda rng: [(tried(rng, "mean var new m2"), {"momentum": 0.3, "r": 0.25})])
scaled = elementwise("norm_scaled", onnx=onnx_rules.norm_scaled,
                     fn=lambda x, mean, scale, bias: (x - mean) * scale + bias, dtypes="floating",
                     public=False, doc="x moved, scaled and shifted.", ref=lambda x, mean, scale, bias: (x - mean) * scale + bias)
