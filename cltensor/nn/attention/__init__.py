"""Which way scaled_dot_product_attention takes, and masks for it."""

from ..functional.attention_backends import SDPBackend, sdpa_kernel
from . import bias

__all__ = ["SDPBackend", "bias", "sdpa_kernel"]


def __dir__():
    return sorted(__all__)
