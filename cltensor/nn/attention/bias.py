"""Masks for causal attention, under PyTorch's path."""

from ..functional.causal_bias import CausalBias, CausalVariant, causal_lower_right, causal_upper_left

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


def __dir__():
    return sorted(__all__)
