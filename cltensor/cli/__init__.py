"""The command `cltensor`: doctor, kernels, bench, tune, cache, stubs."""

from .command import main

__all__ = ["main"]
