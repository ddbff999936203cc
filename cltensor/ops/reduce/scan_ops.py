"""Every scan: cumulative sums, products, extremes and log-sums."""

import math

import numpy as np

from ...base import dtypes
from ...codegen import expr as E
from ...dispatch.autocast import FLOAT32_ON_GPU
from ..kinds.precision import in_float32
from ..kinds.scan import scan


def _lowest(d):
    return -math.inf if d.is_floating_point else dtypes.iinfo(d).min if d.category == "int" else 0


def _highest(d):
    return math.inf if d.is_floating_point else dtypes.iinfo(d).max if d.category == "int" else 1


def _takes_max(a, b):
    """Whether b replaces a as the running maximum: b is at least as large, or NaN."""
    return (b >= a) | (b != b)  # false once a is NaN and b is not


def _takes_min(a, b):
    return (b <= a) | (b != b)


def _reverse_cumsum(g, dim):
    return g.flip(dim).cumsum(dim).flip(dim)


@in_float32
def _cumprod_gradient(g, y, x, dim):
    """Gradient of cumprod: by the quotient formula if no element is 0, else by sums of products."""
    if not x.ndim:
        return g
    if not bool((x == 0).any()):
        return _reverse_cumsum(g * y.conj(), dim) / x.conj()
    n = x.shape[dim]
    out = g * 0
    for k in range(n):
        before = x.narrow(dim, 0, k).prod(dim, keepdim=True)
        after = x.narrow(dim, k + 1, n - k - 1).cumprod(dim)
        tail = (after.conj() * g.narrow(dim, k + 1, n - k - 1)).sum(dim, keepdim=True) + g.narrow(dim, k, 1)
        out = out.slice_scatter(before.conj() * tail, dim, k, k + 1)
    return out


def _samples(rng):
    return [((rng.standard_normal((3, 5)),), {"dim": 1}), ((rng.standard_normal((4, 3)),), {"dim": 0})]


def _at_extreme(g, y, x, dim):
    return g[0].new_zeros(x.shape).scatter_add(dim, y[1], g[0])


cumsum = scan("cumsum_dense", autocast=FLOAT32_ON_GPU, map=lambda input: input, combine=lambda a, b: a + b, identity=0,
              ref=lambda x, dim: np.cumsum(x, dim),
              vjp=(lambda g, y, x, dim: _reverse_cumsum(g, dim),), public=False, samples=_samples,
              doc="Running sum along dim.", complex=True)
cumprod = scan("cumprod_dense", autocast=FLOAT32_ON_GPU, map=lambda input: input, combine=lambda a, b: a * b, identity=1,
               ref=lambda x, dim: np.cumprod(x, dim), vjp=(_cumprod_gradient,), saves="input y", public=False,
               samples=_samples, doc="Running product along dim.", complex=True)


def _accumulated(x, dim):
    """The running log of summed exponentials of complex numbers, one after the other."""
    y = np.moveaxis(np.array(x), dim, 0)
    for i in range(1, len(y)):
        first = y[i - 1].real >= y[i].real
        large, small = np.where(first, y[i - 1], y[i]), np.where(first, y[i], y[i - 1])
        y[i] = large + np.log1p(np.exp(small - large))
    return np.moveaxis(y, 0, dim)


logcumsumexp_complex = scan("logcumsumexp_complex", map=lambda input: input, combine=lambda a, b: E.logaddexp(a, b),
                            identity=-math.inf, public=False, dtypes="none", complex=True, ref=_accumulated, saves="input y",
                            samples=_samples, vjp=(lambda g, y, x, dim: _complex_log_space_gradient(g, y, x, dim),),
                            doc="Running log of summed exponentials of complex numbers along dim.")
logcumsumexp = scan(
    "logcumsumexp_dense", on_complex="logcumsumexp_complex", map=lambda input: (input, 1), combine=lambda m, s, n, t: (
        E.maximum(m, n), E.where(m >= n, s + E.where(n == -math.inf, 0, t * E.exp(n - m)),
                                 t + E.where(m == -math.inf, 0, s * E.exp(m - n)))),
    identity=(-math.inf, 0), states=("acc", "acc"),
    finish=lambda m, s: E.where((m == math.inf) | (m == -math.inf), m, m + E.log(s)),
    ref=lambda x, dim: np.logaddexp.accumulate(x, dim), public=False, dtypes="floating", saves="input y", samples=_samples,
    vjp=(lambda g, y, x, dim: _log_space_gradient(g, y, x, dim),), doc="Running log of summed exponentials along dim.")
cummax = scan("cummax_dense", map=lambda input, index: (input, index),
              combine=lambda a, i, b, j: (E.where(_takes_max(a, b), b, a), E.where(_takes_max(a, b), j, i)),
              identity=(_lowest, 0), states=("acc", "int64"), result=("input", "int64"), vjp=(_at_extreme,), saves="y1",
              ref=lambda x, dim: np.maximum.accumulate(x, dim), public=False, samples=_samples,
              doc="Running maximum along dim and its position, the last where there are several.")
cummin = scan("cummin_dense", map=lambda input, index: (input, index),
              combine=lambda a, i, b, j: (E.where(_takes_min(a, b), b, a), E.where(_takes_min(a, b), j, i)),
              identity=(_highest, 0), states=("acc", "int64"), result=("input", "int64"), vjp=(_at_extreme,), saves="y1",
              ref=lambda x, dim: np.minimum.accumulate(x, dim), public=False, samples=_samples,
              doc="Running minimum along dim and its position, the last where there are several.")


@in_float32
def _log_space_gradient(g, y, x, dim):
    """sum over t >= s of g[t] exp(x[s] - y[t]).  Uses logarithms, separately for g > 0 and g < 0, so that nothing overflows."""
    if not x.ndim:
        return g
    size = g.abs().log() - y

    def reverse(part):
        return (part.flip(dim).logcumsumexp(dim).flip(dim) + x).exp()

    return reverse(size.where(g > 0, -math.inf)) - reverse(size.where(g < 0, -math.inf))


def _complex_log_space_gradient(g, y, x, dim):
    """sum over t >= s of g[t] conj(exp(x[s] - y[t])), by logarithms, which complex numbers all have."""
    if not x.ndim:
        return g
    size = g.conj().log() - y
    return (size.flip(dim).logcumsumexp(dim).flip(dim) + x).exp().conj()
