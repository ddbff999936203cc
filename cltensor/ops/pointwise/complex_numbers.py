"""Complex numbers from their parts, and conjugates."""

import numpy as np

from ...codegen import expr as E
from ..kinds.elementwise import elementwise


def _pairs(rng):
    return [((rng.standard_normal((3, 4)), rng.standard_normal((3, 4))), {})]


complex = elementwise("complex_of", lambda real, imag: E.complex(E.real(real), E.real(imag)), dtypes="parts", makes_complex=True,
                      public=False, ref=lambda a, b: a + 1j * b, samples=_pairs, doc="real + i imag.")


def _polar(abs, angle):
    size, turn = E.real(abs), E.real(angle)
    return E.complex(size * E.cos(turn), size * E.sin(turn))


polar = elementwise("polar_of", _polar, dtypes="parts", makes_complex=True, public=False, ref=lambda r, t: r * np.exp(1j * t),
                    samples=_pairs, doc="abs e^(i angle).")
conj_physical = elementwise("conj_physical", lambda input: E.conj(input), ref=np.conj, public=False, complex=True,
                            doc="The complex conjugate, computed; a real number itself.")
