"""GradScaler: a factor on the loss that keeps float16 gradients within range, found by trial."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from ..autograd.modes import no_grad
from ..base import dtypes
from ..base.context import context
from ..base.errors import ArgumentError, CLTensorError
from ..dispatch.run_elementwise import run_elementwise
from ..dispatch.tensor_base import SparseBase
from ..ops.optim.updates import rescale, unscale
from ..optim.optimizer import Optimizer
from ..tensor import Tensor
from ..tensor.api.creation import full, zeros
from ..tensor.core.foreach import Foreach

__all__ = ["GradScaler"]

READY, UNSCALED, STEPPED = range(3)
_UNSAVED = ("_unscaling", "_scale", "_growing", "_inverse", "_found")


class _Asserted(CLTensorError, AssertionError):
    """A call out of order, where PyTorch asserts."""


class _Progress:
    """What an optimiser has been through since the last update: its stage, and whether a gradient overflowed (0-d tensor)."""

    def __init__(self):
        self.stage, self.found = READY, None


class GradScaler:
    """Scales losses so that small gradients survive float16; steps whose gradients overflow are skipped, and the scale shrinks.

    After growth_interval steps without overflow the scale is multiplied by growth_factor, after one with overflow by
    backoff_factor.  Gradients may have any shape and, but for float16, any floating dtype: parameters in float32 under autocast.

    Whether a step is skipped is decided on the device, and nothing waits for it: an optimiser's launches look at the result
    themselves, and its counts are corrected when its state is next looked at, at the latest by its next step.  Optimisers with a
    `step` of their own are asked to step, or not, once the result is read.

    device: named for PyTorch's sake; the scale is kept where the first loss is.  enabled: with False every method does nothing, and
    step steps.

    Raises ArgumentError (an AssertionError too) for factors on the wrong side of 1.  Source: Micikevicius et al. 2018.

        scaler = GradScaler()
        with autocast("gpu"):
            loss = loss_fn(model(x), y)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
    """

    def __init__(self, device: str = "cuda", init_scale: float = 2.0**16, growth_factor: float = 2.0, backoff_factor: float = 0.5,
                 growth_interval: int = 2000, enabled: bool = True):
        self._device, self._enabled, self._init_scale = device, enabled, init_scale
        self._init_growth_tracker = 0
        if enabled:
            if growth_factor <= 1.0:
                raise _Asserted(f"The growth factor must be > 1.0, got {growth_factor}")
            if backoff_factor >= 1.0:
                raise _Asserted(f"The backoff factor must be < 1.0, got {backoff_factor}")
        self._growth_factor, self._backoff_factor, self._growth_interval = growth_factor, backoff_factor, growth_interval
        self._scale = self._growing = self._inverse = None
        self._progress, self._found = {}, WeakKeyDictionary()  # _found: {optimiser: where it is noted that a gradient overflowed}
        self._unscaling = Foreach(unscale, writes=[0], fresh=[0], shared=[1])

    # --- one iteration -----------------------------------------------------------------------------------------------

    def scale(self, outputs: Any) -> Any:
        """outputs, a tensor or nested lists and tuples of tensors, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            if self._scale is None:
                self._start(outputs.device)
            return outputs * self._scale.to(outputs.device, copy=True)  # update writes to it
        if isinstance(outputs, Iterable):
            scaled = map(self.scale, outputs)
            return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else scaled
        raise ArgumentError(f"outputs must be a Tensor or an iterable of Tensors, got {type(outputs).__name__}")

    def _start(self, device):
        self._scale = full((), self._init_scale, dtype=dtypes.float32, device=device)
        self._growing = full((), float(self._init_growth_tracker), dtype=dtypes.float32, device=device)

    def _check_started(self, call):
        if self._scale is None:
            raise _Asserted(f"Attempted {call} but _scale is None.  Call scaler.scale(loss or outputs) earlier in the iteration")

    @no_grad()
    def unscale_(self, optimizer: Optimizer):
        """Divide the gradients of an optimiser by the scale, in place, and note whether one is infinite or NaN.

        Call it before gradients are clipped; step does so itself otherwise.
        """
        if not self._enabled:
            return
        self._check_started("unscale_")
        progress = self._of(optimizer)
        if progress.stage is UNSCALED:
            raise CLTensorError("unscale_() has already been called on this optimizer since the last update().")
        if progress.stage is STEPPED:
            raise CLTensorError("unscale_() is being called after step(); call it before.")
        progress.found = self._unscale(optimizer, _gradients(optimizer))
        progress.stage = UNSCALED

    def _unscale(self, optimizer, gradients):
        """Divide gradients by the scale; return a 0-d tensor, 1 where one was infinite or NaN, or None without gradients."""
        if any(g.dtype is dtypes.float16 for g in gradients):
            raise ArgumentError("Attempting to unscale FP16 gradients. Keep parameters in float32: autocast casts them")
        if not gradients:
            return None
        if self._inverse is None:
            self._inverse = self._scale.reciprocal()
        found = self._cleared(optimizer)
        self._unscaling([(g,) for g in gradients], (), shared=(self._inverse,), raised=found)
        return found

    def _cleared(self, optimizer):
        """The tensor in which it is noted that a gradient of an optimiser has overflowed, 0 again: the same one in each step."""
        own = isinstance(optimizer, Optimizer)  # another object may be whatever has param_groups and step
        found = self._found.get(optimizer) if own else None
        if found is None or found.device != self._scale.device:
            found = zeros((), dtype=dtypes.float32, device=self._scale.device)
            if own:
                self._found[optimizer] = found
            return found
        optimizer._settle()  # it has kept it since its last step
        return found.zero_()

    def step(self, optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
        """Step the optimiser with unscaled gradients, unless one is infinite or NaN.  Returns what the optimiser returns.

        Raises CLTensorError for a second step before update, and for a closure.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise CLTensorError("Closure use is not currently supported if GradScaler is enabled.")
        self._check_started("step")
        progress = self._of(optimizer)
        if progress.stage is STEPPED:
            raise CLTensorError("step() has already been called since the last update().")
        if progress.stage is READY:
            self.unscale_(optimizer)
        if progress.found is None:
            raise _Asserted("No inf checks were recorded for this optimizer: none of its parameters has a gradient")
        result = self._stepped(optimizer, progress.found, args, kwargs)
        progress.stage = STEPPED
        return result

    @staticmethod
    def _stepped(optimizer, found, args, kwargs):
        if not getattr(optimizer, "_step_supports_amp_scaling", False):
            return None if found.item() else optimizer.step(*args, **kwargs)
        optimizer.found_inf = found
        try:
            return optimizer.step(*args, **kwargs)
        finally:
            del optimizer.found_inf

    def _of(self, optimizer):
        return self._progress.setdefault(id(optimizer), _Progress())

    @no_grad()
    def update(self, new_scale: float | Tensor | None = None):
        """Change the scale for the next iteration by what was found in this one, or to new_scale, a number or 0-d tensor."""
        if not self._enabled:
            return
        self._check_started("update")
        if new_scale is not None:
            self._scale.copy_(new_scale) if isinstance(new_scale, Tensor) else self._scale.fill_(new_scale)
        else:
            found = [progress.found for progress in self._progress.values() if progress.found is not None]
            if not found:
                raise _Asserted("No inf checks were recorded prior to update.")
            worst = found[0]
            for other in found[1:]:
                worst = worst.maximum(other)
            numbers = self._factors() if context.recorder is None else context.recorder.action(self._factors)
            targets = self._scale, self._growing
            run_elementwise(rescale, (*targets, worst), numbers, out=targets)
        self._progress, self._inverse = {}, None

    def _factors(self):
        return float(self._growth_factor), float(self._backoff_factor), float(self._growth_interval)

    def _captured_by(self):
        """What a captured program takes for granted: the tensors it keeps its numbers in, and how far its iteration has come."""
        progress = [(key, p.stage, id(p.found)) for key, p in self._progress.items()]
        return self._enabled, id(self._scale), id(self._growing), id(self._inverse), progress

    # --- settings ----------------------------------------------------------------------------------------------------

    def get_scale(self) -> float:
        """The scale; reading it waits for the device."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale.item()

    def get_growth_factor(self) -> float:
        """What the scale is multiplied by after growth_interval good steps."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float):
        """Change what the scale is multiplied by after growth_interval good steps."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the scale is multiplied by after an overflow."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float):
        """Change what the scale is multiplied by after an overflow."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """The number of good steps in a row after which the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int):
        """Change the number of good steps in a row after which the scale grows."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self):
        if not self._enabled:
            return 0
        return self._init_growth_tracker if self._growing is None else int(self._growing.item())

    def is_enabled(self) -> bool:
        """Whether this scaler does anything."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """Scale, settings and count of good steps as numbers; empty if not enabled."""
        if not self._enabled:
            return {}
        return {"scale": self.get_scale(), "growth_factor": self._growth_factor, "backoff_factor": self._backoff_factor,
                "growth_interval": self._growth_interval, "_growth_tracker": self._get_growth_tracker()}

    def load_state_dict(self, state_dict: dict[str, Any]):
        """Restore a state_dict, also one of PyTorch's.  Raises CLTensorError for an empty one."""
        if not self._enabled:
            return
        if not state_dict:
            raise CLTensorError("The source state dict is empty, possibly because it was saved from a disabled instance of "
                                "GradScaler.")
        self._init_scale, self._init_growth_tracker = state_dict["scale"], state_dict["_growth_tracker"]
        self._growth_factor, self._backoff_factor = state_dict["growth_factor"], state_dict["backoff_factor"]
        self._growth_interval, self._inverse = state_dict["growth_interval"], None
        if self._scale is not None:
            self._scale.fill_(self._init_scale)
            self._growing.fill_(float(self._init_growth_tracker))

    def __getstate__(self):
        if self._progress:
            raise _Asserted("A GradScaler instance may only be pickled at the beginning of an iteration, or at the end after "
                            "update()")
        state = {n: value for n, value in self.__dict__.items() if n not in _UNSAVED}
        return {**state, "_init_scale": self.get_scale(), "_init_growth_tracker": self._get_growth_tracker()}

    def __setstate__(self, state):
        vars(self).update(state, _scale=None, _growing=None, _inverse=None, _found=WeakKeyDictionary(),
                          _unscaling=Foreach(unscale, writes=[0], fresh=[0], shared=[1]))


def _gradients(optimizer):
    """The gradients of an optimiser's parameters; of sparse ones the values."""
    grads = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    return [g._values() if isinstance(g, SparseBase) else g for g in grads]


def __dir__():
    return sorted(__all__)
