"""Comparing a result with PyTorch's: structure, shape, dtype, values within a tolerance, sharing of memory."""

import numpy as np
import torch

import cltensor

#: (relative, absolute) by dtype; a result of a dtype not named here must agree exactly
TOLERANCES = {"float16": (2e-3, 1e-4), "bfloat16": (1.6e-2, 1e-3), "float32": (1e-5, 1e-5), "float64": (1e-7, 1e-8),
              "complex64": (1e-5, 1e-5), "complex128": (1e-7, 1e-8)}

#: {entry: ({dtype: (relative, absolute)}, reason)}
WIDER = {
    "cov": ({"float32": (5e-4, 1e-3), "float64": (5e-5, 1e-6)}, "PyTorch adds float32 weights of float64 values up in float32"),
    "matrix_exp": ({"float32": (5e-5, 1e-5)}, "repeated squaring spreads the rounding of the largest elements"),
    **dict.fromkeys(("special.bessel_j0", "special.bessel_j1", "special.bessel_y0", "special.bessel_y1"), (
        {"float64": (1e-4, 2e-6)}, "PyTorch's are off by up to 1e-6 above 5; tests/ops/test_bessel.py compares with SciPy's")),
}


class Difference(Exception):
    """A result is not PyTorch's."""


def tolerance(name, dtype):
    """(relative, absolute) tolerance for one entry and dtype."""
    base = name
    while base:
        if base in WIDER and dtype in WIDER[base][0]:
            return WIDER[base][0][dtype]
        base = base.rpartition(".")[0]
    return TOLERANCES.get(dtype, (0, 0))


def same(name, got, expected, where="result", values=True):
    """Raise Difference unless got (ours) is what PyTorch's expected says; `values` False compares only the outside."""
    if isinstance(expected, torch.Tensor):
        return _same_tensor(name, got, expected, where, values)
    if isinstance(expected, (list, tuple)):
        return _same_sequence(name, got, expected, where, values)
    if isinstance(expected, dict):
        for k in expected:
            same(name, got[k], expected[k], f"{where}[{k!r}]", values)
        return None
    if isinstance(expected, (bool, int, float, complex)) or expected is None:
        if isinstance(got, cltensor.Tensor) or type(got) is not type(expected):
            raise Difference(f"{where}: expected {expected!r}, got {got!r} of type {type(got).__name__}")
        if values and expected is not None:
            _same_values(np.asarray(got), np.asarray(expected), tolerance(name, "float64"), where)
    return None


def _same_sequence(name, got, expected, where, values):
    if not isinstance(got, (list, tuple)):
        raise Difference(f"{where}: expected {len(expected)} values, got a {type(got).__name__}")
    if len(got) != len(expected):
        raise Difference(f"{where}: expected {len(expected)} values, got {len(got)}")
    fields = [f for f in ("values", "indices", *getattr(expected, "_fields", ())) if hasattr(expected, f)]
    for f in fields if isinstance(expected, tuple) and type(expected) is not tuple else ():
        if not hasattr(got, f):
            raise Difference(f"{where}: PyTorch's result has the field .{f}, ours has not")
    for i, (g, e) in enumerate(zip(got, expected, strict=True)):
        same(name, g, e, f"{where}[{i}]", values)


def _same_tensor(name, got, expected, where, values):
    if expected.layout != torch.strided:
        if str(getattr(got, "layout", None)).partition(".")[2] != str(expected.layout).partition(".")[2]:
            raise Difference(f"{where}: expected a {expected.layout} tensor, got {got!r:.60}")
        got, expected = got.to_dense(), expected.to_dense()
    if not isinstance(got, cltensor.Tensor):
        raise Difference(f"{where}: expected a Tensor, got {type(got).__name__} {got!r:.60}")
    if tuple(got.shape) != tuple(expected.shape):
        raise Difference(f"{where}: expected shape {list(expected.shape)}, got {list(got.shape)}")
    dtype = str(expected.dtype).removeprefix("torch.")
    if got.dtype.name != dtype:
        raise Difference(f"{where}: expected dtype {dtype}, got {got.dtype.name}")
    if where.startswith("result") and expected.is_contiguous() and not got.is_contiguous():
        raise Difference(f"{where}: PyTorch's is contiguous, ours of shape {list(got.shape)} has strides {list(got.stride())}")
    if values:
        _same_values(host(got), torch_host(expected), tolerance(name, dtype), where)


def host(t):
    """One of our tensors as a NumPy array; bfloat16 as float32."""
    t = t.detach()
    return t.to(cltensor.base.dtypes.numpy_form(t.dtype)).numpy()


def torch_host(t):
    """A PyTorch tensor as a NumPy array; bfloat16 as float32."""
    t = t.detach().resolve_conj().resolve_neg()
    return (t.float() if t.dtype is torch.bfloat16 else t.cfloat() if t.dtype is torch.complex32 else t).numpy(force=True)


def _same_values(got, expected, tolerances, where):
    rtol, atol = tolerances
    with np.errstate(all="ignore"):
        floating = got.dtype.kind in "fc"
        close = np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True) if floating else got == expected
    if close.all():
        return
    wrong = np.argwhere(~close)
    at = tuple(wrong[0])
    raise Difference(f"{where}: {len(wrong)} of {got.size} values differ (shape {list(got.shape)}, {got.dtype}); "
                     f"at {list(map(int, at))} expected {expected[at]!r}, got {got[at]!r}")


def shares_memory(x, others):
    """Whether dense tensor x looks at the memory of one of the dense tensors `others`; for either library."""
    if str(x.layout).partition(".")[2] != "strided":
        return False
    others = [o for o in others if str(o.layout).partition(".")[2] == "strided"]
    if isinstance(x, torch.Tensor):
        pointers = {o.untyped_storage().data_ptr() for o in others if o.numel()}
        return x.numel() > 0 and x.untyped_storage().data_ptr() in pointers
    return x.numel() > 0 and any(x.untyped_storage() is o.untyped_storage() for o in others)
