"""Pointwise operators of PyTorch's database at NaN, infinities, signed zeros, ends of domains and subnormal numbers: PyTorch's
values, and finite gradients wherever PyTorch's are finite; the same for empty and 0-d tensors.  Intended differences are listed."""

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
SUBNORMAL = 1e-40  # not a divisor: PyTorch's vectorised division flushes it to 0

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


def _run(fn, inputs, arguments, library, grad=True):
    """(value, gradients of its sum, none of them where there are none) of one library."""
    inputs = [t.requires_grad_(grad) for t in inputs]
    args, kwargs = arguments
    y = fn(*inputs, *args, **kwargs)
    y = y[0] if isinstance(y, (tuple, list)) else y
    if not y.requires_grad:
        return y, ()
    return y, library.autograd.grad(y, inputs, library.ones_like(y), allow_unused=True)


def _expected(op, inputs):
    """What PyTorch gives, without gradients where an input has none.  Skips what it does not do with these inputs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for grad in (True, False):
            try:
                return _run(op.op, [t.clone() for t in inputs], _arguments(op), torch, grad)
            except (RuntimeError, TypeError) as error:
                refusal = error
    pytest.skip(f"PyTorch: {refusal}"[:100])


def _arguments(op):
    """The arguments of the entry's first sample that are no tensors: (positional, by keyword)."""
    sample = next(iter(op.sample_inputs("cpu", torch.float32)))
    args = () if isinstance(op, BinaryUfuncInfo) else sample.args
    return args, {} if any(isinstance(v, torch.Tensor) for v in sample.kwargs.values()) else sample.kwargs


def _implementation(op):
    try:
        return implementation(op)
    except Missing as error:
        pytest.skip(str(error))


def _array(t):
    return np.asarray(t.detach().tolist())


def test_the_lists_name_entries_of_the_database():
    assert not {*VALUES, *GRADIENTS} - set(_pointwise())


@pytest.mark.parametrize("name", _pointwise())
def test_edges(name):
    op = entries()[name]
    ours, inputs = _implementation(op), _inputs(op)
    right, slopes = _expected(op, inputs)
    found, gradients = _run(ours, Converter()(inputs), Converter()(_arguments(op)), cltensor)
    at = np.stack([_array(t) for t in inputs], -1)
    if name not in VALUES:
        a, b = _array(found), _array(right)
        near = np.isclose(a, b, rtol=1e-4, atol=1e-6, equal_nan=True) if a.dtype.kind in "fc" else a == b
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
    ours, inputs = _implementation(op), [torch.full(shape, 0.5) for _ in _inputs(op)]
    right, slopes = _expected(op, inputs)
    found, gradients = _run(ours, Converter()(inputs), Converter()(_arguments(op)), cltensor)
    assert tuple(found.shape) == tuple(right.shape)
    assert bool(gradients) >= bool(slopes)
    for g, wanted in zip(gradients, slopes, strict=False):
        assert g is None or wanted is None or tuple(g.shape) == tuple(wanted.shape)
