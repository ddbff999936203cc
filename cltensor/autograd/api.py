"""cltensor.autograd: backward and grad."""

from __future__ import annotations

import warnings

from ..base.errors import ArgumentError, AutogradError, ShapeError
from ..dispatch.node import AccumulateGrad, Node, edge_of
from ..dispatch.registry import REGISTRY
from ..dispatch.run_elementwise import filled
from ..dispatch.tensor_base import SparseBase
from . import engine
from .graph import GradientEdge


def _tuple(x):
    many = isinstance(x, (list, tuple)) and not isinstance(x, GradientEdge)
    return () if x is None else tuple(x) if many else (x,)


def _edge(x):
    """Where the gradient of a tensor, or of a GradientEdge, goes."""
    if not isinstance(x, GradientEdge):
        return edge_of(x)
    return (x.node.variable, 0) if isinstance(x.node, AccumulateGrad) else (x.node, x.output_nr)


def _spec_of(x):
    """The Spec of a tensor, or of the output that a GradientEdge names."""
    if not isinstance(x, GradientEdge):
        return x._spec
    return x.node.variable._spec if isinstance(x.node, AccumulateGrad) else x.node.out_specs[x.output_nr]


def _filled(x, value):
    """A tensor full of one number, of the shape, dtype and device of a tensor or of what a GradientEdge names."""
    end = x if not isinstance(x, GradientEdge) else _edge(x)[0]
    while isinstance(end, Node):
        end = next(e for e in end.edges if e is not None)[0]
    return filled(end._plain, _spec_of(x), value)


def _dense(x):
    """What gradients of a tensor belong to: the values of a sparse one, every other tensor itself."""
    return x._values() if isinstance(x, SparseBase) else x


def _roots(outputs, grads):
    grads = grads or (None,) * len(outputs)
    if len(grads) != len(outputs):
        raise ArgumentError(f"got {len(outputs)} tensors and {len(grads)} gradients; give one each, None for a scalar")
    roots = []
    for out, g in zip(outputs, grads, strict=True):
        if not isinstance(out, GradientEdge) and not out.requires_grad:
            raise AutogradError("backward: element 0 of tensors does not require grad and does not have a grad_fn. Set "
                                "requires_grad=True on what you want gradients of, and leave no_grad()")
        if isinstance(out, SparseBase):
            out, g = out._values(), None if g is None else out._gradient_of_values(g)
        roots.append((*_edge(out), _initial(out, g)))
    return roots


def _initial(out, g):
    """The gradient of an output: g, or 1 where it is None."""
    spec = _spec_of(out)
    if g is None:
        if spec.numel != 1:
            raise AutogradError(f"backward: grad can be implicitly created only for scalar outputs, this one has shape "
                                f"{list(spec.shape)}. Reduce it, for instance with .sum(), or pass gradient=")
        if spec.dtype.is_complex:
            raise AutogradError("backward: grad can be implicitly created only for real scalar outputs, this one is "
                                f"{spec.dtype.name}. Take its .real or .abs(), or pass gradient=")
        return _filled(out, 1)
    if g._spec.shape != spec.shape:
        raise ShapeError(f"backward: Mismatch in shape: the gradient has shape {list(g.shape)}, the output "
                         f"{list(spec.shape)}")
    return g if g._spec.dtype is spec.dtype else g.to(spec.dtype)


def _accumulating(x):
    """The tensor whose `.grad` the gradient of an input of backward() is added to.  Raises AutogradError where there is none."""
    if not isinstance(x, GradientEdge):
        return x
    if not isinstance(x.node, AccumulateGrad):
        raise AutogradError(f"backward: inputs: the GradientEdge of {x.node.name()} belongs to no leaf, so there is no .grad to "
                            "add to; use autograd.grad")
    return x.node.variable


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph: bool = False, grad_variables=None, inputs=None):
    """Add the gradients of tensors to the `.grad` of the leaves they depend on.

    tensors: one tensor or several, of any shape and floating dtype.  grad_tensors: a gradient for each, of its shape; None stands
    for ones and is allowed for tensors of one element.  retain_graph: keep what was saved, so that backward can run again (by
    default only with create_graph).  create_graph: record the gradients' own history, for second derivatives.  inputs: only these
    leaves get a gradient.  A gradient has the shape and dtype of its tensor.  grad_variables: an older name of grad_tensors.

    Raises AutogradError where nothing requires grad, where the graph was freed, or where a saved tensor was changed in place;
    AutogradError for more than one element without a gradient; ShapeError for a gradient of another shape; ArgumentError for
    another number of gradients than of tensors, for empty inputs, or for grad_tensors beside grad_variables.
    Source: reverse accumulation, Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.autograd.

        >>> x = ct.tensor([1.0, 2.0], requires_grad=True)
        >>> ct.autograd.backward((x * x).sum())
        >>> x.grad
        tensor([2., 4.])
    """
    tensors = _tuple(tensors)
    if grad_variables is not None:
        if grad_tensors is not None:
            raise ArgumentError("backward: `grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`; "
                                "pass grad_tensors alone")
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        grad_tensors = grad_variables
    if inputs is not None and not _tuple(inputs):
        raise ArgumentError("backward: `inputs` argument cannot be empty")
    roots = _roots(tensors, _tuple(grad_tensors))
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        engine.run(roots, None, keep, create_graph)
        return
    leaves = [_accumulating(_dense(x)) for x in _tuple(inputs)]
    gs = engine.run(roots, [_edge(_dense(x)) for x in _tuple(inputs)], keep, create_graph)
    for leaf in reversed(leaves):
        g = gs.pop()  # a gradient that nothing else holds becomes `.grad` itself
        if g is not None:
            engine.accumulate(leaf, g)


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph: bool = False, only_inputs: bool = True,
         allow_unused=None, is_grads_batched: bool = False, materialize_grads: bool = False):
    """Return the gradients of the sum of outputs, weighted by grad_outputs, with respect to inputs, as a tuple.

    outputs and inputs: one tensor or several, of any shape and floating dtype; each gradient has the shape and dtype of its input.
    retain_graph, create_graph: as in backward.  only_inputs: must be True; kept for old callers.  allow_unused: give None for an
    input that no output depends on; materialize_grads: give zeros instead.  is_grads_batched: grad_outputs and the gradients have a
    leading batch dimension; they are computed one after another.

    Raises AutogradError where an output or input does not require grad, and for an input that was not used; ShapeError for
    gradients of another shape; ArgumentError unless only_inputs is True.
    Source: reverse accumulation, Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; names of torch.autograd.

        >>> x = ct.tensor(3.0, requires_grad=True)
        >>> first, = ct.autograd.grad(x**3, x, create_graph=True)
        >>> first.item(), ct.autograd.grad(first, x)[0].item()
        (27.0, 18.0)
    """
    outputs, inputs = _tuple(outputs), _tuple(inputs)
    if not only_inputs:
        raise ArgumentError("grad: only_inputs must be True; use backward() to collect gradients in .grad")
    if is_grads_batched:
        return _batched(outputs, inputs, _tuple(grad_outputs), create_graph if retain_graph is None else retain_graph,
                        create_graph=create_graph, allow_unused=allow_unused, materialize_grads=materialize_grads)
    for i, x in enumerate(inputs):
        if not isinstance(x, GradientEdge) and not x.requires_grad:
            raise AutogradError(f"grad: One of the differentiated Tensors (input {i}) does not require grad")
    keep = create_graph if retain_graph is None else retain_graph
    results = engine.run(_roots(outputs, _tuple(grad_outputs)), [_edge(_dense(x)) for x in inputs], keep, create_graph)
    results = [g if g is None or not isinstance(x, SparseBase) else x._like(g) for x, g in zip(inputs, results, strict=True)]
    if materialize_grads:
        return tuple(_filled(_dense(x), 0) if g is None else g for x, g in zip(inputs, results, strict=True))
    if not allow_unused and any(g is None for g in results):
        which = [i for i, g in enumerate(results) if g is None]
        raise AutogradError(f"grad: One of the differentiated Tensors (input {which[0]}) appears to not have been used "
                            "in the graph. Set allow_unused=True if this is the desired behavior")
    return tuple(results)


def _batched(outputs, inputs, batches, retain_graph, **options):
    """grad for each gradient of the batches, with stacked results."""
    sizes = {g.shape[0] if g is not None and g.ndim else None for g in batches}
    if len(sizes) != 1 or None in sizes or 0 in sizes:
        raise ShapeError("grad: with is_grads_batched=True each of grad_outputs needs the same leading dimension, got shapes "
                         f"{[None if g is None else list(g.shape) for g in batches]}")
    size = sizes.pop()
    rows = [grad(outputs, inputs, tuple(g[i] for g in batches), retain_graph=retain_graph or i < size - 1,
                 **options) for i in range(size)]
    return tuple(None if parts[0] is None else REGISTRY["stack_along"](*parts, dim=0) for parts in zip(*rows, strict=True))
