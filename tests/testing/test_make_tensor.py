"""make_tensor: shapes, limits, layouts, and what it refuses."""

import pytest

import cltensor as ct
from cltensor.testing import make_tensor

pytestmark = pytest.mark.device
LIMITS = {"bool": (0, 1), "uint8": (0, 9), "int8": (-9, 9), "int16": (-9, 9), "int32": (-9, 9), "int64": (-9, 9),
          "float16": (-9, 9), "bfloat16": (-9, 9), "float32": (-9, 9)}


@pytest.mark.parametrize("name", LIMITS)
def test_default_limits(name, device):
    ct.manual_seed(0)
    x = make_tensor(2000, dtype=getattr(ct, name), device=device)
    low, high = LIMITS[name]
    values = x.float()
    assert x.dtype is getattr(ct, name)
    assert tuple(x.shape) == (2000,)
    assert low <= values.min() < low + 0.5
    assert high - 0.5 < values.max() <= high


def test_given_limits_and_layouts(device):
    x = make_tensor((40, 50), dtype=ct.float32, device=device, low=2, high=3, requires_grad=True)
    assert x.requires_grad
    assert x.min() >= 2
    assert x.max() <= 3
    assert set(make_tensor(200, dtype=ct.int32, device=device, low=2, high=5).tolist()) == {2, 3, 4}
    assert make_tensor(50, dtype=ct.uint8, device=device, low=-3, high=300).max() > 10
    assert make_tensor(3, 4, dtype=ct.float32, device=device, noncontiguous=True).stride() == (8, 2)
    assert make_tensor(2, 3, 4, 4, dtype=ct.float32, device=device, memory_format=ct.channels_last).stride() == (48, 1, 12, 3)
    assert (make_tensor(99, dtype=ct.int64, device=device, low=0, high=2, exclude_zero=True) == 1).all()
    assert make_tensor(2, 0, dtype=ct.float32, device=device).shape == (2, 0)
    assert make_tensor((), dtype=ct.float32, device=device).ndim == 0


def test_complex_numbers(device):
    x = make_tensor(500, dtype=ct.complex64, device=device, low=1, high=2)
    assert x.dtype is ct.complex64
    for part in (x.real, x.imag):
        assert part.min() >= 1
        assert part.max() <= 2


@pytest.mark.parametrize(("options", "text"), [
    ({"low": 3, "high": 2}, "must be less than `high`"), ({"low": 2, "high": 2, "dtype": "int32"}, "must be less than"),
    ({"low": float("nan")}, "cannot be NaN"), ({"low": 200, "high": 300, "dtype": "int8"}, "only supports"),
    ({"requires_grad": True, "dtype": "int64"}, "not supported for boolean and integral"),
    ({"noncontiguous": True, "memory_format": ct.channels_last}, "mutually exclusive"),
])
def test_refusals(options, text, device):
    options = {**options, "dtype": getattr(ct, options.get("dtype", "float32"))}
    with pytest.raises(ValueError, match=text):
        make_tensor(2, device=device, **options)
