"""Activation checkpointing saves memory at the cost of time: drop what a function saves for its gradient, and recompute it."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

from ..autograd.modes import is_grad_enabled
from ..autograd.recompute import CheckpointError, Stretch
from ..base.errors import ArgumentError
from ..random import fork_rng
from ..tensor.core.tensor import Tensor
from ..tensor.random.sampling import default_generator


def noop_context_fn():
    """Two contexts that do nothing: for the forward pass, and for the recomputation."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def checkpoint(function: Callable[..., Any], *args, use_reentrant=None, context_fn=noop_context_fn,
               determinism_check: str = "default", debug: bool = False, early_stop: bool = True,
               preserve_rng_state: bool = True, **kwargs):
    """function(*args, **kwargs), whose intermediate results are not kept but computed again during backward.

    The only method here is PyTorch's use_reentrant=False, which also supports autograd.grad and gradients of any order.
    use_reentrant=True is accepted, with its limits on the other arguments.  early_stop has no effect.
    context_fn: returns two context managers, around the forward pass and around each recomputation.
    preserve_rng_state: draw the same random numbers again.
    Raises CheckpointError, during backward, if the function behaves differently the second time (unless
    determinism_check="none"), ArgumentError for arguments that exclude each other.
    """
    if use_reentrant is None:
        warnings.warn("checkpoint: the use_reentrant parameter should be passed explicitly; use_reentrant=False is recommended",
                      stacklevel=2)
    if determinism_check not in ("default", "none"):
        raise ArgumentError(f"checkpoint: determinism_check must be 'default' or 'none', got {determinism_check!r}")
    if use_reentrant is not False:
        if kwargs:
            raise ArgumentError(f"checkpoint: Unexpected keyword arguments: {','.join(kwargs)}; pass use_reentrant=False")
        if context_fn is not noop_context_fn or debug:
            raise ArgumentError("checkpoint: Passing `context_fn` or `debug` is only supported when use_reentrant=False")
    if not is_grad_enabled():
        return function(*args, **kwargs)
    contexts = list(context_fn())
    again = contexts.pop()
    state = default_generator.clone_state() if preserve_rng_state else None

    def run():
        if contexts:  # the forward pass
            with contexts.pop():
                return function(*args, **kwargs)
        with again, _random_numbers_from(state):
            return function(*args, **kwargs)

    return Stretch(run, determinism_check == "default").forward()


@contextlib.contextmanager
def _random_numbers_from(state):
    """Inside, the default generator continues from the state of another one; None leaves it alone."""
    with fork_rng(enabled=state is not None):
        if state is not None:
            default_generator.graphsafe_set_state(state)
        yield


def checkpoint_sequential(functions, segments, input: Tensor, use_reentrant=None, **kwargs):
    """Run the functions (or a Sequential's modules) in order, in `segments` parts; checkpoint all parts but the last."""
    if use_reentrant is None:
        warnings.warn("checkpoint_sequential: the use_reentrant parameter should be passed explicitly; use_reentrant=False is "
                      "recommended", stacklevel=2)
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ArgumentError(f"checkpoint_sequential: Unexpected keyword arguments: {','.join(kwargs)}")
    steps = list(functions.children()) if hasattr(functions, "children") else list(functions)
    size = max(len(steps) // segments, 1)
    starts = [i * size for i in range(segments)]
    for start in starts[:-1]:
        input = checkpoint(_chain(steps[start:start + size]), input, use_reentrant=bool(use_reentrant or use_reentrant is None),
                           preserve_rng_state=preserve)
    return _chain(steps[starts[-1]:])(input)


def _chain(steps):
    def run(x):
        for step in steps:
            x = step(x)
        return x

    return run


__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential", "noop_context_fn"]


def __dir__():
    return sorted(__all__)
