"""Gamma and von Mises numbers by rejection, and how gamma and Dirichlet numbers move with their parameters."""

import numpy as np

from ...codegen import expr as E
from ...codegen import reference
from ...codegen.templates import render
from ...dispatch.plan import In, Out, Value
from ...dispatch.run_elementwise import filled
from ..kinds.elementwise import elementwise
from ..kinds.kernel import kernel
from ..kinds.launch import step
from .distributions import flat_groups


def _shape(parameter, *, seed, offset):
    return parameter.dense()


def _launch(distribution, logarithm=False):
    def launch(specs, outs):
        profile = outs[0].device.profile
        source = render("rejection", style=profile.style, dtype=outs[0].dtype, distribution=distribution, logarithm=logarithm)
        return [step(source, parameter_p=In(0), out_p=Out(0), seed=Value(0, np.int64), offset=Value(1, np.int64), n=outs[0].numel,
                     groups=flat_groups(profile, outs[0].numel))]

    return launch


def _rejection(name, launch, **options):
    return kernel(name, shape=_shape, launch=launch, dtypes="floating", values=("seed", "offset"), public=False, ref=None,
                  **options)


gamma_slope = elementwise(
    "standard_gamma_grad",
    lambda input, output: E.gamma_slope(input, output),
    ref=reference.gamma_slope,
    dtypes="floating",
    public=False,
    samples=lambda rng: [((rng.random((3, 4)) * 4 + 0.2, rng.random((3, 4)) * 4 + 0.2), {})],
    doc="How a gamma distributed output moves with its parameter input, while its quantile stays.",
)
beta_slope = elementwise(
    "dirichlet_grad",
    lambda x, alpha, beta: E.beta_slope(x, alpha, beta),
    ref=reference.beta_slope,
    dtypes="floating",
    public=False,
    samples=lambda rng: [((rng.random((3, 4)) * 0.9 + 0.05, rng.random((3, 4)) * 4 + 0.2, rng.random((3, 4)) * 4 + 0.2), {})],
    doc="How a beta distributed x moves with its parameter alpha, while its quantile stays, divided by 1 - x.",
)
gamma = _rejection("standard_gamma_seeded", _launch("gamma"), saves="parameter y",
                   vjp=(lambda g, y, parameter, **_: g * gamma_slope(parameter, y),),
                   doc="A gamma distributed number of rate 1 for each parameter, contiguous, with implicit gradients.")
log_gamma = _rejection("log_standard_gamma_seeded", _launch("gamma", logarithm=True),
                       doc="The logarithm of a gamma distributed number for each parameter, contiguous; no gradient.")
von_mises = _rejection("von_mises_seeded", _launch("von_mises"), vjp=(lambda g, y, parameter, **_: filled(g._plain, parameter, 0),),
                       doc="An angle of von Mises' distribution around 0 for each concentration, contiguous; no gradient.")
