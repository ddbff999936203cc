"""Forward mode with torch.autograd.forward_ad's names: dual tensors, which carry a tangent through any op.

A dual tensor is a leaf of the recorded graph.  The tangent of a result is its Jacobian times the tangents of the dual tensors it
depends on, by reverse mode applied twice: so every op with a second gradient has one, and unpack_dual does the work.
"""

from __future__ import annotations

import contextlib
import threading
from typing import Any, NamedTuple

from ..base import calls
from ..base.context import context
from ..base.errors import ArgumentError, ArgumentTypeError, AutogradError, ShapeError
from ..dispatch.saved import continued
from ..dispatch.tensor_base import TensorBase
from .api import grad
from .graph import GradientEdge
from .modes import enable_grad, tangents

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]


class UnpackedDualTensor(NamedTuple):
    """What unpack_dual returns: the values, and the tangent or None; both of the same shape and floating dtype.

    Never raises.  Source: PyTorch 2.13's autograd.forward_ad.

        primal, tangent = forward_ad.unpack_dual(dual)
    """

    primal: Any
    tangent: Any


class _Levels(threading.local):
    """The dual tensors of the thread's level, [(edge, tangent, whether primal or tangent has a history)]; None outside."""

    duals = None
    before = True


_levels = _Levels()


def enter_dual_level() -> int:
    """Begin to carry tangents; returns the level, 0.  dual_level is safer, since it ends by itself.

    No shape or dtype plays a part.  Raises AutogradError inside another level.
    Source: PyTorch 2.13's autograd.forward_ad.enter_dual_level.

        level = forward_ad.enter_dual_level()
        forward_ad.exit_dual_level(level=level)
    """
    if _levels.duals is not None:
        raise AutogradError("enter_dual_level: Nested forward mode AD is not supported; func.jvp nests")
    _levels.duals, _levels.before = [], context.grad
    context.grad = context.forward = True
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """End the level: its tensors have no tangents from then on.

    No shape or dtype plays a part.  Raises AutogradError outside a level, or for another one than the last.
    Source: PyTorch 2.13's autograd.forward_ad.exit_dual_level.

        forward_ad.enter_dual_level()
        forward_ad.exit_dual_level()
    """
    if _levels.duals is None:
        raise AutogradError("exit_dual_level: there is no level to exit; call enter_dual_level() first")
    if level not in (None, 0):
        raise AutogradError(f"exit_dual_level: level {level} is not the last one that was entered, which is 0")
    _levels.duals = None
    context.grad, context.forward = _levels.before, False


class dual_level(contextlib.ContextDecorator):
    """A block in which dual tensors can be made and tangents read; they are gone after it.

    Ops record what tangents need, under no_grad too.  No shape or dtype plays a part.
    Raises AutogradError inside another level.
    Source: forward mode by two reverse passes, as in Christianson, 1992; the names of PyTorch 2.13.

        with forward_ad.dual_level():
            dual = forward_ad.make_dual(x, direction)
            tangent = forward_ad.unpack_dual(dual.sin().sum()).tangent
    """

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exc: object) -> None:
        exit_dual_level()


def make_dual(tensor: Any, tangent: Any, *, level: int | None = None) -> Any:
    """A dual tensor: tensor's memory, carrying a tangent of its shape and device, both of floating dtypes.

    Gradients flow to tensor and tangent where they require grad.  The result takes part in the recorded graph, so its
    requires_grad is True.

    Raises AutogradError outside a level or for a tensor with a tangent, ArgumentError for dtypes that are not floating, ShapeError
    for another shape.
    Source: PyTorch 2.13's autograd.forward_ad.make_dual.

        with forward_ad.dual_level():
            dual = forward_ad.make_dual(cltensor.ones(2), cltensor.tensor([1.0, 0.0]))
    """
    if _levels.duals is None:
        raise AutogradError("make_dual: Trying to create a dual Tensor for forward AD but no level exists, make sure to "
                            "enter_dual_level() first.")
    _check_level("make_dual", level)
    for name, x in (("primal", tensor), ("tangent", tangent)):
        if not isinstance(x, TensorBase):
            raise ArgumentTypeError(f"make_dual: expected {name} to be a Tensor, got {calls.kind(x)}")
        if not x._spec.dtype.is_inexact:
            raise ArgumentError(f"make_dual: Expected {name} to be floating point or complex, but got: {x.dtype}")
    if tensor.shape != tangent.shape:
        raise ShapeError("make_dual: Trying to set a forward gradient that has a different size than that of the original Tensor: "
                         f"the tensor is of size {list(tensor.shape)}, the tangent of size {list(tangent.shape)}")
    if any(tensor.grad_fn is edge.node for edge, _, _ in _levels.duals):
        raise AutogradError("make_dual: Making a dual Tensor based on a Tensor that already has a forward gradient at the same "
                            "level 0 is not supported.")
    dual = continued(tensor, tensor)
    kept = tensor.requires_grad or tangent.requires_grad
    _levels.duals.append((GradientEdge(dual._node, 0), tangent, kept))
    return dual


def unpack_dual(tensor: Any, *, level: int | None = None) -> UnpackedDualTensor:
    """(primal, tangent) of a tensor of any shape and dtype; None for the tangent outside a level, or where no dual tensor went in.

    Raises AutogradError for a level that was not entered, and where an op between has no second gradient.
    Source: PyTorch 2.13's autograd.forward_ad.unpack_dual.

        with forward_ad.dual_level():
            y = forward_ad.make_dual(cltensor.ones(2), cltensor.ones(2)) * 3
            primal, tangent = forward_ad.unpack_dual(y)
    """
    if not isinstance(tensor, TensorBase):
        raise ArgumentTypeError(f"unpack_dual: expected a Tensor, got {calls.kind(tensor)}")
    if _levels.duals is None:
        return UnpackedDualTensor(tensor, None)
    _check_level("unpack_dual", level)
    found = _tangent(tensor) if tensor.requires_grad else None
    if found is None:
        return UnpackedDualTensor(tensor, None)
    if not any(kept for _, _, kept in _levels.duals):
        return UnpackedDualTensor(tensor.detach(), found.detach())
    return UnpackedDualTensor(tensor, found)


def _check_level(name, level):
    if level not in (None, 0):
        raise AutogradError(f"{name}: Invalid level {level}; the one that was entered is 0")


def _tangent(y):
    """The tangent of y, or None where y depends on no dual tensor."""
    edges = [edge for edge, _, _ in _levels.duals]
    with enable_grad():
        weights = y.detach().new_zeros(y.shape).requires_grad_()
        with tangents():
            gs = grad(y, edges, weights, retain_graph=True, create_graph=True, allow_unused=True) if edges else ()
        reached = [(g, tangent) for g, (_, tangent, _) in zip(gs, _levels.duals, strict=True) if g is not None]
        if not reached:
            return None
        moving = [(g, tangent.to(g.dtype)) for g, tangent in reached if g.requires_grad]
        if not moving:
            return weights.detach()
        return grad([g for g, _ in moving], weights, [t for _, t in moving], create_graph=True, materialize_grads=True)[0]


for _fn in (enter_dual_level, exit_dual_level, make_dual, unpack_dual):
    calls.named(_fn, _fn.__name__)


def __dir__():
    return sorted(__all__)
