"""Observed sizes: whatever way a program gets at a number, what was captured for some sizes is never taken for others wrongly."""

import fractions
import math
import operator
import subprocess
import sys
import warnings

import numpy as np
import pytest

import cltensor as ct
from cltensor.base.observed_sizes import Observations, observing
from cltensor.compiler import compile
from cltensor.nn import functional as F

pytestmark = [pytest.mark.device, pytest.mark.any_style]

ORDERS = (8, 9, 12, 5, 16, 4, 30), (4, 6, 10, 13, 32, 5), (20, 16, 7, 4, 2)

#: questions about the number of rows n, the number itself or a tensor's rows
ASKED = {
    "int": lambda n, x: int(n) > 10, "and": lambda n, x: n & 8, "shift": lambda n, x: n >> 3, "xor": lambda n, x: (1 ^ n) > 10,
    "bit_length": lambda n, x: n.bit_length() > 3, "log2": lambda n, x: math.log2(n) > 3.1, "isqrt": lambda n, x: math.isqrt(n) > 2,
    "gcd": lambda n, x: math.gcd(n, 12) == 12, "ceil": lambda n, x: math.ceil(n / 2) > 5, "round": lambda n, x: round(n / 3, 1) > 5,
    "floor": lambda n, x: math.floor(n / 2) > 5, "abs": lambda n, x: abs(+n) > 10, "invert": lambda n, x: ~n < -10,
    "index": lambda n, x: operator.index(n) > 10, "text": lambda n, x: len(str(n)) > 1, "format": lambda n, x: len(f"{n}") > 1,
    "range": lambda n, x: len(range(n)) > 10, "list": lambda n, x: len([0] * n) > 10,
    "numpy": lambda n, x: np.arange(n).sum() > 50, "prod": lambda n, x: np.prod(x.shape) > 30, "hash": lambda n, x: hash(n) > 9,
    "place": lambda n, x: ([0] * 11 + [1] * 30)[n], "dict": lambda n, x: n in {12: 1}, "count": lambda n, x: x.shape.count(12),
    "shape": lambda n, x: x.shape == (12, 3), "slice": lambda n, x: x.shape == x[:12].shape, "divmod": lambda n, x: divmod(9, n)[0],
    "pow": lambda n, x: pow(n, 2, 1000) > 100, "whole": lambda n, x: (n / 2).is_integer(), "real": lambda n, x: n.real > 10,
    "fraction": lambda n, x: fractions.Fraction(n, 2) > 5, "bytes": lambda n, x: n.to_bytes(2, "big") > b"\0\x0a",
    "split": lambda n, x: len(x.split(2)) > 5, "unbind": lambda n, x: len(x.unbind()) > 10, "rows": lambda n, x: len(list(x)) > 10,
    "stride": lambda n, x: x.t().contiguous().stride(0) > 10, "nbytes": lambda n, x: x.nbytes > 150,
    "same": lambda n, x: x.is_same_size(ct.zeros(12, 3)), "chunk": lambda n, x: len(x.chunk(12)) > 10,
}

PROGRAMS = {
    "row": lambda x: x[5] * 2, "first": lambda x: x[:5] * 2, "many": lambda x: x[:9] * 2, "last": lambda x: x[-6:] * 2,
    "from the end": lambda x: x[-6] * 2, "rest": lambda x: x[5:].exp(), "narrow": lambda x: x.narrow(0, 2, 6) * 2,
    "select": lambda x: x.select(0, 7) * 2, "topk": lambda x: x.topk(6, 0).values * 2, "unfold": lambda x: x.unfold(0, 6, 2) * 2,
    "every other": lambda x: x[::2] * 2, "every third": lambda x: x[1::3] * 2, "diagonal": lambda x: x.diagonal(-5) * 2,
    "chunk": lambda x: x.chunk(3)[0] * 2, "last chunk": lambda x: x.chunk(3)[-1] * 2, "split": lambda x: x.split(4)[-1] * 2,
    "tensor_split": lambda x: ct.tensor_split(x, 3)[1] * 2, "kthvalue": lambda x: x.kthvalue(6, 0).values * 2,
    "median": lambda x: x.median(0).values * 2, "irfft": lambda x: ct.fft.irfft(ct.fft.rfft(x, dim=0), dim=0) * 2,
    "arange": lambda x: ct.arange(0, x.shape[0], 3) * 1.5, "quotient": lambda x: x * (x.shape[0] // 4),
    "remainder": lambda x: x * (x.shape[0] % 4), "split by indices": lambda x: ct.tensor_split(x, [3, 9])[1] * 2,
    "strided": lambda x: x.as_strided((6, 2), (3, 1)) * 2, "pool": lambda x: F.max_pool1d(x.t()[None], 6, 2) * 2,
    "reshape": lambda x: x.reshape(3, 2, -1) * 2, "randperm": lambda x: ct.randperm(x.shape[0]).sort().values * 2,
    "cat": lambda x: ct.cat([x, x[:4]])[::3] * 2, "interpolate": lambda x: F.interpolate(x.t()[None], scale_factor=1.5) * 2,
}


def outcome(fn, *args):
    """What fn returns as an array, or (the class of its error, its text)."""
    try:
        return fn(*args).numpy()
    except Exception as error:
        return type(error), str(error)


def check(fn):
    """As a program for all sizes fn gives what it gives eagerly, errors included.  Returns the captures for each order."""
    captures = []
    for order in ORDERS:
        compiled = compile(fn, dynamic=True)
        for n in order:
            x = ct.tensor(np.random.default_rng(n).standard_normal((n, 3), dtype=np.float32))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of many captures
                found, wanted = outcome(compiled, x), outcome(fn, x)
            assert type(found) is type(wanted), n
            if isinstance(wanted, tuple):
                assert found == wanted
            else:
                np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5, err_msg=str(n))
        captures.append(compiled.captures)
    return captures


@pytest.mark.parametrize("name", ASKED)
def test_questions_about_a_number(name):
    asked = ASKED[name]
    check(lambda x: x * (2.0 if asked(x.shape[0], x) else 3.0))


@pytest.mark.parametrize("name", PROGRAMS)
def test_sizes_that_follow_no_simple_rule(name):
    check(PROGRAMS[name])


@pytest.mark.parametrize("fn", [lambda x: x[5] * 2, lambda x: x * (x.shape[0] - 1) / x.numel(), lambda x: ct.eye(x.shape[0]) @ x,
                                lambda x: x.median(0).values * 2, lambda x: x.reshape(-1, x.shape[0]).flip(0)])
def test_what_is_known_by_formula_needs_two_captures(fn):
    assert min(check(fn)) == 2


def test_numbers_pass_for_ints_and_floats():
    with Observations():
        n = ct.zeros(6, 4).shape[0]
        assert isinstance(n, int)
        assert isinstance(n / 2, float)
        assert type(int(n)) is type(n.__index__()) is int
        assert (n.real, n.imag, n.numerator, n.denominator, (n / 4).real, n.conjugate()) == (6, 0, 6, 1, 1.5, 6)
        assert (pow(n, 2, 5), pow(2, n), divmod(n, 4), divmod(20, n), abs(-n), round(n), ~n) == (1, 64, (1, 2), (3, 2), 6, 6, -7)
        assert (math.ceil(n / 4), math.floor(n / 4), math.trunc(n / 4), round(n / 4, 1)) == (2, 1, 1, 1.5)
        assert [1] * n == [1, 1, 1, 1, 1, 1]
        assert (str(n), f"{n:3d}", repr(n / 4)) == ("6", "  6", "1.5")
        assert np.zeros(n).shape == (6,)
        assert n + 1.5 == 7.5
        with pytest.raises(TypeError):
            n + "x"
    assert not observing


def test_a_length_is_noted_where_functions_ask_classes_of_tensors():
    """A class with __torch_function__ puts a call of the library between len() and what notes it."""
    script = """
import cltensor as ct
from cltensor.base.observed_sizes import Observations

class Mine(ct.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return super().__torch_function__(func, types, args, kwargs)

x = ct.ones(5, 2)
with Observations() as seen:
    len(x)
print(seen.questions())
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert run.stdout == "(('is', ('size', 0), 5, True),)\n"
