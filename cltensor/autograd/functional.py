"""cltensor.autograd.functional: vjp, jvp, jacobian, hessian, vhp and hvp of functions of tensors.

Forward-mode products are reverse mode applied twice: the gradient of v -> J(x).T v at any v, weighted by u, is J(x) u.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..base.errors import AssertedError, AutogradError, ShapeError
from ..dispatch.registry import REGISTRY
from .api import grad
from .modes import enable_grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _tuple(x):
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _like(result, given):
    return tuple(result) if isinstance(given, (tuple, list)) else result[0]


def _inputs(inputs, create_graph):
    """Inputs as tensors that require grad: connected to the given ones with create_graph, else new leaves."""
    if create_graph:
        return tuple(x.view(x.shape) if x.requires_grad else x.detach().requires_grad_() for x in _tuple(inputs))
    return tuple(x.detach().requires_grad_() for x in _tuple(inputs))


def _outputs(func, xs, name):
    out = func(*xs)
    for y in _tuple(out):
        if not hasattr(y, "requires_grad"):
            raise AutogradError(f"{name}: the outputs of the user-provided function must be Tensors, got {type(y).__name__}")
    return out, _tuple(out)


def _filled(gs, xs, strict, name):
    if strict and any(g is None for g in gs):
        raise AutogradError(f"{name}: Output 0 of the user-provided function is independent of input {gs.index(None)}. "
                            "This is not allowed in strict mode.")
    return tuple(x.detach().new_zeros(x.shape) if g is None else g for g, x in zip(gs, xs, strict=True))


def _weights(v, like, name):
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise AutogradError(f"{name}: The vector v can only be None if the user-provided function (or its input) is a single "
                                "Tensor with a single element")
        return (like[0].detach().new_ones(like[0].shape),)
    v = _tuple(v)
    for a, b in zip(v, like, strict=True):
        if tuple(a.shape) != tuple(b.shape):
            raise ShapeError(f"{name}: v has shape {list(a.shape)}, expected {list(b.shape)}")
    return v


def _detached(result, create_graph):
    return result if create_graph else tuple(x.detach() for x in result)


def vjp(func: Callable[..., Any], inputs, v=None, create_graph: bool = False, strict: bool = False):
    """(func(inputs), v.T J): the product of a vector with the Jacobian of func."""
    with enable_grad():
        xs = _inputs(inputs, create_graph)
        out, ys = _outputs(func, xs, "vjp")
        gs = grad(ys, xs, _weights(v, ys, "vjp"), create_graph=create_graph, allow_unused=True)
        gs = _filled(gs, xs, strict, "vjp")
    return _like(_detached(ys, create_graph), out), _like(_detached(gs, create_graph), inputs)


def _pushed(ys, xs, v, create_graph):
    """J v by reverse mode twice."""
    dummy = tuple(y.detach().new_zeros(y.shape).requires_grad_() for y in ys)
    gs = grad(ys, xs, dummy, create_graph=True, allow_unused=True)
    used = [(g, w) for g, w in zip(gs, v, strict=True) if g is not None and g.requires_grad]
    if not used:
        return tuple(y.detach().new_zeros(y.shape) for y in ys)
    pushed = grad([g for g, _ in used], dummy, [w for _, w in used], create_graph=create_graph, allow_unused=True)
    return tuple(y.detach().new_zeros(y.shape) if p is None else p for p, y in zip(pushed, ys, strict=True))


def jvp(func: Callable[..., Any], inputs, v=None, create_graph: bool = False, strict: bool = False):
    """(func(inputs), J v): the product of the Jacobian of func with a vector."""
    with enable_grad():
        xs = _inputs(inputs, create_graph)
        out, ys = _outputs(func, xs, "jvp")
        pushed = _pushed(ys, xs, _weights(v, xs, "jvp"), create_graph)
    return _like(_detached(ys, create_graph), out), _like(_detached(pushed, create_graph), out)


def jacobian(func: Callable[..., Any], inputs, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
             strategy: str = "reverse-mode"):
    """The Jacobian of func: for each output and input a tensor of shape output.shape + input.shape.

    strategy: "reverse-mode" or "forward-mode"; both, and vectorize, give the same values, computed row by row.
    """
    _check_strategy("jacobian", strategy)
    with enable_grad():
        xs = _inputs(inputs, create_graph)
        out, ys = _outputs(func, xs, "jacobian")
        rows = tuple(_jacobian_of(y, xs, create_graph, strict) for y in ys)
    shaped = tuple(_like(row, inputs) for row in rows)
    return _like(shaped, out)


def _check_strategy(name, strategy):
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertedError(f'{name}: Expected strategy to be either "forward-mode" or "reverse-mode", got {strategy!r}')


def _jacobian_of(y, xs, create_graph, strict):
    """Per input the Jacobian of one output, computed row by row."""
    columns = [[] for _ in xs]
    flat = y.reshape(-1)
    for i in range(flat.shape[0]):
        gs = [None] * len(xs)
        if y.requires_grad:
            gs = grad(flat[i], xs, retain_graph=True, create_graph=create_graph, allow_unused=True)
        for column, g in zip(columns, _filled(tuple(gs), xs, strict, "jacobian"), strict=True):
            column.append(g.reshape(-1))
    return tuple(_stacked(column, x).reshape(tuple(y.shape) + tuple(x.shape)) for column, x in zip(columns, xs, strict=True))


def _stacked(rows, x):
    return REGISTRY["stack_along"](*rows, dim=0) if rows else x.detach().new_empty((0, x.numel()))


def _scalar(func, name):
    def checked(*xs):
        out = func(*xs)
        if not hasattr(out, "numel") or out.numel() != 1:
            raise AutogradError(f"{name}: The Tensor returned by the function given should contain a single element")
        return out.reshape(())

    return checked


def hessian(func: Callable[..., Any], inputs, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
            outer_jacobian_strategy: str = "reverse-mode"):
    """The matrix of second derivatives of a scalar function: for each pair of inputs a tensor of both shapes.

    outer_jacobian_strategy and vectorize: see jacobian.
    """
    _check_strategy("hessian", outer_jacobian_strategy)
    single = not isinstance(inputs, (tuple, list))
    scalar = _scalar(func, "hessian")

    def gradient(*xs):
        gs = grad(scalar(*xs), xs, create_graph=True, allow_unused=True)
        gs = tuple(x.detach().new_zeros(x.shape) if g is None else g for g, x in zip(gs, xs, strict=True))
        return gs[0] if single else gs

    return jacobian(gradient, inputs, create_graph, strict)


def vhp(func: Callable[..., Any], inputs, v=None, create_graph: bool = False, strict: bool = False):
    """(func(inputs), v.T H): the product of a vector with the Hessian of a scalar function."""
    with enable_grad():
        xs = _inputs(inputs, create_graph)
        y = _scalar(func, "vhp")(*xs)
        gs = _filled(grad(y, xs, create_graph=True, allow_unused=True), xs, strict, "vhp")
        used = [(g, w) for g, w in zip(gs, _weights(v, xs, "vhp"), strict=True) if g.requires_grad]
        hs = [None] * len(xs)
        if used:
            hs = grad([g for g, _ in used], xs, [w for _, w in used], create_graph=create_graph, allow_unused=True)
        hs = _filled(tuple(hs), xs, strict, "vhp")
    return _detached((y,), create_graph)[0], _like(_detached(hs, create_graph), inputs)


def hvp(func: Callable[..., Any], inputs, v=None, create_graph: bool = False, strict: bool = False):
    """(func(inputs), H v): as vhp, since the Hessian is symmetric."""
    return vhp(func, inputs, v, create_graph, strict)
