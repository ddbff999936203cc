"""Orthogonal polynomials of input; each element of n gives a degree, truncated to an integer; 0 for a negative degree.

Like PyTorch's, they have no gradients.
"""

from ...codegen import expr as E
from ...codegen import reference
from ..kinds.elementwise import elementwise


def _polynomial(name, doc):
    function = getattr(E, name)
    return elementwise(name, lambda input, n: function(input, n), dtypes="floating", public=False, ref=getattr(reference, name),
                       doc=doc)


def _shifted(name, of):
    function = getattr(E, of.name)
    return elementwise(name, lambda input, n: function(2 * input - 1, n), dtypes="floating", public=False,
                       ref=lambda x, n: of.ref(2 * x - 1, n), doc=f"{of.name} at 2 input - 1.")


chebyshev_polynomial_t = _polynomial("chebyshev_polynomial_t", "The Chebyshev polynomial of the first kind.")
chebyshev_polynomial_u = _polynomial("chebyshev_polynomial_u", "The Chebyshev polynomial of the second kind.")
chebyshev_polynomial_v = _polynomial("chebyshev_polynomial_v", "The Chebyshev polynomial of the third kind.")
chebyshev_polynomial_w = _polynomial("chebyshev_polynomial_w", "The Chebyshev polynomial of the fourth kind.")
shifted_chebyshev_polynomial_t = _shifted("shifted_chebyshev_polynomial_t", chebyshev_polynomial_t)
shifted_chebyshev_polynomial_u = _shifted("shifted_chebyshev_polynomial_u", chebyshev_polynomial_u)
shifted_chebyshev_polynomial_v = _shifted("shifted_chebyshev_polynomial_v", chebyshev_polynomial_v)
shifted_chebyshev_polynomial_w = _shifted("shifted_chebyshev_polynomial_w", chebyshev_polynomial_w)
hermite_polynomial_h = _polynomial("hermite_polynomial_h", "The physicists' Hermite polynomial.")
hermite_polynomial_he = _polynomial("hermite_polynomial_he", "The probabilists' Hermite polynomial.")
laguerre_polynomial_l = _polynomial("laguerre_polynomial_l", "Laguerre's polynomial.")
legendre_polynomial_p = _polynomial("legendre_polynomial_p", "Legendre's polynomial.")
