"""Divergences between distributions of different classes: -entropy of p less the mean of log q, where p lies in q's support."""

import math

from ...base.shapes import broadcast_shapes
from ...special import xlogy
from ..bernoulli import Bernoulli
from ..beta import Beta
from ..binomial import Binomial
from ..continuous_bernoulli import ContinuousBernoulli
from ..exponential import Exponential
from ..gamma import Gamma
from ..gumbel import EULER, Gumbel
from ..laplace import Laplace
from ..normal import Normal
from ..parameters import softplus
from ..pareto import Pareto
from ..poisson import Poisson
from ..uniform import Uniform
from .registry import register_kl


def _infinite(p, q):
    """p has probability outside of q's support."""
    return p._given[next(iter(p._given))].new_full(_batch(p, q), math.inf)


def _batch(p, q):
    return broadcast_shapes(tuple(p.batch_shape), tuple(q.batch_shape))


OUTSIDE = {
    Beta: (Pareto,), ContinuousBernoulli: (Pareto,),
    Exponential: (Beta, ContinuousBernoulli, Pareto, Uniform), Gamma: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gumbel: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Laplace: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Normal: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Pareto: (Beta, ContinuousBernoulli, Uniform), Poisson: (Bernoulli, Binomial),
}
for _kind, _others in OUTSIDE.items():
    for _other in _others:
        register_kl(_kind, _other)(_infinite)


def _of_log_exponential(q, mean):
    """The mean of log q for an exponential q."""
    return q.rate.log() - q.rate * mean


def _of_log_gamma(q, mean, mean_log):
    return q.concentration * q.rate.log() - q.concentration.lgamma() + (q.concentration - 1) * mean_log - q.rate * mean


def _of_log_normal(q, mean, variance):
    return -0.5 * (variance + (mean - q.loc) ** 2) / q.scale**2 - q.scale.log() - 0.5 * math.log(2 * math.pi)


def _of_log_beta(q, mean_log, mean_log_rest):
    a, b = q.concentration1, q.concentration0
    return (a - 1) * mean_log + (b - 1) * mean_log_rest + (a + b).lgamma() - a.lgamma() - b.lgamma()


def _of_log_continuous_bernoulli(q, mean):
    return mean * q.logits - softplus(q.logits) + q._log_norm()


def _of_log_gumbel(q, mean, mean_exp):
    """mean_exp: the mean of exp(-x / q.scale)."""
    return (q.loc - mean) / q.scale - (q.loc / q.scale).exp() * mean_exp - q.scale.log()


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p, q):
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


def _beta_logs(p):
    """The means of log x and of log(1 - x)."""
    total = (p.concentration1 + p.concentration0).digamma()
    return p.concentration1.digamma() - total, p.concentration0.digamma() - total


@register_kl(Beta, ContinuousBernoulli)
def _beta_continuous_bernoulli(p, q):
    return -p.entropy() - _of_log_continuous_bernoulli(q, p.mean)


@register_kl(Beta, Exponential)
def _beta_exponential(p, q):
    return -p.entropy() - _of_log_exponential(q, p.mean)


@register_kl(Beta, Gamma)
def _beta_gamma(p, q):
    return -p.entropy() - _of_log_gamma(q, p.mean, _beta_logs(p)[0])


@register_kl(Beta, Normal)
@register_kl(ContinuousBernoulli, Normal)
@register_kl(Exponential, Normal)
@register_kl(Gamma, Normal)
@register_kl(Gumbel, Normal)
@register_kl(Laplace, Normal)
@register_kl(Uniform, Normal)
def _any_normal(p, q):
    return -p.entropy() - _of_log_normal(q, p.mean, p.variance)


@register_kl(Beta, Uniform)
@register_kl(ContinuousBernoulli, Uniform)
def _unit_uniform(p, q):
    kl = -p.entropy() + (q.high - q.low).log()
    return kl.where((q.low <= 0) & (q.high >= 1), math.inf)


@register_kl(ContinuousBernoulli, Exponential)
def _continuous_bernoulli_exponential(p, q):
    return -p.entropy() - _of_log_exponential(q, p.mean)


@register_kl(Exponential, Gamma)
def _exponential_gamma(p, q):
    return -p.entropy() - _of_log_gamma(q, p.mean, -EULER - p.rate.log())


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p, q):
    rate = p.rate * q.scale
    return -p.entropy() - _of_log_gumbel(q, p.mean, rate / (rate + 1))


@register_kl(Gamma, Exponential)
def _gamma_exponential(p, q):
    return -p.entropy() - _of_log_exponential(q, p.mean)


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p, q):
    return -p.entropy() - _of_log_gumbel(q, p.mean, (1 + 1 / (p.rate * q.scale)) ** -p.concentration)


@register_kl(Normal, Gumbel)
def _normal_gumbel(p, q):
    return -p.entropy() - _of_log_gumbel(q, p.mean, (-p.loc / q.scale + 0.5 * (p.scale / q.scale) ** 2).exp())


@register_kl(Normal, Laplace)
def _normal_laplace(p, q):
    z = (p.loc - q.loc) / p.scale
    distance = p.scale * (math.sqrt(2 / math.pi) * (-0.5 * z**2).exp() + z * (math.sqrt(0.5) * z).erf())
    return -p.entropy() + (2 * q.scale).log() + distance / q.scale


@register_kl(Pareto, Exponential)
def _pareto_exponential(p, q):
    return (-p.entropy() - _of_log_exponential(q, p.mean)).where(p.alpha > 1, math.inf)


@register_kl(Pareto, Gamma)
def _pareto_gamma(p, q):
    kl = -p.entropy() - _of_log_gamma(q, p.mean, p.scale.log() + 1 / p.alpha)
    return kl.where(p.alpha > 1, math.inf)


@register_kl(Pareto, Normal)
def _pareto_normal(p, q):
    return (-p.entropy() - _of_log_normal(q, p.mean, p.variance)).where(p.alpha > 2, math.inf)


def _uniform_mean_log(low, high):
    """The mean of log x between low and high, at least 0."""
    return (xlogy(high, high) - xlogy(low, low)) / (high - low) - 1


@register_kl(Uniform, Beta)
def _uniform_beta(p, q):
    mean_log, mean_log_rest = _uniform_mean_log(p.low, p.high), _uniform_mean_log(1 - p.high, 1 - p.low)
    kl = -p.entropy() - _of_log_beta(q, mean_log, mean_log_rest)
    return kl.where((p.low >= 0) & (p.high <= 1), math.inf)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p, q):
    kl = -p.entropy() - _of_log_continuous_bernoulli(q, p.mean)
    return kl.where((p.low >= 0) & (p.high <= 1), math.inf)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p, q):
    return (-p.entropy() - _of_log_exponential(q, p.mean)).where(p.low >= 0, math.inf)


@register_kl(Uniform, Gamma)
def _uniform_gamma(p, q):
    kl = -p.entropy() - _of_log_gamma(q, p.mean, _uniform_mean_log(p.low, p.high))
    return kl.where(p.low >= 0, math.inf)


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p, q):
    mean_exp = ((-p.low / q.scale).exp() - (-p.high / q.scale).exp()) * q.scale / (p.high - p.low)
    return -p.entropy() - _of_log_gumbel(q, p.mean, mean_exp)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p, q):
    mean_log = _uniform_mean_log(p.low, p.high)
    kl = -p.entropy() - (q.alpha.log() + q.alpha * q.scale.log() - (q.alpha + 1) * mean_log)
    return kl.where(p.low >= q.scale, math.inf)
