"""Variable and switches of PyTorch's engine: names of older programs that mean Tensor, or nothing, here."""

from __future__ import annotations

from typing import Any

from ..base import calls
from ..base.errors import ArgumentTypeError
from ..dispatch.tensor_base import TensorBase

__all__ = ["Variable", "is_multithreading_enabled", "is_view_replay_enabled", "set_multithreading_enabled"]


class _OfTensors(type):
    """The metaclass of Variable: every tensor is an instance, and calling it returns one."""

    def __instancecheck__(cls, obj):
        return isinstance(obj, TensorBase)

    def __call__(cls, data: Any, requires_grad: bool = False):
        if not isinstance(data, TensorBase):
            raise ArgumentTypeError(f"Variable: expected a Tensor, got {calls.kind(data)}")
        return data.detach().requires_grad_(requires_grad)


class Variable(metaclass=_OfTensors):
    """What tensors with gradients once were: Variable(tensor, requires_grad) is tensor's memory as a leaf, of any shape and dtype.

    Raises ArgumentTypeError for anything but a tensor.  Source: PyTorch 0.3; since 0.4 a Tensor is one.

        x = autograd.Variable(cltensor.ones(2), requires_grad=True)
    """


def is_multithreading_enabled() -> bool:
    """False: backward() runs in the thread that calls it.  No shape or dtype plays a part.  Never raises.

    Source: PyTorch 2.13's autograd.is_multithreading_enabled.

        autograd.is_multithreading_enabled()
    """
    return False


class set_multithreading_enabled:
    """Accepted for PyTorch's sake, as a call and as a block: backward() runs in the thread that calls it.

    No shape or dtype plays a part.  Never raises.  Source: PyTorch 2.13's autograd.set_multithreading_enabled.

        with autograd.set_multithreading_enabled(False):
            loss.backward()
    """

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, *exc: object) -> None:
        """Nothing."""

    def clone(self) -> set_multithreading_enabled:
        """Another of the same mode.  Never raises."""
        return set_multithreading_enabled(self.mode)


def is_view_replay_enabled() -> bool:
    """False: a view's history after a write is made by its strides.  No shape or dtype plays a part.  Never raises.

    Source: PyTorch 2.13's autograd.is_view_replay_enabled.

        autograd.is_view_replay_enabled()
    """
    return False


def __dir__():
    return sorted(__all__)
