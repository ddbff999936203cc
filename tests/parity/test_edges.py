"""Pointwise operators of PyTorch's database at NaN, infinities, signed zeros, ends of domains and subnormal numbers: PyTorch's
values, and gradients that are finite where PyTorch's are; as for empty and 0-d tensors.  What differs on purpose is listed."""

import warnings

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("expecttest", reason="PyTorch's operator database needs expecttest")

import torch

import cltensor

from . import listed, runner
from .convert import Converter
from .database import Missing, entries, implementation

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyTorch's test modules warn of packages they can do without
    from torch.testing._internal.opinfo.core import BinaryUfuncInfo, UnaryUfuncInfo

pytestmark = [pytest.mark.device, pytest.mark.parity]
POINTS = [float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 3.0]
SUBNORMAL = 1e-40  # as the second of two it would be what PyTorch divides by, which it then does in vectors that lose it

#: entries whose values differ somewhere, and why
VALUES = {
    **dict.fromkeys(["i0", "special.modified_bessel_i0", "special.modified_bessel_i1", "special.i1"],
                    "infinite at infinity; PyTorch's is NaN"),
    **dict.fromkeys(["special.zeta", "igamma", "igammac"], "the limit, where PyTorch's is NaN or another"),
    **dict.fromkeys(["digamma", *(f"polygamma.polygamma_n_{n}" for n in range(5)), "special.polygamma.special_polygamma_n_0"],
                    "poles of negative integers, and infinity"),
    **dict.fromkeys([f"special.{p}_polynomial_{kind}" for p, kind in (
        ("chebyshev", "u"), ("chebyshev", "w"), ("shifted_chebyshev", "u"), ("shifted_chebyshev", "w"), ("laguerre", "l"),
        ("legendre", "p"))],
                    "NaN at NaN, whatever the degree"),
    **dict.fromkeys(["nn.functional.hardswish", "nn.functional.gelu"], "0 at minus infinity, the limit; PyTorch's is NaN"),
}

#: entries whose gradients are not finite where PyTorch's are, and why
GRADIENTS = {"digamma": "infinite at the poles; PyTorch's is a large number there"}


def _pointwise():
    left_out = {*listed.read(), *runner.RANDOM, "nn.functional.rrelu"}
    return [name for name, op in entries().items() if isinstance(op, (UnaryUfuncInfo, BinaryUfuncInfo))
            and torch.float32 in op.supported_dtypes("cpu") and name not in left_out]


def _inputs(op):
    if isinstance(op, UnaryUfuncInfo):
        return [torch.tensor([*POINTS, SUBNORMAL])]
    return [t.reshape(-1).clone() for t in torch.meshgrid(torch.tensor(POINTS), torch.tensor(POINTS), indexing="ij")]


def _run(fn, inputs, settings, library):
    """(value, gradients of its sum, none of them where there are none) of one library."""
    inputs = [t.requires_grad_() for t in inputs]
    y = fn(*inputs, **settings)
    y = y[0] if isinstance(y, (tuple, list)) else y
    if not y.requires_grad:
        return y, ()
    return y, library.autograd.grad(y, inputs, library.ones_like(y), allow_unused=True)


def _settings(op):
    """The keyword arguments of the entry's first sample."""
    sample = next(iter(op.sample_inputs("cpu", torch.float32)))
    return sample.kwargs if not any(isinstance(v, torch.Tensor) for v in sample.kwargs.values()) else {}


def _array(t):
    return np.asarray(t.detach().tolist())


@pytest.mark.parametrize("name", _pointwise())
def test_edges(name):
    op = entries()[name]
    try:
        ours = implementation(op)
    except Missing as error:
        pytest.skip(str(error))
    settings, inputs = _settings(op), _inputs(op)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            right, slopes = _run(op.op, [t.clone() for t in inputs], settings, torch)
    except (RuntimeError, TypeError) as error:
        pytest.skip(f"PyTorch: {error}"[:100])
    found, gradients = _run(ours, Converter()(inputs), Converter()(settings), cltensor)
    at = np.stack([_array(t) for t in inputs], -1)
    if name not in VALUES:
        a, b = _array(found), _array(right)
        near = np.isclose(a, b, rtol=1e-4, atol=1e-6, equal_nan=True) if a.dtype.kind == "f" else a == b
        assert near.all(), f"{at[~near][:3].tolist()}: {a[~near][:3]}, PyTorch {b[~near][:3]}"
    for i, (g, wanted) in enumerate(zip(gradients, slopes, strict=False)):  # a few functions have gradients here only
        if wanted is None or g is None or name in GRADIENTS:
            continue
        g, wanted = _array(g), _array(wanted + 0)  # which may be a tensor of zeros that holds no memory
        bad = np.isfinite(wanted) & ~np.isfinite(g) & ~np.isnan(at).any(-1)
        assert not bad.any(), f"gradient of input {i} at {at[bad][:3].tolist()}: {g[bad][:3]}, PyTorch {wanted[bad][:3]}"


@pytest.mark.parametrize("shape", [(0, 3), ()], ids=["empty", "0-d"])
@pytest.mark.parametrize("name", _pointwise())
def test_shapes(name, shape):
    op = entries()[name]
    inputs = [torch.full(shape, 0.5) for _ in _inputs(op)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            right, slopes = _run(op.op, [t.clone() for t in inputs], _settings(op), torch)
        ours = implementation(op)
    except (RuntimeError, TypeError, Missing):
        return
    found, gradients = _run(ours, Converter()(inputs), Converter()(_settings(op)), cltensor)
    assert tuple(found.shape) == tuple(right.shape)
    assert bool(gradients) >= bool(slopes)
    for g, wanted in zip(gradients, slopes, strict=False):
        assert g is None or wanted is None or tuple(g.shape) == tuple(wanted.shape)
