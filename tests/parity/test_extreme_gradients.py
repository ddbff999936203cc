"""Gradients of functions of one tensor at NaN, infinities and zeros, for gradients of 0, infinity and NaN: those of PyTorch."""

import numpy as np
import pytest

import cltensor as ct

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.device, pytest.mark.parity]

INF, NAN = float("inf"), float("nan")
AT = [NAN, INF, -INF, 0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.5, -2.5, 3.0, -3.0, 6.0]
ACTIVATIONS = """relu relu6 hardtanh hardswish hardsigmoid softshrink hardshrink tanhshrink softsign elu celu selu gelu silu mish
    softplus logsigmoid leaky_relu""".split()
FUNCTIONS = """floor ceil round trunc frac sign abs positive neg square sqrt rsqrt exp log sin cos tan atan asin acos sinh cosh
    tanh sigmoid erf erfc erfinv expm1 log1p log2 log10 exp2 reciprocal nan_to_num deg2rad lgamma digamma i0 sinc asinh acosh
    atanh logit""".split()
#: where cltensor differs: {name: (whether at x for a gradient g, why)}
DIFFERENT = {
    "tanhshrink": (lambda x, g: g == INF, "the slope is positive; PyTorch subtracts infinities"),
    "softsign": (lambda x, g: g == INF, "the slope is positive; PyTorch subtracts infinities"),
    "nan_to_num": (lambda x, g: not np.isfinite(x) and not np.isfinite(g), "nothing goes through; PyTorch multiplies by 0"),
    "digamma": (lambda x, g: x in (-1, -3), "a pole; PyTorch takes the sine of a rounded multiple of pi"),
    "i0": (lambda x, g: abs(x) == INF, "it grows beyond all bounds"),
    "sinc": (lambda x, g: x == 0 and not np.isfinite(g), "slope 0 times infinity is NaN; PyTorch multiplies nothing"),
    "logit": (lambda x, g: x == 0, "a pole, on whose side a zero's sign says"),
}


def slopes(library, function, g):
    x = library.tensor(AT, dtype=library.float32).requires_grad_()
    y = function(x)
    return np.array(library.autograd.grad(y, x, library.full_like(y, g))[0].tolist())


@pytest.mark.parametrize("g", [2.0, 0.0, INF, NAN])
@pytest.mark.parametrize("name", [*ACTIVATIONS, *FUNCTIONS])
def test_gradients_at_extremes(name, g):
    ours, theirs = (getattr(lib.nn.functional if name in ACTIVATIONS else lib, name) for lib in (ct, torch))
    found, expected = slopes(ct, ours, g), slopes(torch, theirs, g)
    differs, _ = DIFFERENT.get(name, (lambda x, g: False, ""))
    for x, a, b in zip(AT, found, expected, strict=True):
        if not differs(x, g):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4, err_msg=f"{name} at {x}")
