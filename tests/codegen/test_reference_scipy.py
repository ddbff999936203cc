"""The NumPy references of special functions, which other tests trust, against SciPy's."""

import numpy as np
import pytest

from cltensor.codegen import reference

special = pytest.importorskip("scipy.special")

ANY, POSITIVE = np.linspace(-6, 6, 97), np.linspace(0.05, 12, 97)
INSIDE = np.linspace(-0.99, 0.99, 67)
POINTS = {
    **dict.fromkeys(("erfcx", "log_ndtr", "i0", "i1", "i0e", "i1e", "sigmoid", "airy_ai"), (ANY,)),
    **dict.fromkeys(("ndtri", "logit"), ((INSIDE + 1) / 2,)),
    **dict.fromkeys(("digamma", "lgamma", "trigamma"), (POSITIVE,)),
    **dict.fromkeys(("igamma", "igammac", "xlogy", "xlog1py"), (POSITIVE, POSITIVE[::-1])),
    "erfinv": (INSIDE,), "zeta": (POSITIVE + 1.5, POSITIVE[::-1]),
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
