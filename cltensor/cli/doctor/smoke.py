"""Small kernels run on a device and checked against NumPy; called in a child process, one check at a time."""

import statistics
import time

import numpy as np

import cltensor as ct

from ...runtime.device import get


def transfer(device, rng):
    """Bytes written to the device and read back, whole and from the middle."""
    values = rng.integers(0, 256, 1 << 20, dtype=np.uint8)
    x = ct.tensor(values, device=device)
    expect_equal(x.numpy(), values)
    expect_equal(x[12345:54321].numpy(), values[12345:54321])


def add(device, rng):
    """An elementwise sum, exact, with an operand broadcast."""
    a, b = rng.standard_normal((37, 1001), np.float32), rng.standard_normal(1001, np.float32)
    expect_equal((ct.tensor(a, device=device) + ct.tensor(b, device=device)).numpy(), a + b)


def integers(device, rng):
    """64-bit integers, which wrap around."""
    a = rng.integers(-2**63, 2**63 - 1, 4099, dtype=np.int64)
    with np.errstate(over="ignore"):
        expect_equal((ct.tensor(a, device=device) * 3).numpy(), a * np.int64(3))


def reduction(device, rng):
    """Sums of rows, of columns and of everything."""
    a = rng.standard_normal((513, 1030), np.float32)
    x = ct.tensor(a, device=device)
    for dims in ((1,), (0,), (0, 1)):
        expect_close(x.sum(dims).numpy(), a.sum(axis=dims, dtype=np.float64), 1e-4, 1e-2)


def exp(device, rng):
    """A transcendental function over its whole range, the overflow and NaN included."""
    a = np.concatenate([np.linspace(-110, 95, 40_000, dtype=np.float32), np.float32([np.nan, np.inf, -np.inf])])
    with np.errstate(over="ignore"):
        expected = np.exp(a.astype(np.float64)).astype(np.float32)
    expect_close(ct.exp(ct.tensor(a, device=device)).numpy(), expected, 1e-6, 1e-37)


def half(device, rng):
    """Rounding to float16 and back: ties, subnormal numbers, overflow."""
    a = np.float32([0, -0.0, 1, -1.5, 2049, 2051, 65504, 65519.9, 65520, 6e-8, 3e-8, 2.9e-8, 6.1e-5, np.inf, -np.inf])
    a = np.concatenate([a, rng.standard_normal(1000, np.float32)])
    with np.errstate(over="ignore"):
        expected = a.astype(np.float16)
    x = ct.tensor(a, device=device).to(ct.float16)
    expect_equal(x.numpy(), expected)
    expect_equal(x.to(ct.float32).numpy(), expected.astype(np.float32))


def double(device, rng):
    """Products in float64, exact."""
    a = rng.standard_normal(4099)
    x = ct.tensor(a, device=device)
    expect_equal((x * x).numpy(), a * a)


def matmul(device, rng):
    """A matrix product with sizes that fit no tile."""
    a, b = rng.standard_normal((65, 131), np.float32), rng.standard_normal((131, 70), np.float32)
    product = ct.tensor(a, device=device) @ ct.tensor(b, device=device)
    expect_close(product.numpy(), a.astype(np.float64) @ b.astype(np.float64), 1e-4, 1e-3)


def launch(device, rng):
    """What a launch costs: seconds to enqueue a small addition, and until its result is there."""
    a, b = ct.ones(64, device=device), ct.ones(64, device=device)
    enqueue = [_timed(lambda: [a + b for _ in range(200)], device) / 200 for _ in range(10)]
    wait = [_timed(lambda: (a + b, device.synchronize()), device) for _ in range(100)]
    return {"enqueue": statistics.median(enqueue), "done": statistics.median(wait)}


CHECKS = {f.__name__: f for f in (transfer, add, integers, reduction, exp, half, double, matmul, launch)}


def names(profile):
    """The checks that make sense on a device with this profile (a dict)."""
    return [name for name in CHECKS if name != "double" or profile["fp64"]]


def run(item):
    """Run one check: item is {"device": index, "check": name}.

    Returns {"seconds": with compilation} and what the check measured; raises when the result is wrong.
    """
    device = get(item["device"])
    start = time.perf_counter()
    measured = CHECKS[item["check"]](device, np.random.default_rng(7))
    return {"seconds": time.perf_counter() - start, **(measured or {})}


class WrongResult(Exception):
    """A kernel computed something else than NumPy."""


def expect_equal(found, expected):
    """Raise WrongResult unless both are the same, bit for bit (any NaN equals any other)."""
    _expect(np.equal(found, expected) | ((found != found) & (expected != expected)), found, expected)


def expect_close(found, expected, relative, absolute):
    """Raise WrongResult unless found is within the tolerance of expected."""
    _expect(np.isclose(found, expected, relative, absolute, equal_nan=True), found, expected)


def _expect(right, found, expected):
    if np.all(right):
        return
    where = tuple(int(i) for i in np.argwhere(~np.atleast_1d(right))[0])
    raise WrongResult(f"{np.count_nonzero(~right)} of {right.size} values are wrong; at {where} the device has "
                      f"{np.atleast_1d(found)[where]!s}, NumPy {np.atleast_1d(expected)[where]!s}")


def _timed(action, device):
    start = time.perf_counter()
    action()
    seconds = time.perf_counter() - start
    device.synchronize()
    return seconds
