"""Checks of kernels that move and order elements: transpose, gather, scatter, sort, search, count."""

import numpy as np

import cltensor as ct

from .comparison import expect_close, expect_equal


def transpose(device, rng):
    """Copies of transposed matrices, with four bytes per element and with one."""
    for dtype in (np.float32, np.uint8):
        a = rng.integers(0, 200, (515, 1029)).astype(dtype)
        expect_equal(ct.tensor(a, device=device).T.contiguous().numpy(), a.T)


def gather(device, rng):
    """Rows by number, and elements by number along a dimension."""
    a, rows = rng.standard_normal((701, 67), np.float32), rng.integers(0, 701, 1500)
    x, places = ct.tensor(a, device=device), rng.integers(0, 67, (701, 9))
    expect_equal(x[ct.tensor(rows, device=device)].numpy(), a[rows])
    expect_equal(x.gather(1, ct.tensor(places, device=device)).numpy(), np.take_along_axis(a, places, 1))


def scatter(device, rng):
    """Add many rows at the same places."""
    rows, source = rng.integers(0, 50, 3000), rng.standard_normal((3000, 19), np.float32)
    expected = np.zeros((50, 19))
    np.add.at(expected, rows, source)
    found = ct.zeros(50, 19, device=device).index_add(0, ct.tensor(rows, device=device), ct.tensor(source, device=device))
    expect_close(found.numpy(), expected, 1e-4, 1e-3)


def sort(device, rng):
    """Sorted values and positions, of short rows and of a row longer than a work-group sorts at once."""
    for shape in ((20_011,), (301, 45)):
        a = rng.permutation(int(np.prod(shape))).astype(np.float32).reshape(shape)
        values, places = ct.tensor(a, device=device).sort(-1)
        expect_equal(values.numpy(), np.sort(a, -1))
        # qemu's AVX2 gives wrong results for NumPy's default kind.
        expect_equal(places.numpy(), np.argsort(a, -1, kind="stable"))


def search(device, rng):
    """Insertion positions in a sorted row."""
    row, values = np.sort(rng.standard_normal(1009, np.float32)), rng.standard_normal(5000, np.float32)
    found = ct.searchsorted(ct.tensor(row, device=device), ct.tensor(values, device=device))
    expect_equal(found.numpy(), np.searchsorted(row, values))


def compact(device, rng):
    """The positions and values of the non-zero elements."""
    a = rng.integers(0, 3, (211, 97)).astype(np.int32)
    x = ct.tensor(a, device=device)
    expect_equal(x.nonzero().numpy(), np.argwhere(a))
    expect_equal(x[x > 1].numpy(), a[a > 1])


def counts(device, rng):
    """How often each number occurs."""
    a = rng.integers(0, 37, 20_000)
    expect_equal(ct.bincount(ct.tensor(a, device=device)).numpy(), np.bincount(a))


def mode(device, rng):
    """The most frequent number of each row; the smallest on a tie."""
    a = rng.integers(0, 5, (203, 31))
    expect_equal(ct.tensor(a, device=device).mode(-1)[0].numpy(), [np.bincount(row).argmax() for row in a])
