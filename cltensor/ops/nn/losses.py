"""Losses per element of input and target: one elementwise op each."""

import math

import numpy as np

from ...codegen import expr as E
from ...codegen import reference
from ..kinds.elementwise import elementwise


def _op(name, fn, **options):
    return elementwise(name, fn, dtypes="floating", public=False, **options)


squared = _op("mse", lambda input, target: (input - target) * (input - target), ref=lambda a, b: (a - b) ** 2,
              doc="(input - target) ** 2.")
absolute = _op("l1", lambda input, target: E.abs(input - target), ref=lambda a, b: np.abs(a - b), complex=True,
               doc="|input - target|.")


def _huber_value(a, b, delta=1.0):
    d = E.abs(a - b)
    return E.where(d < delta, 0.5 * d * d, delta * (d - 0.5 * delta))


def _huber_slope(g, a, b, y, delta):
    d = a - b
    slope = g * E.where(d <= -delta, -delta, E.where(d >= delta, delta, d))
    return slope, -slope


huber = _op("huber", _huber_value, grad=_huber_slope, doc="Squared error within delta, absolute error beyond.",
            ref=lambda a, b, delta=1.0: np.where(np.abs(a - b) < delta, 0.5 * (a - b) ** 2,
                                                 delta * (np.abs(a - b) - 0.5 * delta)))


def _bce_value(x, t):
    return t * -E.where(E.log(x) > -100, E.log(x), -100) + (1 - t) * -E.where(E.log(1 - x) > -100, E.log(1 - x), -100)


def _bce_slope(g, x, t, y):
    span = x * (1 - x)
    return g * (x - t) / E.where(span > 1e-12, span, 1e-12), g * (E.log(1 - x) - E.log(x))


def _bce_reference(x, t):
    with np.errstate(divide="ignore"):
        return -(t * np.maximum(np.log(x), -100) + (1 - t) * np.maximum(np.log(1 - x), -100))


bce = _op("bce", _bce_value, grad=_bce_slope, ref=_bce_reference,
          samples=lambda rng: [((rng.random((3, 4)) * 0.8 + 0.1, rng.random((3, 4))), {})],
          doc="-(t log(x) + (1 - t) log(1 - x)), logarithms at least -100.")
bce_logits = _op("bce_logits", lambda input, target: (1 - target) * input + E.softplus(-input),
                 grad=lambda g, input, target, y: (g * (E.sigmoid(input) - target), -g * input),
                 ref=lambda x, t: (1 - t) * x + np.logaddexp(0, -x), doc="Binary cross entropy of sigmoid(input).")


def _bce_pos_value(x, t, pos):
    return (1 - t) * x + (1 + (pos - 1) * t) * E.softplus(-x)


def _bce_pos_slope(g, x, t, pos, y):
    factor = 1 + (pos - 1) * t
    return (g * ((1 - t) - factor * E.sigmoid(-x)), g * ((pos - 1) * E.softplus(-x) - x), g * t * E.softplus(-x))


bce_logits_pos = _op("bce_logits_weighted", _bce_pos_value, grad=_bce_pos_slope,
                     ref=lambda x, t, pos: (1 - t) * x + (1 + (pos - 1) * t) * np.logaddexp(0, -x),
                     doc="bce_logits with the target's share weighted by pos.")
kl = _op("kl", lambda input, target: E.xlogy(target, target) - target * input,
         ref=lambda x, t: reference.xlogy(t, t) - t * x,
         samples=lambda rng: [((rng.standard_normal((3, 4)), rng.random((3, 4))), {})],
         doc="target * (log(target) - input), 0 log 0 being 0; NaN for a negative target.")
kl_log = _op("kl_log", lambda input, target: E.exp(target) * (target - input), ref=lambda x, t: np.exp(t) * (t - x),
             doc="exp(target) * (target - input).")
poisson = _op("poisson_nll", lambda input, target, eps=1e-8: input - target * E.log(input + eps),
              ref=lambda x, t, eps=1e-8: x - t * np.log(x + eps),
              samples=lambda rng: [((rng.random((3, 4)) + 0.1, rng.random((3, 4))), {})], doc="x - t log(x + eps).")
poisson_log = _op("poisson_nll_log", lambda input, target: E.exp(input) - target * input,
                  ref=lambda x, t: np.exp(x) - t * x, doc="exp(x) - t x.")
stirling = _op("stirling", lambda target: E.where(target > 1, target * E.log(E.where(target > 1, target, 2)) - target
                                                   + 0.5 * E.log(2 * math.pi * E.where(target > 1, target, 2)), 0),
                ref=lambda t: np.where(t > 1, t * np.log(np.maximum(t, 2**-10)) - t
                                       + 0.5 * np.log(2 * math.pi * np.maximum(t, 2**-10)), 0),
                doc="Stirling's estimate of log(t!) above 1, else 0.")
gaussian = _op("gaussian_nll",
               lambda input, target, var: 0.5 * (E.log(var) + (input - target) * (input - target) / var),
               ref=lambda x, t, v: 0.5 * (np.log(v) + (x - t) ** 2 / v), doc="(log(var) + (x - t) ** 2 / var) / 2.",
               samples=lambda rng: [((*rng.standard_normal((2, 3, 4)), rng.random((3, 4)) + 0.1), {})])
soft_margin = _op("soft_margin", lambda input, target: E.softplus(-target * input),
                  grad=lambda g, input, target, y: (-g * target * E.sigmoid(-target * input),
                                                    -g * input * E.sigmoid(-target * input)),
                  ref=lambda x, t: np.logaddexp(0, -t * x), doc="log(1 + exp(-target * input)).")




def _hinge_value(own, other, counts, margin=1.0, p=1.0):
    gap = margin - own + other
    return E.where(counts & (gap > 0), E.where(p == 1, gap, gap * gap), 0)


def _hinge_reference(own, other, counts, margin=1.0, p=1.0):
    return np.where(counts, np.maximum(margin - own + other, 0) ** p, 0)


def _hinge_samples(rng):
    arrays = (*rng.standard_normal((2, 3, 4)), rng.random((3, 4)) < 0.6)
    return [(arrays, {"margin": 0.5, "p": 2.0}), (arrays, {})]


hinge = elementwise("margin_hinge", _hinge_value, exempt="counts", dtypes="floating", public=False, ref=_hinge_reference,
                    samples=_hinge_samples, doc="max(0, margin - own + other) ** p where it counts, with slope 0 at 0.")
