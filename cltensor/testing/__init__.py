"""Comparing results and making tensors to test with, with the names and meaning of torch.testing."""

from .comparison import assert_allclose, assert_close
from .generation import make_tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]


def __dir__():
    return sorted(__all__)
