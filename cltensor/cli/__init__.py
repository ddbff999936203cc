"""The command `cltensor`: doctor, kernels, bench, tune, cache."""

from .command import main

__all__ = ["main"]
