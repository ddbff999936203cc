"""Divergences between two distributions of one class."""

import math

from ...base.errors import MissingError
from ...special import xlogy
from ...tensor.api.creation import arange
from ..bernoulli import Bernoulli
from ..beta import Beta
from ..binomial import Binomial
from ..categorical import Categorical
from ..cauchy import Cauchy
from ..continuous_bernoulli import ContinuousBernoulli
from ..dirichlet import Dirichlet
from ..exp_family import ExponentialFamily
from ..exponential import Exponential
from ..gamma import Gamma
from ..geometric import Geometric
from ..gumbel import EULER, Gumbel
from ..half_normal import HalfNormal
from ..independent import Independent
from ..laplace import Laplace
from ..normal import Normal
from ..one_hot_categorical import OneHotCategorical
from ..parameters import softplus, sum_rightmost
from ..pareto import Pareto
from ..poisson import Poisson
from ..transformed_distribution import TransformedDistribution
from ..uniform import Uniform
from .registry import kl_divergence, register_kl


def _same(kind):
    """Register a formula for two distributions of a class."""
    return register_kl(kind, kind)


@_same(ExponentialFamily)
def _exponential_family(p, q):
    """The divergence of Bregman of the normalizer, for two of one class."""
    if type(p) is not type(q):
        raise MissingError("The cross KL-divergence between different exponential families cannot be computed using Bregman "
                           f"divergences: {type(p).__name__} and {type(q).__name__}; give a formula with register_kl")
    eta, log_normalizer, means = p._normalizer_and_mean()
    others = q._natural_params
    result = q._log_normalizer(*others) - log_normalizer
    for mine, other, mean in zip(eta, others, means, strict=True):
        result = result - sum_rightmost((other - mine) * mean, mine.ndim - len(p.batch_shape))
    return result if any(e.requires_grad for e in (*p._natural_params, *others)) else result.detach()


@_same(Bernoulli)
def _bernoulli(p, q):
    zero_or_one = (p.probs == 0) | (p.probs == 1)
    of_one = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    of_zero = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    exact = -xlogy(p.probs, q.probs) - xlogy(1 - p.probs, 1 - q.probs)
    return exact.where(zero_or_one | (q.probs == 0) | (q.probs == 1), of_one + of_zero)


@_same(Beta)
def _beta(p, q):
    a, b, c, d = p.concentration1, p.concentration0, q.concentration1, q.concentration0
    normalizers = c.lgamma() + d.lgamma() + (a + b).lgamma() - (c + d).lgamma() - a.lgamma() - b.lgamma()
    return normalizers + (a - c) * a.digamma() + (b - d) * b.digamma() + (c + d - a - b) * (a + b).digamma()


@_same(Binomial)
def _binomial(p, q):
    """It reads the counts: where they differ, the mean of the coefficients' ratio is summed over p's values."""
    n, m = p.total_count, q.total_count
    kl = n * (p.probs * (p.logits - q.logits) + (-p.probs).log1p()) - m * (-q.probs).log1p()
    if bool((n < m).any()):
        k = arange(int(n.max()) + 1, dtype=n.dtype, device=n.device).reshape(-1, *(1,) * len(p.batch_shape))
        inside = k <= n
        k = k.minimum(n)
        ratio = (n + 1).lgamma() - (n - k + 1).lgamma() - (m + 1).lgamma() + (m - k + 1).lgamma()
        kl = kl + (ratio * p._log_prob(k).exp()).where(inside & (n <= m), 0.0).sum(0)
    return kl.where(n <= m, math.inf)


@_same(Categorical)
def _categorical(p, q):
    terms = p.probs * (p.logits - q.logits)
    terms = terms.where(q.probs != 0, math.inf).where(p.probs != 0, 0.0)
    return terms.sum(-1)


@_same(OneHotCategorical)
def _one_hot_categorical(p, q):
    return kl_divergence(p._categorical, q._categorical)


@_same(Cauchy)
def _cauchy(p, q):
    return (((p.scale + q.scale) ** 2 + (p.loc - q.loc) ** 2) / (4 * p.scale * q.scale)).log()


@_same(ContinuousBernoulli)
def _continuous_bernoulli(p, q):
    normalizers = p._log_norm() - softplus(p.logits) - q._log_norm() + softplus(q.logits)
    return p.mean * (p.logits - q.logits) + normalizers


@_same(Dirichlet)
def _dirichlet(p, q):
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    normalizers = total.lgamma() - b.sum(-1).lgamma() + (b.lgamma() - a.lgamma()).sum(-1)
    return normalizers + ((a - b) * (a.digamma() - total.digamma().unsqueeze(-1))).sum(-1)


@_same(Exponential)
def _exponential(p, q):
    ratio = q.rate / p.rate
    return ratio - ratio.log() - 1


@_same(Gamma)
def _gamma(p, q):
    a, b = p.concentration, q.concentration
    return b * (p.rate / q.rate).log() + b.lgamma() - a.lgamma() + (a - b) * a.digamma() + a * (q.rate / p.rate - 1)


@_same(Gumbel)
def _gumbel(p, q):
    ratio, shift = p.scale / q.scale, (q.loc - p.loc) / q.scale
    return -ratio.log() - shift - 1 - EULER + ratio * EULER + (shift + (1 + ratio).lgamma()).exp()


@_same(Geometric)
def _geometric(p, q):
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@_same(HalfNormal)
def _half_normal(p, q):
    return _normal(p.base_dist, q.base_dist)


@_same(Laplace)
def _laplace(p, q):
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * (-distance / p.scale).exp() - 1


@_same(Normal)
def _normal(p, q):
    ratio = (p.scale / q.scale) ** 2
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - ratio.log())


@_same(Pareto)
def _pareto(p, q):
    kl = q.alpha * (p.scale / q.scale).log() + (p.alpha / q.alpha).log() + q.alpha / p.alpha - 1
    return kl.where(p.scale >= q.scale, math.inf)


@_same(Poisson)
def _poisson(p, q):
    return xlogy(p.rate, p.rate) - xlogy(p.rate, q.rate) - (p.rate - q.rate)


@_same(TransformedDistribution)
def _transformed(p, q):
    if p.transforms != q.transforms:
        raise MissingError("the divergence of distributions with different transforms has no formula; give one with register_kl")
    if p.event_shape != q.event_shape:
        raise MissingError(f"the divergence of event shapes {p.event_shape} and {q.event_shape} is not defined")
    kl = kl_divergence(p.base_dist, q.base_dist)
    return sum_rightmost(kl, len(p.event_shape) - len(p.base_dist.event_shape)) if kl.ndim > len(p.batch_shape) else kl


@_same(Uniform)
def _uniform(p, q):
    return ((q.high - q.low) / (p.high - p.low)).log().where((q.low <= p.low) & (q.high >= p.high), math.inf)


@_same(Independent)
def _independent(p, q):
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise MissingError(f"the divergence of Independent of {p.reinterpreted_batch_ndims} and of {q.reinterpreted_batch_ndims} "
                           "dimensions has no formula; reinterpret the same number")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)
