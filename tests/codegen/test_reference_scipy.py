"""The NumPy references of special functions, which other tests trust, against SciPy's."""

import numpy as np
import pytest

from cltensor.codegen import reference

special = pytest.importorskip("scipy.special")

ANY, POSITIVE = np.linspace(-6, 6, 97), np.linspace(0.05, 12, 97)
INSIDE = np.linspace(-0.99, 0.99, 67)
POINTS = {
    "erfcx": (ANY,), "ndtri": ((INSIDE + 1) / 2,), "log_ndtr": (ANY,), "erfinv": (INSIDE,), "digamma": (POSITIVE,),
    "lgamma": (POSITIVE,), "zeta": (POSITIVE + 1.5, POSITIVE[::-1]), "igamma": (POSITIVE, POSITIVE[::-1]), "igammac": (POSITIVE, POSITIVE[::-1]),
    "i0": (ANY,), "i1": (ANY,), "i0e": (ANY,), "i1e": (ANY,), "xlogy": (POSITIVE, POSITIVE[::-1]), "xlog1py": (POSITIVE, POSITIVE[::-1]),
    "logit": ((INSIDE + 1) / 2,), "sigmoid": (ANY,), "trigamma": (POSITIVE,), "airy_ai": (ANY,),
}
NAMES = {"igamma": "gammainc", "igammac": "gammaincc", "lgamma": "gammaln", "sigmoid": "expit"}


def by_scipy(name, *arguments):
    if name == "trigamma":
        return special.polygamma(1, *arguments)
    if name == "airy_ai":
        return special.airy(*arguments)[0]
    return getattr(special, NAMES.get(name, name))(*arguments)


@pytest.mark.parametrize("name", sorted(POINTS))
def test_reference(name):
    found = np.array([getattr(reference, name)(*map(np.float64, at)) for at in zip(*POINTS[name], strict=True)], float)
    np.testing.assert_allclose(found, by_scipy(name, *POINTS[name]), rtol=2e-6, atol=1e-9)
