"""The command `cltensor`: doctor, kernels, bench, profile, tune, cache, stubs."""

from .command import main

__all__ = ["main"]
