"""The divergence of Kullback and Leibler: `kl_divergence`, and `register_kl` for formulas of one's own."""

from . import across, alike, multivariate
from .registry import kl_divergence, register_kl

__all__ = ["kl_divergence", "register_kl"]


def __dir__():
    return sorted(__all__)
