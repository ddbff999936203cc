"""The command `cltensor`: doctor, kernels, bench, cache."""

from .command import main

__all__ = ["main"]
