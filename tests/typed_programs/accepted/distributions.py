"""Distributions, their parameters, divergences and transforms."""

import cltensor as ct
from cltensor.distributions import Beta, Categorical, Distribution, Independent, Normal, TransformedDistribution, kl_divergence
from cltensor.distributions.transforms import ExpTransform


def loss(d: Distribution, x: ct.Tensor) -> ct.Tensor:
    return -d.log_prob(x).mean()


mean = ct.zeros(3, requires_grad=True)
posterior = Normal(mean, 1.0)
x: ct.Tensor = posterior.rsample((2,))
(loss(posterior, x) + kl_divergence(posterior, Normal(0.0, 1.0)).sum()).backward()
shape: ct.Size = Independent(posterior, 1).event_shape
category: ct.Tensor = Categorical(logits=ct.zeros(4)).sample()
positive = TransformedDistribution(posterior, ExpTransform())
print(positive.sample(), Beta(1.0, 2.0).mean, shape, category)
