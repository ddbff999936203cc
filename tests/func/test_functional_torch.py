"""autograd.functional against PyTorch: results, and the class of errors, of calls at the edges."""

import warnings

import numpy as np
import pytest

import cltensor as ct

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.device, pytest.mark.any_style]

#: F: the module; m: the library; x: two ones; i: ones of int64
CALLS = [call for line in """
F.vjp(m.sin,x,x) | F.vjp(lambda a:m.ones(3),x,m.ones(3)) | F.vjp(lambda a,b:a.sin(),(x,x),x) | F.vjp(lambda a:(a*2,a*3),x,(x,x))
F.vjp(lambda a:a.sum(),x) | F.vjp(m.sin,x) | F.vjp(m.sin,x,(x,x)) | F.vjp(m.sin,x,m.ones(3)) | F.vjp(lambda a:3,x)
F.vjp(lambda a,b:a.sin(),(x,x),x,strict=True) | F.vjp(lambda a:m.ones(3),x,m.ones(3),strict=True)
F.jvp(m.sin,x,x) | F.jvp(lambda a:a.detach(),x,x) | F.jvp(lambda a,b:a*b,(x,x),(x,3*x)) | F.jvp(lambda a:a.sum(),x,x)
F.jvp(lambda a,b:a.sin(),(x,x),(x,x),strict=True) | F.jvp(lambda a:m.ones(3),x,x,strict=True) | F.jvp(m.sin,(x,),(x,x))
F.jvp(lambda a:(a.sin(),m.ones(2)),x,x,strict=True) | F.jvp(lambda a:(a.sin(),m.ones(2)),x,x) | F.jvp(m.sin,x) | F.jvp(m.sin,3,x)
F.jvp(lambda a:3,x,x) | F.jvp(m.sin,x,3) | F.jvp(m.sin,m.ones(1)) | F.jvp(m.sin,i,i)
F.jacobian(m.sin,x) | F.jacobian(lambda a,b:(a*b,a.sum()),(x,2*x)) | F.jacobian(lambda a:m.ones(3),x) | F.jacobian(m.sin,x[:1])
F.jacobian(lambda a:m.ones(3),x,strict=True) | F.jacobian(lambda a,b:a,(x,x),strict=True) | F.jacobian(m.sin,x,strategy='up')
F.hessian(lambda a:a.sin().sum(),x) | F.hessian(lambda a:a.sum(),x) | F.hessian(lambda a:m.ones(()),x) | F.hessian(m.sin,x)
F.hessian(lambda a:a.sum(),x,strict=True) | F.hessian(lambda a,b:(a*b).sum(),(x,2*x)) | F.hessian(lambda a:m.ones(()),x,strict=True)
F.vhp(lambda a:a.sin().sum(),x,x) | F.vhp(lambda a:a.sum(),x,x) | F.vhp(lambda a:a.sum(),x,x,strict=True) | F.vhp(m.sin,x,x)
F.vhp(lambda a:m.ones(()),x,x) | F.vhp(lambda a:a.sin().sum(),x) | F.vhp(lambda a:a.sin().sum(),x,m.ones(3))
F.vhp(lambda a:a.sin().sum().reshape(1),x,x) | F.vhp(lambda a,b:(a*a*b).sum(),(x,x),(x,2*x))
F.hvp(lambda a:a.sin().sum(),x,x) | F.hvp(lambda a:a.sum(),x,x) | F.hvp(lambda a:a.sum(),x,x,strict=True) | F.hvp(m.sin,x,x)
F.hvp(lambda a:m.ones(()),x,x,strict=True) | F.hvp(lambda a:a.sin().sum(),x) | F.hvp(lambda a:a.sin().sum(),x,m.ones(3))
F.hvp(lambda a,b:(a*a*b).sum(),(x,x),(x,2*x))
""".strip().splitlines() for call in line.split(" | ")]


def outcome(library, call):
    """The result of a call as nested tuples of arrays, or its error."""
    names = {"m": library, "F": library.autograd.functional, "x": library.ones(2), "i": library.ones(2, dtype=library.int64)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return arrays(eval(call, names))
        except Exception as error:
            return error


def arrays(result):
    return tuple(map(arrays, result)) if isinstance(result, tuple) else result.detach().numpy()


@pytest.mark.parametrize("call", CALLS)
def test_as_in_pytorch(call):
    found, wanted = outcome(ct, call), outcome(torch, call)
    if isinstance(wanted, Exception):
        assert isinstance(found, type(wanted)), f"{found!r}; PyTorch {wanted!r}"
    else:
        assert not isinstance(found, Exception), repr(found)
        same(found, wanted)


def same(found, wanted):
    assert type(found) is type(wanted)
    if isinstance(wanted, tuple):
        for f, w in zip(found, wanted, strict=True):
            same(f, w)
    else:
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-7)
        assert found.shape == wanted.shape
