"""Compare a device's results with NumPy's."""

import numpy as np


class WrongResult(Exception):
    """A kernel's result differs from NumPy's."""


def expect_equal(found, expected):
    """Raise WrongResult unless both are equal, bit for bit (any NaN equals any other)."""
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
