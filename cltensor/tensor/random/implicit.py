"""Gamma, Dirichlet and von Mises numbers; those of gamma and Dirichlet follow their parameters by implicit gradients."""

from ...base import dtypes
from ...dispatch.run_planned import run_planned
from ...ops.kinds.composite import composite
from ...ops.random import rejection
from .sampling import default_generator


def _draw(op, parameter):
    return run_planned(op, (parameter.contiguous(),), (), default_generator.advance(parameter._spec.numel))


def standard_gamma(concentration):
    """A gamma distributed number of rate 1 for each concentration.  Gradients are implicit (Figurnov et al. 2018)."""
    return _draw(rejection.gamma, concentration)


def von_mises(concentration):
    """An angle in [-pi, pi] of von Mises' distribution around 0 for each concentration, without a gradient."""
    return _draw(rejection.von_mises, concentration)


def _dirichlet_gradient(g, y, concentration):
    """Where one of the fractions moves, the others shrink in proportion."""
    others = concentration.flip(-1) if y.shape[-1] == 2 else concentration.sum(-1, keepdim=True) - concentration
    return rejection.beta_slope(y, concentration, others) * (g - (y * g).sum(-1, keepdim=True))


@composite("dirichlet_drawn", public=False, saves="y concentration", dtypes="floating", vjp=(_dirichlet_gradient,))
def dirichlet(concentration):
    """Fractions with Dirichlet's distribution along the last dimension, from logarithms of gamma numbers."""
    fractions = _draw(rejection.log_gamma, concentration).softmax(-1)
    return fractions.clamp(min=dtypes.finfo(fractions.dtype).tiny)
