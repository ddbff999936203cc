"""ExponentialFamily: distributions of the form exp(eta . t(x) - A(eta) + carrier(x))."""

from ..autograd.api import grad
from ..autograd.modes import enable_grad
from ..tensor import Tensor
from .distribution import Distribution
from .parameters import sum_rightmost


class ExponentialFamily(Distribution):
    """A distribution with density exp(sum of eta_i t_i(x) - A(eta) + k(x)) for natural parameters eta.

    A subclass defines `_natural_params` (a tuple of tensors of shape (*batch_shape, ...) and a floating dtype), `_log_normalizer`,
    the function A of them, and `_mean_carrier_measure`, the mean of k; from them follow `entropy` and the divergence of two of
    the class, by the gradient of A.  Raises MissingError where it does not.  Source: Nielsen and Nock 2010, "Entropies and
    cross-entropies of exponential families".

        Gamma(2.0, 1.0).entropy()
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise self._missing("_natural_params")

    def _log_normalizer(self, *natural_params):
        raise self._missing("_log_normalizer")

    @property
    def _mean_carrier_measure(self) -> float:
        raise self._missing("_mean_carrier_measure")

    def _normalizer_and_mean(self):
        """(natural parameters as leaves, A of them, its gradients: the means of the t_i)."""
        with enable_grad():
            eta = [p.detach().requires_grad_() if not p.requires_grad else p for p in self._natural_params]
            log_normalizer = self._log_normalizer(*eta)
            return eta, log_normalizer, grad(log_normalizer.sum(), eta, create_graph=True)

    def entropy(self) -> Tensor:
        """See Distribution."""
        eta, log_normalizer, means = self._normalizer_and_mean()
        result = log_normalizer - self._mean_carrier_measure
        for e, mean in zip(eta, means, strict=True):
            result = result - sum_rightmost(e * mean, e.ndim - len(self._batch_shape))
        return result if any(p.requires_grad for p in self._natural_params) else result.detach()
