"""Derivatives as functions: each takes a function and returns one, and they nest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.api import grad as autograd_grad
from ..autograd.functional import _pushed
from ..autograd.modes import enable_grad
from ..autograd.trees import leaves, mapped, rebuild
from ..base.errors import ArgumentError, AutogradError
from ..tensor import Tensor
from ..tensor.shape.joining import stack


def _tracked(x):
    """x as a tensor that can have a gradient: linked to x if x has a history, else a separate leaf."""
    _check_tensor(x)
    return x.view(x.shape) if x.requires_grad else x.detach().requires_grad_()


def _check_tensor(x):
    if not isinstance(x, Tensor):
        raise ArgumentError(f"func: expected Tensors to differentiate with respect to, got {type(x).__name__}")


def _released(tree, originals):
    """Detach results from the graph, unless the caller's own tensors need a gradient."""
    keep = any(isinstance(x, Tensor) and x.requires_grad for x in leaves(originals))
    return tree if keep else mapped(lambda x: x.detach() if isinstance(x, Tensor) else x, tree)


def _split(args, argnums):
    wanted = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for i in wanted:
        if not -len(args) <= i < len(args):
            raise ArgumentError(f"func: got argnum={i}, but only {len(args)} positional inputs")
    return [i % len(args) for i in wanted]


def grad_and_value(func: Callable[..., Any], argnums=0, has_aux: bool = False):
    """Return a function that gives (gradient of func with respect to argnums, func's value).

    func takes tensors of any shape and floating dtype, or nests of them, and returns a tensor without dimensions; with has_aux a
    pair of it and anything else, and then the value is a pair too.  A gradient has the structure, shapes and dtypes of its
    argument.

    Raises AutogradError where func returns anything but a floating scalar; ArgumentError for an argnum that does not exist, or an
    argument that is no tensor.
    Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.func.

        >>> slope, value = ct.func.grad_and_value(lambda x: (x**2).sum())(ct.tensor([1.0, 3.0]))
        >>> slope, value.item()
        (tensor([2., 6.]), 10.0)
    """

    def differentiated(*args, **kwargs):
        wanted = _split(args, argnums)
        with enable_grad():
            tracked = list(args)
            for i in wanted:
                tracked[i] = mapped(_tracked, args[i])
            result = func(*tracked, **kwargs)
            value, aux = result if has_aux else (result, None)
            if not isinstance(value, Tensor) or value.ndim or not value.dtype.is_floating_point:
                what = f"shape {list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
                raise AutogradError("grad: Expected the function given to grad to return a single scalar floating tensor, got "
                                    f"{what}")
            parts = [tracked[i] for i in wanted]
            xs = leaves(parts)
            gs = [x.detach().new_zeros(x.shape) for x in xs]
            if value.requires_grad:
                gs = autograd_grad(value, xs, create_graph=True, materialize_grads=True)
        gradients = rebuild(parts, gs)
        gradients = gradients[0] if isinstance(argnums, int) else tuple(gradients)
        everything = (list(args), kwargs)
        gradients, value = _released((gradients, value), everything)
        return (gradients, (value, _released(aux, everything))) if has_aux else (gradients, value)

    return differentiated


def value_and_grad(func: Callable[..., Any], argnums=0, has_aux: bool = False):
    """Return a function that gives (func's value, gradient): grad_and_value the other way round.

    func takes tensors of any shape and floating dtype and returns a tensor without dimensions; with has_aux a pair of it and
    anything else, and the result is then ((value, aux), gradient).

    Raises AutogradError where func returns anything but a floating scalar; ArgumentError for an argnum that does not exist.
    Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.func.

        >>> value, slope = ct.func.value_and_grad(lambda x: (x**2).sum())(ct.tensor([1.0, 3.0]))
        >>> slope, value.item()
        (tensor([2., 6.]), 10.0)
    """
    both = grad_and_value(func, argnums, has_aux)
    return lambda *args, **kwargs: both(*args, **kwargs)[::-1]


def grad(func: Callable[..., Any], argnums=0, has_aux: bool = False):
    """Return a function that gives the gradient of func with respect to its arguments argnums.

    func takes tensors of any shape and floating dtype, or nests of them, and returns a tensor without dimensions; with has_aux a
    pair of it and anything else, and then so does the new function.  A gradient has the shape and dtype of its argument.

    Raises AutogradError where func returns anything but a floating scalar; ArgumentError for an argnum that does not exist.
    Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.func.

        >>> third = ct.func.grad(ct.func.grad(ct.func.grad(lambda x: x**4)))
        >>> third(ct.tensor(2.0)).item()
        48.0
    """
    both = grad_and_value(func, argnums, has_aux)

    def differentiated(*args, **kwargs):
        gradients, value = both(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return differentiated


def vjp(func: Callable[..., Any], *primals, has_aux: bool = False):
    """Return (func(*primals), the function that multiplies cotangents with func's Jacobian).

    primals: tensors of any shape and floating dtype, or nests of them.  The second result takes one cotangent for each output, of
    its shape, and returns a tuple with a gradient for each primal; it may be called again.  With has_aux func returns a pair, and
    its second half is the third result.

    Raises ArgumentError for a primal that is no tensor, or for another number of cotangents than of outputs.
    Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.func.

        >>> y, pull = ct.func.vjp(ct.sin, ct.zeros(2))
        >>> pull(ct.tensor([1.0, 2.0]))
        (tensor([1., 2.]),)
    """
    with enable_grad():
        tracked = [mapped(_tracked, p) for p in primals]
        result = func(*tracked)
    out, aux = result if has_aux else (result, None)
    xs, ys = leaves(tracked), leaves(out)

    def pull(*cotangents, retain_graph=True, create_graph=None):
        given = cotangents[0] if len(cotangents) == 1 else cotangents
        vs = leaves(given)
        if len(vs) != len(ys):
            raise ArgumentError(f"vjp: the function has {len(ys)} outputs, got {len(vs)} cotangents")
        with enable_grad():
            pairs = [(y, v) for y, v in zip(ys, vs, strict=True) if y.requires_grad]
            gs = autograd_grad([y for y, _ in pairs], xs, [v for _, v in pairs], create_graph=True, materialize_grads=True) \
                if pairs else [x.detach().new_zeros(x.shape) for x in xs]
        return tuple(_released(rebuild(tracked, gs), [list(primals), given]))

    out = _released(out, list(primals))
    return (out, pull, _released(aux, list(primals))) if has_aux else (out, pull)


def jvp(func: Callable[..., Any], primals, tangents, *, strict: bool = False, has_aux: bool = False):
    """Return (func(*primals), the Jacobian of func times tangents).

    primals and tangents: as many tensors, of equal shapes and floating dtypes.  It runs reverse mode twice, so every op with a
    gradient will do.  With has_aux func returns a pair, and its second half is the third result.

    Raises ArgumentError for another number of tangents than of primals, or for a primal that is no tensor.
    Source: reverse mode applied twice, Townsend, A new trick for calculating Jacobian vector products, 2017; names of torch.func.

        >>> y, moved = ct.func.jvp(ct.sin, (ct.zeros(2),), (ct.tensor([1.0, 2.0]),))
        >>> moved
        tensor([1., 2.])
    """
    if len(primals) != len(tangents):
        raise ArgumentError(f"jvp: expected as many tangents as primals, got {len(tangents)} and {len(primals)}")
    with enable_grad():
        tracked = [mapped(_tracked, p) for p in primals]
        result = func(*tracked)
        out, aux = result if has_aux else (result, None)
        ys = leaves(out)
        live = [y for y in ys if y.requires_grad]
        pushed = iter(_pushed(live, leaves(tracked), leaves(list(tangents)), True) if live else ())
        tangents_out = [next(pushed) if y.requires_grad else y.detach().new_zeros(y.shape) for y in ys]
    everything = [list(primals), list(tangents)]
    out, moved = _released((out, rebuild(out, tangents_out)), everything)
    return (out, moved, _released(aux, everything)) if has_aux else (out, moved)


def linearize(func: Callable[..., Any], *primals):
    """Return (func(*primals), the function that multiplies func's Jacobian there with tangents).

    primals and tangents: as many tensors, of equal shapes and floating dtypes.

    Raises ArgumentError from the second result for another number of tangents than of primals.
    Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.func.

        >>> y, push = ct.func.linearize(ct.sin, ct.zeros(2))
        >>> push(ct.ones(2))
        tensor([1., 1.])
    """
    out = func(*primals)
    return out, lambda *tangents: jvp(func, primals, tangents)[1]


def jacrev(func: Callable[..., Any], argnums=0, *, has_aux: bool = False, chunk_size=None):
    """Return a function that gives the Jacobian of func with respect to argnums, row by row in reverse mode.

    func takes and returns tensors of any shape and floating dtype; the Jacobian has the shape of the output followed by that of the
    argument.  It is the choice where the output has fewer elements than the argument.  chunk_size is accepted; rows are computed
    one after another.  With has_aux func returns a pair, and the result is (Jacobian, second half).

    Raises ArgumentError for an argnum that does not exist, or an argument that is no tensor.
    Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.func.

        >>> ct.func.jacrev(lambda x: x**2)(ct.tensor([1.0, 3.0]))
        tensor([[2., 0.],
                [0., 6.]])
    """

    def differentiated(*args):
        wanted = _split(args, argnums)

        def partial(*chosen):
            full = list(args)
            for i, x in zip(wanted, chosen, strict=True):
                full[i] = x
            return func(*full)

        result = vjp(partial, *(args[i] for i in wanted), has_aux=has_aux)
        out, pull = result[0], result[1]
        ys = leaves(out)
        rows = [_rows(ys, k, pull) for k in range(len(ys))]
        one = isinstance(argnums, int)
        jacobians = [_assembled(y, row, [args[i] for i in wanted], one) for y, row in zip(ys, rows, strict=True)]
        jacobian = rebuild(out, jacobians) if not isinstance(out, Tensor) else jacobians[0]
        return (jacobian, result[2]) if has_aux else jacobian

    return differentiated


def _rows(ys, k, pull):
    """The unit vectors of output k, pulled back."""
    rows = []
    for i in range(ys[k].numel()):
        seeds = [y.detach().new_zeros(y.shape) for y in ys]
        seeds[k] = _unit(ys[k], i)
        rows.append(pull(tuple(seeds) if len(seeds) > 1 else seeds[0]))
    return rows


def _unit(y, i):
    n = y.numel()
    flat = y.detach().new_zeros((n,))
    flat[i] = 1
    return flat.reshape(y.shape)


def _assembled(y, rows, args, one):
    parts = []
    for position, arg in enumerate(args):
        per_leaf = [[leaves(row[position])[j] for row in rows] for j in range(len(leaves(arg)))]
        stacked = [stack(column).reshape(tuple(y.shape) + tuple(x.shape)) for column, x in zip(per_leaf, leaves(arg), strict=True)]
        parts.append(rebuild(arg, stacked) if not isinstance(arg, Tensor) else stacked[0])
    return parts[0] if one else tuple(parts)


def jacfwd(func: Callable[..., Any], argnums=0, has_aux: bool = False, *, randomness: str = "error"):
    """Return a function that gives the Jacobian of func with respect to argnums, column by column by forward products.

    func takes and returns tensors of any shape and floating dtype; the Jacobian has the shape of the output followed by that of the
    argument.  It is the choice where the argument has fewer elements than the output.  With has_aux func returns a pair, and the
    result is (Jacobian, second half).

    Raises ArgumentError for an argnum that does not exist, or an argument that is no tensor.
    Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.func.

        >>> ct.func.jacfwd(lambda x: x**2)(ct.tensor([1.0, 3.0]))
        tensor([[2., 0.],
                [0., 6.]])
    """

    def differentiated(*args):
        wanted = _split(args, argnums)
        parts = []
        for i in wanted:
            x = args[i]
            _check_tensor(x)

            def along(value, i=i):
                return func(*args[:i], value, *args[i + 1:])

            columns = [jvp(along, (x,), (_unit(x, k),), has_aux=has_aux) for k in range(x.numel())]
            aux = columns[0][2] if has_aux else None
            moved = [leaves(c[1]) for c in columns]
            shapes = [tuple(y.shape) + tuple(x.shape) for y in moved[0]]
            stacked = [stack([m[j] for m in moved], -1).reshape(shape) for j, shape in enumerate(shapes)]
            parts.append(rebuild(columns[0][1], stacked) if not isinstance(columns[0][1], Tensor) else stacked[0])
        jacobian = parts[0] if isinstance(argnums, int) else tuple(parts)
        return (jacobian, aux) if has_aux else jacobian

    return differentiated


def hessian(func: Callable[..., Any], argnums=0):
    """Return a function that gives the second derivatives of func with respect to argnums.

    func takes tensors of any shape and floating dtype and returns one without dimensions; the result has the shape of the argument
    twice.

    Raises ArgumentError for an argnum that does not exist, or an argument that is no tensor.
    Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.func.

        >>> ct.func.hessian(lambda x: (x**3).sum())(ct.tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
