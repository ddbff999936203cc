"""swap_tensors: exchange two tensors in place, for all who hold them."""

from __future__ import annotations

from ..base import calls
from ..base.errors import ArgumentTypeError
from ..dispatch.tensor_base import TensorBase
from ..tensor import Tensor


def swap_tensors(t1: Tensor, t2: Tensor) -> None:
    """Exchange everything about two tensors of any shapes and dtypes: memory, history, class and attributes.

    Whoever holds one sees the other from then on.  Raises ArgumentTypeError for anything but tensors.
    Source: PyTorch 2.13's utils.swap_tensors.

        utils.swap_tensors(x, y)
    """
    for t in (t1, t2):
        if not isinstance(t, TensorBase):
            raise ArgumentTypeError(f"swap_tensors: expected Tensors, got {calls.kind(t)}")
    t1.__class__, t2.__class__ = t2.__class__, t1.__class__
    first, second = dict(vars(t1)), dict(vars(t2))
    for t, held in ((t1, second), (t2, first)):
        vars(t).clear()
        vars(t).update(held)


calls.named(swap_tensors, "swap_tensors")
