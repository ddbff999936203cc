"""cltensor.autograd.functional: vjp, jvp, jacobian, hessian, vhp and hvp of functions of tensors.

Forward-mode products are reverse mode applied twice: the gradient of v -> J(x).T v at any v, weighted by u, is J(x) u.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..base import calls
from ..base.errors import ArgumentTypeError, AssertedError, AutogradError, ShapeError
from ..dispatch.registry import REGISTRY
from ..dispatch.tensor_base import TensorBase
from .api import grad
from .modes import enable_grad, tangents

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _tensors(x, name, what):
    """x as a tuple of tensors.  Raises ArgumentTypeError for anything else."""
    made = tuple(x) if isinstance(x, (tuple, list)) else (x,)
    for t in made:
        if not isinstance(t, TensorBase):
            raise ArgumentTypeError(f"{name}: The {what} must be either a Tensor or a tuple of Tensors, got {calls.kind(t)}")
    return made


def _like(result, given):
    return tuple(result) if isinstance(given, (tuple, list)) else result[0]


def _inputs(inputs, create_graph, name):
    """Inputs as tensors that require grad: connected to the given ones with create_graph, else new leaves."""
    inputs = _tensors(inputs, name, "inputs")
    if create_graph:
        return tuple(x.view(x.shape) if x.requires_grad else x.detach().requires_grad_() for x in inputs)
    return tuple(x.detach().requires_grad_() for x in inputs)


def _outputs(func, xs, name, strict=False):
    """(the result of func, its tensors).  In strict mode each must require grad."""
    out = func(*xs)
    ys = _tensors(out, name, "outputs of the user-provided function")
    for i, y in enumerate(ys):
        if strict and not y.requires_grad:
            raise AutogradError(f"{name}: Output {i} of the user-provided function does not require gradients. The outputs must "
                                "be computed in a differentiable manner from the input when running in strict mode.")
    return out, ys


def _gradients(ys, xs, weights, create_graph):
    """Gradients of ys, weighted, with respect to xs; None where there is none."""
    live = [(y, w) for y, w in zip(ys, weights, strict=True) if y.requires_grad]
    if not live:
        return (None,) * len(xs)
    return grad([y for y, _ in live], xs, [w for _, w in live], create_graph=create_graph, allow_unused=True)


def _filled(gs, xs, strict, complaint):
    """Gradients with zeros for None; in strict mode None raises the complaint about input {i}."""
    if strict and any(g is None for g in gs):
        raise AutogradError(complaint.format(i=[g is None for g in gs].index(True)) + " This is not allowed in strict mode.")
    return tuple(x.detach().new_zeros(x.shape) if g is None else g for g, x in zip(gs, xs, strict=True))


def _independent(name):
    return f"{name}: The output of the user-provided function is independent of input {{i}}."


def _not_twice(name):
    return (f"{name}: While computing the hessian, found that the jacobian of the user-provided function with respect to input "
            "{i} is independent of the input.")


def _weights(v, like, name, what):
    """v as a tuple of tensors with the shapes of `like`; ones for a single element."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise AutogradError(f"{name}: The vector v can only be None if {what} a single Tensor with a single element")
        return (like[0].detach().new_ones(like[0].shape),)
    v = _tensors(v, name, "vector v")
    if len(v) != len(like):
        raise ShapeError(f"{name}: v is a tuple of invalid length: should be {len(like)} but got {len(v)}")
    for a, b in zip(v, like, strict=True):
        if tuple(a.shape) != tuple(b.shape):
            raise ShapeError(f"{name}: v has invalid size: should be {list(b.shape)} but got {list(a.shape)}")
    return v


_OF_INPUTS, _OF_OUTPUTS = "the input to the user-provided function is", "the user-provided function returns"


def _detached(result, create_graph):
    return result if create_graph else tuple(x.detach() for x in result)


def vjp(func: Callable[..., Any], inputs, v=None, create_graph: bool = False, strict: bool = False):
    """Return (func(inputs), v.T J): the product of a vector with the Jacobian of func.

    func takes the inputs, tensors of any shape and floating dtype, and returns one tensor or a tuple.  v has the shapes of the
    outputs, and may be left out for a single element; the product has those of the inputs.  create_graph: record the history of the
    results, for higher derivatives.  strict: an input that an output does not depend on is an error instead of a zero gradient.

    Raises AutogradError where func returns anything but tensors, where v is missing or does not fit, and in strict mode.
    Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.autograd.functional.

        >>> y, product = ct.autograd.functional.vjp(ct.exp, ct.zeros(2), ct.tensor([1.0, 3.0]))
        >>> product
        tensor([1., 3.])
    """
    with enable_grad():
        xs = _inputs(inputs, create_graph, "vjp")
        out, ys = _outputs(func, xs, "vjp", strict)
        gs = _gradients(ys, xs, _weights(v, ys, "vjp", _OF_OUTPUTS), create_graph)
        gs = _filled(gs, xs, strict, _independent("vjp"))
    return _like(_detached(ys, create_graph), out), _like(_detached(gs, create_graph), inputs)


def _pushed(ys, xs, v, create_graph, complaint=None):
    """J v by reverse mode twice.  complaint: raised about an input that ys do not depend on; see _filled."""
    dummy = tuple(y.detach().new_zeros(y.shape).requires_grad_() for y in ys)
    with tangents():
        gs = _gradients(ys, xs, dummy, True)
    if complaint is not None:
        _filled(gs, xs, True, complaint)
    used = [(g, w) for g, w in zip(gs, v, strict=True) if g is not None and g.requires_grad]
    if not used:
        return tuple(y.detach().new_zeros(y.shape) for y in ys)
    pushed = grad([g for g, _ in used], dummy, [w for _, w in used], create_graph=create_graph, allow_unused=True)
    return tuple(y.detach().new_zeros(y.shape) if p is None else p for p, y in zip(pushed, ys, strict=True))


def jvp(func: Callable[..., Any], inputs, v=None, create_graph: bool = False, strict: bool = False):
    """Return (func(inputs), J v): the product of the Jacobian of func with a vector, by reverse mode applied twice.

    func takes the inputs, tensors of any shape and floating dtype, and returns one tensor or a tuple.  v has the shapes of the
    inputs, and may be left out for a single element; the product has those of the outputs.  create_graph: record the history of the
    results, for higher derivatives.  strict: an input that an output does not depend on is an error instead of a zero gradient.

    Raises AutogradError where func returns anything but tensors, and where v is missing or does not fit.
    Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.autograd.functional.

        >>> y, product = ct.autograd.functional.jvp(ct.exp, ct.zeros(2), ct.tensor([1.0, 3.0]))
        >>> product
        tensor([1., 3.])
    """
    with enable_grad():
        xs = _inputs(inputs, create_graph, "jvp")
        v = _weights(v, xs, "jvp", _OF_INPUTS)
        out, ys = _outputs(func, xs, "jvp", strict)
        pushed = _pushed(ys, xs, v, create_graph, _independent("jvp") if strict else None)
    return _like(_detached(ys, create_graph), out), _like(_detached(pushed, create_graph), out)


def jacobian(func: Callable[..., Any], inputs, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
             strategy: str = "reverse-mode"):
    """Return the Jacobian of func: for each output and input a tensor of shape output.shape + input.shape.

    func takes the inputs, tensors of any shape and floating dtype, and returns one tensor or a tuple.  create_graph: record the
    history of the results, for higher derivatives.  strict: an input that an output does not depend on is an error instead of a
    zero gradient.  strategy: "reverse-mode" or "forward-mode"; both, and vectorize, give the same values, computed row by row.

    Raises AutogradError where func returns anything but tensors, and in strict mode; AssertedError for another strategy.
    Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.autograd.functional.

        >>> ct.autograd.functional.jacobian(ct.square, ct.tensor([1.0, 3.0]))
        tensor([[2., 0.],
                [0., 6.]])
    """
    _check_strategy("jacobian", strategy)
    with enable_grad():
        xs = _inputs(inputs, create_graph, "jacobian")
        out, ys = _outputs(func, xs, "jacobian", strict)
        rows = tuple(_jacobian_of(y, xs, create_graph, strict, f"jacobian: Output {i} of the user-provided function is independent "
                                  "of input {i}.") for i, y in enumerate(ys))
    return _like(tuple(_like(row, inputs) for row in rows), out)


def _check_strategy(name, strategy):
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertedError(f'{name}: Expected strategy to be either "forward-mode" or "reverse-mode", got {strategy!r}')


def _jacobian_of(y, xs, create_graph, strict, complaint):
    """Per input the Jacobian of one output, computed row by row."""
    columns = [[] for _ in xs]
    flat = y.reshape(-1)
    for i in range(flat.shape[0]):
        gs = (None,) * len(xs)
        if y.requires_grad:
            gs = grad(flat[i], xs, retain_graph=True, create_graph=create_graph, allow_unused=True)
        for column, g in zip(columns, _filled(gs, xs, strict, complaint), strict=True):
            column.append(g.reshape(-1))
    return tuple(_stacked(column, x).reshape(tuple(y.shape) + tuple(x.shape)) for column, x in zip(columns, xs, strict=True))


def _stacked(rows, x):
    return REGISTRY["stack_along"](*rows, dim=0) if rows else x.detach().new_empty((0, x.numel()))


def _scalar(func, xs, name, strict):
    """The tensor of one element that func(*xs) is.  Raises AutogradError for more."""
    _, ys = _outputs(func, xs, name, strict)
    if len(ys) != 1 or ys[0].numel() != 1:
        raise AutogradError(f"{name}: The Tensor returned by the function given to {name} should contain a single element")
    return ys[0]


def _slopes(func, xs, name, strict):
    """(the scalar func(*xs), its gradients, recorded).  In strict mode each must depend on the inputs."""
    y = _scalar(func, xs, name, strict)
    gs = _gradients((y,), xs, (None,), True)
    if strict:
        _filled(gs, xs, True, _independent(name))
        _filled([g if g.requires_grad else None for g in gs], xs, True, _not_twice(name))
    return y, gs


def hessian(func: Callable[..., Any], inputs, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
            outer_jacobian_strategy: str = "reverse-mode"):
    """Return the matrix of second derivatives of a scalar function: for each pair of inputs a tensor of both shapes.

    func takes the inputs, tensors of any shape and floating dtype, and returns one element.  create_graph: record the history of
    the results, for higher derivatives.  strict: an input that an output does not depend on is an error instead of a zero
    gradient.  outer_jacobian_strategy and vectorize: see jacobian.

    Raises AutogradError where func returns more than one element; AssertedError for another strategy.
    Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.autograd.functional.

        >>> ct.autograd.functional.hessian(lambda x: (x**3).sum(), ct.tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    _check_strategy("hessian", outer_jacobian_strategy)
    single = not isinstance(inputs, (tuple, list))

    def gradient(*xs):
        gs = _filled(_slopes(func, xs, "hessian", strict)[1], xs, False, "")
        return gs[0] if single else gs

    return jacobian(gradient, inputs, create_graph)


def vhp(func: Callable[..., Any], inputs, v=None, create_graph: bool = False, strict: bool = False):
    """Return (func(inputs), v.T H): the product of a vector with the Hessian of a scalar function.

    func takes the inputs, tensors of any shape and floating dtype, and returns one element; v and the product have the shapes of
    the inputs.  create_graph: record the history of the results, for higher derivatives.  strict: an input that an output does not
    depend on is an error instead of a zero gradient.

    Raises AutogradError where func returns more than one element, where v is missing or does not fit, and in strict mode.
    Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.autograd.functional.

        >>> y, product = ct.autograd.functional.vhp(lambda x: (x**3).sum(), ct.tensor([1.0, 2.0]), ct.ones(2))
        >>> product
        tensor([ 6., 12.])
    """
    return _hessian_product("vhp", func, inputs, v, create_graph, strict)


def hvp(func: Callable[..., Any], inputs, v=None, create_graph: bool = False, strict: bool = False):
    """Return (func(inputs), H v): as vhp, since the Hessian is symmetric.

    func takes the inputs, tensors of any shape and floating dtype, and returns one element; v and the product have the shapes of
    the inputs.  create_graph: record the history of the results, for higher derivatives.  strict: an input that an output does not
    depend on is an error instead of a zero gradient.

    Raises AutogradError where func returns more than one element, where v is missing or does not fit, and in strict mode.
    Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.autograd.functional.

        >>> y, product = ct.autograd.functional.hvp(lambda x: (x**3).sum(), ct.tensor([1.0, 2.0]), ct.ones(2))
        >>> product
        tensor([ 6., 12.])
    """
    return _hessian_product("hvp", func, inputs, v, create_graph, strict)


def _hessian_product(name, func, inputs, v, create_graph, strict):
    with enable_grad():
        xs = _inputs(inputs, create_graph, name)
        v = _weights(v, xs, name, _OF_INPUTS)
        y, gs = _slopes(func, xs, name, strict)
        found = _gradients(_filled(gs, xs, False, ""), xs, v, create_graph)
        found = _filled(found, xs, strict, _not_twice(name))
    return _detached((y,), create_graph)[0], _like(_detached(found, create_graph), inputs)


def __dir__():
    return sorted(__all__)
