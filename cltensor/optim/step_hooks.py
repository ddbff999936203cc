"""Hooks around steps: those of one optimiser and those of all."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..base.context import context
from ..base.errors import CLTensorError
from ..dispatch.node import Handle

_EVERY_STEP = {"step_pre": {}, "step_post": {}}  # hooks of all optimisers


def counted(step):
    """A step method that runs the step hooks and records its call, for the learning rate schedulers."""

    @functools.wraps(step)
    def counted(self, *args, **kwargs):
        self._opt_called = True
        for hook in [*_EVERY_STEP["step_pre"].values(), *self._hooks["step_pre"].values()]:
            changed = hook(self, args, kwargs)
            if changed is not None:
                args, kwargs = _changed(step, changed)
        run = step
        if context.profile is not None:
            run = context.profile.around(step, "optimizer", f"Optimizer.step#{type(self).__name__}.step")
        result = run(self, *args, **kwargs)
        for hook in [*self._hooks["step_post"].values(), *_EVERY_STEP["step_post"].values()]:
            hook(self, args, kwargs)
        return result

    return counted


def _changed(step, result):
    """A step pre hook's new (args, kwargs).  Raises CLTensorError for anything else."""
    if isinstance(result, tuple) and len(result) == 2:
        return result
    raise CLTensorError(f"{step.__name__}: a step pre hook must return None or a tuple of (new_args, new_kwargs), but got {result}")


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> Handle:
    """Call hook(optimizer, args, kwargs) before each step of every optimiser; it may return new (args, kwargs).

    Returns a handle whose remove() ends it.  Never raises; shapes and dtypes do not matter.
    Source: the interface is PyTorch 2.13's.

        handle = register_optimizer_step_pre_hook(lambda optimizer, args, kwargs: print("step"))
        handle.remove()
    """
    return Handle(_EVERY_STEP["step_pre"], hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> Handle:
    """Call hook(optimizer, args, kwargs) after each step of every optimiser.

    Returns a handle whose remove() ends it.  Never raises; shapes and dtypes do not matter.
    Source: the interface is PyTorch 2.13's.

        handle = register_optimizer_step_post_hook(lambda optimizer, args, kwargs: print("stepped"))
        handle.remove()
    """
    return Handle(_EVERY_STEP["step_post"], hook)
