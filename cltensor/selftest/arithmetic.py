"""Checks of memory and of arithmetic: copies, elementwise kernels, reductions, scans, random numbers."""

import numpy as np

import cltensor as ct

from ..tensor.random import implicit
from .comparison import WrongResult, expect_close, expect_equal


def transfer(device, rng):
    """Write bytes to the device and read them back, whole and from the middle."""
    values = rng.integers(0, 256, 1 << 20, dtype=np.uint8)
    x = ct.tensor(values, device=device)
    expect_equal(x.numpy(), values)
    expect_equal(x[12345:54321].numpy(), values[12345:54321])


def add(device, rng):
    """An exact elementwise sum with a broadcast operand."""
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


def scan(device, rng):
    """Cumulative sums along columns, and along rows longer than a work-group's share."""
    a = rng.standard_normal((33, 5003), np.float32)
    x = ct.tensor(a, device=device)
    for dim in (1, 0):
        expect_close(x.cumsum(dim).numpy(), a.cumsum(axis=dim, dtype=np.float64), 1e-4, 1e-2)


def exp(device, rng):
    """A transcendental function over its whole range, including overflow and NaN."""
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
    """Exact products in float64."""
    a = rng.standard_normal(4099)
    x = ct.tensor(a, device=device)
    expect_equal((x * x).numpy(), a * a)


def rejection(device, rng):
    """Gamma numbers by rejection: mean within six standard errors, and gradients whose mean is that of the mean."""
    n = 50_021
    parameter = ct.full((n,), 2.5, device=device, requires_grad=True)
    x = implicit.standard_gamma(parameter)
    x.sum().backward()
    for values, mean, deviation in ((x.detach().numpy(), 2.5, 2.5**0.5), (parameter.grad.numpy(), 1.0, 0.5)):
        if not abs(values.mean(dtype=np.float64) - mean) < 6 * deviation / n**0.5:
            raise WrongResult(f"the mean is {values.mean():.4f}; it should be {mean:.4f}")


def complex_numbers(device, rng):
    """Products and sums of pairs, with a pair given by value."""
    a = rng.standard_normal((67, 131, 2), np.float32).view(np.complex64)[..., 0]
    x = ct.tensor(a, device=device)
    expect_close((x * x.T.contiguous().T * (2 - 1j)).numpy(), a * a * (2 - 1j), 1e-5, 1e-5)
    expect_close(x.abs().numpy(), np.abs(a), 1e-5, 1e-5)
    for dim in (0, 1):
        expect_close(x.sum(dim).numpy(), a.sum(dim, dtype=np.complex128), 1e-4, 1e-3)


def fourier(device, rng):
    """Fourier transforms: a power of two, a length with a large prime factor, and real numbers, along both dimensions."""
    for n in (4096, 1000, 2 * 127):
        a = rng.standard_normal((9, n), np.float32)
        for dim, values in ((1, a), (0, np.ascontiguousarray(a.T))):
            x, size = ct.tensor(values, device=device), n**0.5
            expect_close(ct.fft.fft(x * 1j, dim=dim).numpy(), np.fft.fft(1j * values.astype(np.float64), axis=dim), 0, 1e-5 * size)
            expect_close(ct.fft.irfft(ct.fft.rfft(x, dim=dim), n, dim).numpy(), values, 0, 1e-5)


def random(device, rng):
    """Uniform and normal numbers: moments within six standard errors, and equal numbers from an equal seed."""
    n = 300_007
    for draw, mean, deviation in ((ct.rand, 0.5, 12**-0.5), (ct.randn, 0.0, 1.0)):
        first, second = (draw(n, device=device, generator=ct.Generator(device).manual_seed(7)).numpy() for _ in range(2))
        expect_equal(second, first)
        values = first.astype(np.float64)
        if abs(values.mean() - mean) > 6 * deviation / n**0.5 or abs(values.std() - deviation) > 6 * deviation / n**0.5:
            raise WrongResult(f"the numbers have mean {values.mean():.4f} and deviation {values.std():.4f}; they should have "
                              f"{mean:.4f} and {deviation:.4f}")
