"""Where the scalar functions are smooth and well conditioned: (low, high) for each argument; DEFAULT where not listed."""

import numpy as np

from cltensor.codegen import expr

DEFAULT, POSITIVE, UNIT = (-2.0, 2.0), (0.1, 3.0), (-0.9, 0.9)
DOMAINS = {
    "div": (DEFAULT, POSITIVE), "floor_divide": (DEFAULT, (0.3, 2.0)), "trunc_divide": (DEFAULT, (0.3, 2.0)),
    "remainder": (DEFAULT, (0.3, 2.0)), "fmod": (DEFAULT, (0.3, 2.0)), "clamp": (DEFAULT, (-1.0, -0.5), (0.5, 1.0)),
    "sqrt": (POSITIVE,), "rsqrt": (POSITIVE,), "pow": (POSITIVE, DEFAULT), "log": (POSITIVE,), "log2": (POSITIVE,),
    "log10": (POSITIVE,), "log1p": ((-0.9, 3.0),), "xlogy": (DEFAULT, POSITIVE), "xlog1py": (DEFAULT, (-0.9, 3.0)),
    "logit": ((0.05, 0.95),), "acosh": ((1.1, 4.0),), "atanh": (UNIT,), "asin": (UNIT,), "acos": (UNIT,),
    "tan": ((-1.2, 1.2),), "atan2": (POSITIVE, DEFAULT), "hypot": (POSITIVE, DEFAULT), "erfinv": (UNIT,),
    "ndtri": ((0.05, 0.95),), "lgamma": ((0.1, 6.0),), "digamma": ((0.1, 6.0),), "trigamma": ((0.2, 6.0),),
    "zeta": ((1.5, 6.0), (0.3, 5.0)), "i1": ((0.1, 4.0),), "i1e": ((0.1, 4.0),), "i0e": ((0.1, 4.0),),
    **dict.fromkeys(("igamma", "igammac", "gamma_slope"), ((0.5, 6.0), (0.3, 6.0))),
    "beta_slope": ((0.05, 0.95), (0.5, 6.0), (0.5, 6.0)),
    **dict.fromkeys(("bessel_y0", "bessel_y1", "modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0",
                     "scaled_modified_bessel_k1"), ((0.5, 12.0),)),
    **{name: (DEFAULT, (0.0, 9.0)) for name in expr.FUNCTIONS if "_polynomial_" in name},
}


def domain(name):
    """(low, high) for each argument of function `name`."""
    return DOMAINS.get(name, (DEFAULT,) * expr.FUNCTIONS[name].arity)


def samples(name, rng, n):
    """n float64 values for each argument, as a dict x0, x1, ..."""
    return {f"x{i}": rng.uniform(*limits, n) for i, limits in enumerate(domain(name))}


def traced(name):
    """The function applied to inputs x0, x1, ..., as a node."""
    return expr.trace(lambda *args: expr.call(name, *args), expr.FUNCTIONS[name].arity)[0]


def close(actual, desired, rtol, atol):
    """assert_allclose after broadcasting: a folded gradient is one number for all elements."""
    actual, desired = np.broadcast_arrays(np.asarray(actual, np.float64), np.asarray(desired, np.float64))
    np.testing.assert_allclose(actual, desired, rtol=rtol, atol=atol)
