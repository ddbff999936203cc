"""assert_close: what is close, what is said where results differ, and that PyTorch says the same."""

import re

import numpy as np
import pytest

import cltensor as ct
from cltensor.testing import assert_allclose, assert_close

pytestmark = pytest.mark.device

#: (actual, expected, options) of nested lists: `T` makes a tensor
CASES = {
    "a value": lambda T: (T([1.0, 2.0]), T([1.0, 3.0]), {}),
    "a scalar": lambda T: (T(1.0), T(2.0), {}),
    "ints": lambda T: (T([1, 2, 9]), T([1, 3, 3]), {}),
    "bools": lambda T: (T([True, False]), T([False, False]), {}),
    "shapes": lambda T: (T([1.0, 2.0]), T([[1.0, 2.0]]), {}),
    "a list of tensors": lambda T: ([T(1.0), T([2.0, 5.0])], [T(1.0), T([3.0, 5.0])], {}),
    "mappings": lambda T: ({"a": {"x": T([1.0])}}, {"a": {"x": T([2.0])}}, {}),
    "other keys": lambda T: ({"a": T(1.0), "c": 1}, {"b": T(1.0), "c": 1}, {}),
    "lengths": lambda T: ([1], [1, 2], {}),
    "none": lambda T: (None, T(1.0), {}),
    "python floats": lambda T: (1.0, 2.0, {}),
    "python ints": lambda T: ([1, [2, 3]], [1, [2, 4]], {}),
    "python kinds": lambda T: (1, 1.0, {}),
    "python bools": lambda T: (True, False, {}),
    "nan": lambda T: (T([1.0, float("nan")]), T([1.0, float("nan")]), {}),
    "infinities": lambda T: (T([1.0, float("inf")]), T([1.0, -float("inf")]), {}),
    "own tolerances": lambda T: (T([1.0, 2.0, 3.0]), T([1.0, 4.0, 1.0]), {"rtol": 0, "atol": 0.5}),
    "far away": lambda T: (T([[1.0, 2.0], [3.0, 4.0]]), T([[1.0, 2.0], [3.0, 1e20]]), {}),
    "a message": lambda T: (T([1.0]), T([2.0]), {"msg": "they differ"}),
    "another message": lambda T: (T([1.0]), T([2.0]), {"msg": lambda m: "x: " + m}),
    "strides": lambda T: (T([[1.0, 2.0], [3.0, 4.0]]).T, T([[1.0, 3.0], [2.0, 4.0]]), {"check_stride": True}),
    "overlapping sevenths": lambda T: (T([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]), T([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8]), {}),
    "complex": lambda T: (T([1 + 1j, 2 + 2j]), T([1 + 1j, 2 + 3j]), {}),
    "python nan": lambda T: (float("nan"), float("nan"), {}),
}


def message(compare, actual, expected, options):
    with pytest.raises(AssertionError) as caught:
        compare(actual, expected, **options)
    return re.sub(r"torch\.Size|cltensor\.|torch\.", "", str(caught.value)).replace("Size(", "(")


@pytest.mark.parametrize("case", CASES)
def test_messages_are_pytorchs(case):
    torch = pytest.importorskip("torch")
    ours, theirs = message(assert_close, *CASES[case](ct.tensor)), message(torch.testing.assert_close, *CASES[case](torch.tensor))
    assert numbered(ours)[0] == numbered(theirs)[0]
    np.testing.assert_allclose(numbered(ours)[1], numbered(theirs)[1], rtol=1e-6)


def numbered(text):
    """A text with its numbers taken out, and the numbers."""
    number = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
    return re.sub(number, "#", text), [float(n) for n in re.findall(number, text)]


def test_the_message_counts_and_locates():
    with pytest.raises(AssertionError) as caught:
        assert_close(ct.tensor([[1.0, 2.0], [3.0, 4.0]]), ct.tensor([[1.0, 2.5], [3.0, 8.0]]))
    assert str(caught.value) == (
        "Tensor-likes are not close!\n\nMismatched elements: 2 / 4 (50.0%)\n"
        "Greatest absolute difference: 4.0 at index (1, 1) (up to 1e-05 allowed)\n"
        "Greatest relative difference: 0.5 at index (1, 1) (up to 1.3e-06 allowed)")


@pytest.mark.parametrize(("dtype", "step"), [("float16", 1e-3), ("bfloat16", 1.6e-2), ("float32", 1.3e-6), ("float64", 1e-7)])
def test_the_dtype_sets_the_tolerance(dtype, step):
    if dtype == "float64" and not ct.get_default_device().profile.fp64:
        pytest.skip("no float64 on this device")
    d = getattr(ct, dtype)
    one = ct.full((3,), 64.0, dtype=ct.float32).to(d)
    assert_close((one.float() * (1 + step / 2)).to(d) if dtype != "float64" else one * (1 + step / 2), one)
    with pytest.raises(AssertionError):
        assert_close(one * (1 + 4 * step), one)


@pytest.mark.parametrize(("actual", "expected"), [
    (None, None), ([], []), ({}, {}), (True, np.True_), (np.float32(1), 1.0), (range(3), range(3)), ((1, 2), [1, 2]),
    ({1: 2, 3: 4}, {3: 4, 1: 2}), (0.0, 1e-9), (np.array([1.0, 2.0]), np.array([1.0, 2.0])), (1 + 1j, 1 + 1j),
], ids=str)
def test_close_without_tensors(actual, expected):
    assert_close(actual, expected)


def test_options_that_loosen():
    x = ct.tensor([1.0, float("nan")])
    assert_close(x, x.clone(), equal_nan=True)
    assert_close(float("nan"), float("nan"), equal_nan=True)
    assert_close(x[:1], ct.tensor([1]), check_dtype=False)
    assert_close(x[:1].half(), x[:1], check_dtype=False)
    assert_close(ct.ones(3)[::2], ct.ones(2))
    assert_close(ct.nn.Parameter(ct.ones(2)), ct.ones(2))
    assert_close(ct.empty(0), ct.empty(0))


def test_a_reported_dtype_device_and_class():
    with pytest.raises(AssertionError, match=r"attribute 'dtype' do not match: cltensor.float32 != cltensor.float16"):
        assert_close(ct.ones(2), ct.ones(2).half())
    with pytest.raises(TypeError, match="No comparison pair"):
        assert_close(ct.nn.Parameter(ct.ones(2)), ct.ones(2), allow_subclasses=False)


@pytest.mark.parametrize(("actual", "expected", "options", "error", "text"), [
    ([1, "a"], [1, "a"], {}, TypeError, r"class 'str'(.|\n)*item \[1\]"),
    (1.0, 1.0, {"rtol": 0.1}, ValueError, "got no atol"),
    (1.0, 1.0, {"atol": 0.1}, ValueError, "got no rtol"),
    (1.0, 1.0, {"rtol": -1, "atol": 0}, ValueError, "must not be negative"),
    ([1.0], np.array([1.0]), {}, TypeError, "No comparison pair"),
])
def test_what_cannot_be_compared(actual, expected, options, error, text):
    with pytest.raises(error, match=text):
        assert_close(actual, expected, **options)


def test_the_old_name_warns():
    with pytest.warns(FutureWarning, match="assert_close"):
        assert_allclose(ct.ones(2), [1.0, 1.0])
    with pytest.warns(FutureWarning), pytest.raises(AssertionError, match="Mismatched elements: 1 / 2"):
        assert_allclose(ct.ones(2), [1.0, 2.0])
