"""Calls that PyTorch refuses: cltensor refuses them too, with an error that the same `except` clause catches."""

import warnings

import numpy as np
import pytest

import cltensor
from tensor.bad_calls import CALLS

torch = pytest.importorskip("torch")

pytestmark = [pytest.mark.device, pytest.mark.any_style]

CLASSES = (IndexError, TypeError, ValueError, NotImplementedError, AttributeError, AssertionError, KeyError, ZeroDivisionError,
           OSError, StopIteration, RuntimeError)


def refusal(m, call):
    """The error that `call` raises in library m, at the call or when its values are read."""
    x = m.arange(6.0).reshape(2, 3)
    names = {"m": m, "np": np, "F": m.nn.functional, "x": x, "i": x.long(), "r": x.clone().requires_grad_()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            eval(call, names)
            m.ones(1).tolist()
        except Exception as error:
            return error
    return None


@pytest.mark.parametrize("call", CALLS)
def test_the_same_except_clause_catches_it(call):
    theirs, ours = refusal(torch, call), refusal(cltensor, call)
    if theirs is None:
        pytest.skip("this version of PyTorch does it")
    assert ours is not None
    wanted = next((c for c in CLASSES if type(theirs) is c), next(c for c in CLASSES if isinstance(theirs, c)))
    assert isinstance(ours, wanted), f"PyTorch raises {type(theirs).__name__}: {theirs}; cltensor {type(ours).__name__}: {ours}"
