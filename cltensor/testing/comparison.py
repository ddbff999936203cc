"""assert_close: whether two results agree within a tolerance, and what to say where they do not.

Elements are compared on their device; only where some differ are numbers read for the message.
"""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base import calls, dtypes
from ..base.errors import ArgumentError, ArgumentTypeError
from ..tensor import Tensor
from ..tensor.api.creation import as_tensor
from ..tensor.math.pointwise import isclose

#: dtype -> (relative, absolute) tolerance; results of other dtypes must be equal
TOLERANCES = {dtypes.float16: (1e-3, 1e-5), dtypes.bfloat16: (1.6e-2, 1e-5), dtypes.float32: (1.3e-6, 1e-5),
              dtypes.float64: (1e-7, 1e-7), dtypes.complex32: (1e-3, 1e-5), dtypes.complex64: (1.3e-6, 1e-5),
              dtypes.complex128: (1e-7, 1e-7)}
_EXACT = (0.0, 0.0)


@dataclass(frozen=True)
class _Rules:
    """The arguments of assert_close that say what counts as close."""

    allow_subclasses: bool
    rtol: float | None
    atol: float | None
    equal_nan: bool
    check_device: bool
    check_dtype: bool
    check_layout: bool
    check_stride: bool

    def tolerances(self, *kinds):
        """(rtol, atol): those given, else the widest of these dtypes'."""
        if self.rtol is not None:
            return self.rtol, self.atol
        return tuple(map(max, zip(*(TOLERANCES.get(d, _EXACT) for d in kinds), strict=True)))


class _Mismatch(Exception):
    """Two results differ; `path` are the indices and keys of where."""

    def __init__(self, text, path):
        super().__init__(text)
        self.text = text + (f"\n\nThe failure occurred for item {_subscripts(path)}" if path else "")


def _subscripts(path):
    return "".join(f"[{key!r}]" for key in path)


def assert_close(actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None,
                 atol: float | None = None, equal_nan: bool = False, check_device: bool = True, check_dtype: bool = True,
                 check_layout: bool = True, check_stride: bool = False,
                 msg: str | Callable[[str], str] | None = None) -> None:
    """Raise AssertionError unless |actual - expected| <= atol + rtol * |expected| in every element.

    actual and expected: tensors of the same shape and dtype, NumPy arrays, Python numbers, bools, None, or sequences and mappings
    of these, nested.  Without rtol and atol the dtype decides: (1e-3, 1e-5) for float16, (1.6e-2, 1e-5) for bfloat16,
    (1.3e-6, 1e-5) for float32, (1e-7, 1e-7) for float64 and Python floats, equality for ints and bools; complex dtypes as their
    parts.  The message counts the elements that differ and names the greatest absolute and relative difference and where they are;
    msg replaces it, or makes another of it.  Elements are compared on the device of expected.

    Raises AssertionError for results that differ; ArgumentTypeError for objects that cannot be compared; ArgumentError where
    only one tolerance is given, or a negative one.
    Source: the criterion of numpy.isclose, with expected as the reference.

        testing.assert_close(cltensor.tensor([1.0, 2.0]), cltensor.tensor([1.0, 2.0 + 1e-7]))
    """
    if (rtol is None) != (atol is None):
        raise ArgumentError(f"assert_close: Both 'rtol' and 'atol' must be either specified or omitted, but got no "
                            f"{'rtol' if rtol is None else 'atol'}.")
    if rtol is not None and not (rtol >= 0 and atol >= 0):
        raise ArgumentError(f"assert_close: tolerances must not be negative, got rtol={rtol} and atol={atol}")
    rules = _Rules(allow_subclasses, rtol, atol, equal_nan, check_device, check_dtype, check_layout, check_stride)
    try:
        _compare(actual, expected, rules, ())
    except _Mismatch as e:
        raise AssertionError(e.text if msg is None else msg(e.text) if callable(msg) else str(msg)) from None


def assert_allclose(actual: Any, expected: Any, rtol: float | None = None, atol: float | None = None, equal_nan: bool = True,
                    msg: str = "") -> None:
    """assert_close as it once was: NaN equals NaN, dtypes may differ, and numbers and lists count as tensors.

    actual, expected: tensors, or what makes one, of any shape and dtype that assert_close takes.
    Raises AssertionError for results that differ; warns that assert_close is to be used instead.
    Source: see assert_close.

        testing.assert_allclose(cltensor.ones(2), [1.0, 1.0])    # FutureWarning
    """
    warnings.warn("assert_allclose is deprecated; use assert_close", FutureWarning, stacklevel=2)
    expected = expected if isinstance(expected, Tensor) else as_tensor(expected)
    actual = actual if isinstance(actual, Tensor) else as_tensor(actual, dtype=expected.dtype)
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, msg=msg or None)


def _compare(actual, expected, rules, path):
    if _is_sequence(actual) and _is_sequence(expected):
        return _compare_sequences(actual, expected, rules, path)
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        return _compare_mappings(actual, expected, rules, path)
    for applies, compare in _PAIRS:
        if applies(actual, expected, rules):
            return compare(actual, expected, rules, path)
    place = f"\n\nThe failure occurred for item {_subscripts(path)}" if path else ""
    raise ArgumentTypeError(f"assert_close: No comparison pair was able to handle inputs of type {type(actual)} and "
                            f"{type(expected)}.{place}")


def _is_sequence(x):
    return isinstance(x, Sequence) and not isinstance(x, (str, bytes))


def _compare_sequences(actual, expected, rules, path):
    if len(actual) != len(expected):
        raise _Mismatch(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", path)
    for i, (a, b) in enumerate(zip(actual, expected, strict=True)):
        _compare(a, b, rules, (*path, i))


def _compare_mappings(actual, expected, rules, path):
    missing, more = _sorted(expected.keys() - actual.keys()), _sorted(actual.keys() - expected.keys())
    if missing or more:
        raise _Mismatch("The keys of the mappings do not match:"
                        + (f"\nMissing keys in the actual mapping: {missing}" if missing else "")
                        + (f"\nAdditional keys in the actual mapping: {more}" if more else ""), path)
    for key in _sorted(expected.keys()):
        _compare(actual[key], expected[key], rules, (*path, key))


def _sorted(keys):
    """Keys in order, or as they come where they have none."""
    try:
        return sorted(keys)
    except TypeError:
        return list(keys)


def _compare_none(actual, expected, rules, path):
    if actual is not expected:
        raise _Mismatch(f"None mismatch: {_shown(actual)} is not {_shown(expected)}", path)


def _shown(x):
    return x.item() if isinstance(x, Tensor) and x.numel() == 1 else x


def _compare_bools(actual, expected, rules, path):
    if bool(actual) is not bool(expected):
        raise _Mismatch(f"Booleans mismatch: {bool(actual)} is not {bool(expected)}", path)


def _compare_numbers(actual, expected, rules, path):
    actual, expected = (x.item() if isinstance(x, np.generic) else x for x in (actual, expected))
    if rules.check_dtype and type(actual) is not type(expected):
        raise _Mismatch(f"The (d)types do not match: {type(actual)} != {type(expected)}.", path)
    exact = isinstance(actual, int) and isinstance(expected, int)
    rtol, atol = rules.tolerances(*([dtypes.int64] if exact else [dtypes.float64]))
    if actual == expected or (rules.equal_nan and actual != actual and expected != expected):
        return
    absolute = abs(actual - expected)
    if not (absolute <= atol + rtol * abs(expected) and absolute != float("inf")):
        relative = absolute / abs(expected) if expected else float("inf")
        raise _Mismatch(_scalar_text(actual, expected, absolute, relative, rtol, atol), path)


def _scalar_text(actual, expected, absolute, relative, rtol, atol):
    return (f"Scalars are not {_word(rtol, atol)}!\n\nExpected {expected} but got {actual}.\n"
            f"Absolute difference: {absolute}{_allowed(atol, rtol or atol)}\n"
            f"Relative difference: {relative}{_allowed(rtol, rtol or atol)}")


def _word(rtol, atol):
    return "close" if rtol or atol else "equal"


def _allowed(tolerance, inexact):
    return f" (up to {tolerance} allowed)" if inexact else ""


def _compare_tensors(actual, expected, rules, path):
    actual, expected = (x.detach() if isinstance(x, Tensor) else as_tensor(x) for x in (actual, expected))
    _compare_descriptions(actual, expected, rules, path)
    if expected.is_meta or actual.is_meta:
        return
    rtol, atol = rules.tolerances(actual.dtype, expected.dtype)
    actual = actual.to(expected.device)
    if actual.dtype is not expected.dtype:
        promoted = dtypes.promote_types(actual.dtype, expected.dtype)
        actual, expected = actual.to(promoted), expected.to(promoted)
    close = isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=rules.equal_nan)
    if not bool(close.all()):
        raise _Mismatch(_tensor_text(actual, expected, close, rtol, atol), path)


def _compare_descriptions(actual, expected, rules, path):
    pairs = [("shape", _size(actual), _size(expected))]
    if rules.check_layout:
        pairs.append(("layout", actual.layout, expected.layout))
    if rules.check_stride:
        pairs.append(("stride()", actual.stride(), expected.stride()))
    if rules.check_device:
        pairs.append(("device", actual.device, expected.device))
    if rules.check_dtype:
        pairs.append(("dtype", actual.dtype, expected.dtype))
    for name, a, b in pairs:
        if a != b:
            raise _Mismatch(f"The values for attribute {name!r} do not match: {a} != {b}.", path)


def _size(t):
    return t.shape


def _tensor_text(actual, expected, close, rtol, atol):
    """What assert_close says of tensors that differ."""
    if not expected.dtype.is_inexact:
        actual, expected = actual.long(), expected.long()
    absolute = (actual - expected).abs()
    relative = absolute / expected.abs()
    if not expected.ndim:
        return _scalar_text(actual.item(), expected.item(), *_scalar_differences(actual.item(), expected.item()), rtol, atol)
    total, wrong = close.numel(), int((~close).sum().item())
    lines = [f"Tensor-likes are not {_word(rtol, atol)}!\n", f"Mismatched elements: {wrong} / {total} ({wrong / total:.1%})"]
    for name, differences, tolerance in (("absolute", absolute, atol), ("relative", relative, rtol)):
        value, place = _greatest(differences, close)
        lines.append(f"Greatest {name} difference: {value} at index {place}{_allowed(tolerance, rtol or atol)}")
    return "\n".join(lines)


def _scalar_differences(actual, expected):
    absolute = abs(actual - expected)
    return absolute, absolute / abs(expected) if expected else float("inf")


def _greatest(differences, close):
    """(value, index) of the greatest difference, NaN first, among the elements that are not close."""
    flat = differences.masked_fill(close, 0).reshape(-1)
    value, at = flat.max(0)
    return value.item(), tuple(map(int, np.unravel_index(at.item(), tuple(close.shape))))


def _is_number(x):
    return isinstance(x, (numbers.Number, np.number)) and not isinstance(x, Tensor)


def _is_bool(x):
    return isinstance(x, (bool, np.bool_))


def _related(a, b, rules):
    """Whether both are tensors or both arrays, of classes that the rules allow."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return type(a) is type(b) or (rules.allow_subclasses and (isinstance(a, type(b)) or isinstance(b, type(a))))
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray)


#: (whether two objects are compared this way, how), in the order to ask
_PAIRS = (
    (lambda a, b, rules: a is None or b is None, _compare_none),
    (lambda a, b, rules: _is_bool(a) and _is_bool(b), _compare_bools),
    (lambda a, b, rules: _is_number(a) and _is_number(b), _compare_numbers),
    (_related, _compare_tensors),
)

calls.named_all({"assert_close": assert_close, "assert_allclose": assert_allclose})
