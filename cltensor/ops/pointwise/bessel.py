"""Bessel and Airy functions; like PyTorch's, they have no gradients."""

import numpy as np

from ...codegen import expr as E
from ...codegen import reference
from ..kinds.elementwise import elementwise


def _bessel(name, doc):
    function = getattr(E, name)
    return elementwise(name, lambda input: function(input), dtypes="floating", public=False, ref=getattr(reference, name), doc=doc)


def _sine_quotient(input):
    """sin(input) / input, by its series where the series is accurate."""
    v, series = input * input, 1
    for k in (210, 156, 110, 72, 42, 20, 6):
        series = 1 - v / k * series
    return E.where(E.abs(input) < 0.5, series, E.where(E.isinf(input), 0, E.sin(input) / input))


airy_ai = _bessel("airy_ai", "Airy's function Ai.")
bessel_j0 = _bessel("bessel_j0", "The Bessel function of the first kind of order 0.")
bessel_j1 = _bessel("bessel_j1", "The Bessel function of the first kind of order 1.")
bessel_y0 = _bessel("bessel_y0", "The Bessel function of the second kind of order 0; NaN below 0.")
bessel_y1 = _bessel("bessel_y1", "The Bessel function of the second kind of order 1; NaN below 0.")
modified_bessel_k0 = _bessel("modified_bessel_k0", "The modified Bessel function of the second kind of order 0; NaN below 0.")
modified_bessel_k1 = _bessel("modified_bessel_k1", "The modified Bessel function of the second kind of order 1; NaN below 0.")
scaled_modified_bessel_k0 = _bessel("scaled_modified_bessel_k0", "exp(input) modified_bessel_k0(input).")
scaled_modified_bessel_k1 = _bessel("scaled_modified_bessel_k1", "exp(input) modified_bessel_k1(input).")
spherical_bessel_j0 = elementwise(
    "spherical_bessel_j0",
    _sine_quotient,
    tensors="input",
    dtypes="floating",
    public=False,
    ref=lambda x: np.where(np.isinf(x), 0, np.sinc(x / np.pi)),
    doc="The spherical Bessel function of order 0: sin(input) / input, 1 at 0.",
)
