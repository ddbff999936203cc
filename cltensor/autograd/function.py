"""Function: an operation with the user's own gradient, written with tensors."""

import contextlib
import copy
import functools
import warnings
import weakref

from ..base.context import context
from ..base.errors import ArgumentTypeError, AutogradError
from ..dispatch.node import Node, edge_of, leaf_at
from ..dispatch.run_elementwise import filled, with_zeros
from ..dispatch.saved import Packed, silently
from .modes import no_grad, tangents

__all__ = ["Function", "FunctionCtx", "once_differentiable"]


class FunctionCtx:
    """The context shared by forward() and backward() of a Function; any attribute may be set on it.

    needs_input_grad: whether each argument of forward() needs a gradient.
    """

    needs_input_grad: tuple[bool, ...] = ()

    def __init__(self):
        self._saved = self._forward = self._dirty = self._constant = ()
        self._materialize, self._freed, self._node = True, False, None

    def save_for_backward(self, *tensors):
        """Keep tensors (or None) for backward(), which finds them in `saved_tensors`; in-place writes are detected."""
        _check_saved("save_for_backward", tensors)
        self._saved = tensors

    def save_for_forward(self, *tensors):
        """Keep tensors (or None) for jvp(), which finds them in `saved_tensors`; in-place writes are detected."""
        _check_saved("save_for_forward", tensors)
        self._forward = tensors

    def mark_shared_storage(self, *pairs):
        """Nothing, with a warning: it is deprecated, since memory that tensors share is noticed without it."""
        warnings.warn("`mark_shared_storage` is deprecated. Tensors with shared storages are automatically tracked.", FutureWarning,
                      stacklevel=2)

    def mark_dirty(self, *tensors):
        """Declare that forward() changed these inputs in place; it must return them."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors):
        """Declare that these outputs have no gradient."""
        self._constant = tensors

    def set_materialize_grads(self, value):
        """Whether backward() gets zeros (the default) or None for an output without a gradient."""
        self._materialize = bool(value)

    @property
    def saved_tensors(self):
        """The tensors kept by save_for_backward().  Raises AutogradError when freed, or changed in place since."""
        if self._freed:
            raise AutogradError("Trying to backward through the graph a second time (or directly access saved tensors "
                                "after they have already been freed). Call backward(retain_graph=True) the first time, "
                                "or run the forward pass again")
        node = self._node and self._node()
        return tuple(s.unpack(node) if isinstance(s, _Saved) else s for s in self._saved)


def _check_saved(name, tensors):
    for t in tensors:
        if t is not None and not _is_tensor(t):
            raise ArgumentTypeError(f"{name} can only save variables, but argument is of type {type(t).__name__}; keep other "
                                    "values as attributes of ctx")


class _Saved:
    """A saved tensor and its version; `index` is its number among the node's outputs, None for other tensors."""

    def __init__(self, tensor, index):
        self.tensor = tensor if index is None else tensor._alias()
        self.index, self.version = index, tensor._storage.version
        if context.saving is not None:
            self.tensor = Packed(self.tensor, context.saving.hooks, edge_of(self.tensor) if self.tensor.requires_grad else None)

    def unpack(self, node):
        """The tensor, with its history.  Raises AutogradError when it was changed in place since."""
        if isinstance(self.tensor, Packed):
            found = self.tensor.tensor()
            return found if self.index is None or node is None else found._with_history(node, self.index)
        now, s = self.tensor._storage.version, self.tensor._spec
        if now != self.version:
            raise AutogradError(
                f"{node.name() if node else 'Function'}: one of the variables needed for gradient computation has been "
                f"modified by an inplace operation: {s.dtype.name} {list(s.shape)} kept by save_for_backward() is at "
                f"version {now}; expected version {self.version} instead. Use the out-of-place form, or clone() first")
        return self.tensor if self.index is None or node is None else self.tensor._with_history(node, self.index)


class FunctionNode(Node):
    """The node of a Function, whose backward() is the gradient.

    views: numbers of the outputs that share memory with an input; in-place writes to them are refused.
    """

    __slots__ = ("ctx", "views")

    def name(self):
        """The node's name, as PyTorch prints it: MyFunctionBackward."""
        return f"{self.op.__name__}Backward"

    def backward(self, gs, needs=None):
        """See Node."""
        if self.deferred is not None:
            self.deferred.restore()
        if context.tangents and self.op.jvp is not Function.jvp:
            return _transposed(self, gs)
        if self.ctx._materialize:
            gs = with_zeros(gs, self.out_specs)
        with tangents(False) if context.tangents else contextlib.nullcontext():
            results = _gradient_rule(self.op)(self.ctx, *gs)
        return self._checked(list(results) if isinstance(results, (tuple, list)) else [results])

    def _checked(self, results):
        n = len(self.args)
        while len(results) > n and results[-1] is None:
            results.pop()
        if len(results) != n:
            raise AutogradError(f"function {self.name()} returned an incorrect number of gradients (expected {n}, got "
                                f"{len(results)}); return one per argument of forward(), None for what is no tensor")
        for i, (g, spec) in enumerate(zip(results, self.args, strict=True)):
            if g is not None and not hasattr(g, "_spec"):
                raise ArgumentTypeError(f"function {self.name()}: expected a Tensor or None as gradient {i}, got "
                                        f"{type(g).__name__}")
            if g is not None and spec is None:
                raise AutogradError(f"function {self.name()} returned a gradient different from None at position {i}, "
                                    "but the corresponding forward input was not a Tensor")
        return tuple(results)

    def defer(self, stretch):
        """See Node."""
        if self.ctx._saved or self.ctx._forward:
            self.deferred, self.ctx._saved, self.ctx._forward = stretch, (), ()

    def adopt(self, fresh):
        """See Node."""
        if fresh.deferred is not None:
            fresh.deferred.restore()
        self.ctx._saved, self.ctx._forward, self.deferred = fresh.ctx._saved, fresh.ctx._forward, None

    def release(self):
        """See Node."""
        if self.ctx._saved or self.ctx._forward:
            self.ctx._saved, self.ctx._forward, self.ctx._freed = (), (), True


class Function(FunctionCtx):
    """An operation with its own gradient.  Subclass it with two static methods, and call `MyFunction.apply(...)`.

    forward(ctx, *args) takes and returns tensors of any shape and dtype, and anything else; backward(ctx, *gradients of the
    outputs) returns a gradient of the same shape, or None, per argument of forward.  Where setup_context(ctx, inputs, output) is
    defined too, forward takes no ctx.  A backward() made of differentiable operations can be differentiated again.

    Forward mode and vmap follow from backward() and forward().  jvp(ctx, *tangents) of forward's arguments, None for what is no
    tensor, may give the tangents of the outputs instead.  vmap(info, in_dims, *args) may run on a whole batch and return the output
    and its out_dims, where forward takes no ctx; info has batch_size and randomness.

    Raises AutogradError where a Function is instantiated, and from backward() for another number of gradients than of arguments.
    Source: torch.autograd.Function.

        >>> class Exp(ct.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         y = x.exp()
        ...         ctx.save_for_backward(y)
        ...         return y
        ...
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         y, = ctx.saved_tensors
        ...         return g * y
        >>> x = ct.zeros(2, requires_grad=True)
        >>> Exp.apply(x).sum().backward()
        >>> x.grad
        tensor([1., 1.])
    """

    def __new__(cls, *args, **kwargs):
        raise AutogradError(f"{cls.__name__}: a Function is not instantiated; call {cls.__name__}.apply(...)")

    generate_vmap_rule = False  # PyTorch asks for True where vmap is not defined; here a rule is made without it

    @staticmethod
    def forward(*args, **kwargs):
        """Compute the outputs; each subclass defines it."""
        raise AutogradError("You must implement the forward function for custom autograd.Function")

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Keep what backward needs; defined where forward takes no ctx."""
        raise AutogradError("setup_context is not implemented")

    @staticmethod
    def backward(ctx, *grad_outputs):
        """Compute the gradients of forward's arguments; each subclass defines it."""
        raise AutogradError("You must implement the backward method for your custom autograd.Function to use it with "
                            "backward()")

    vjp = backward

    @staticmethod
    def jvp(ctx, *grad_inputs):
        """Compute the tangents of the outputs; a subclass may define it, forward mode differentiates backward() otherwise."""
        raise AutogradError("You must implement the jvp function for custom autograd.Function to call it")

    @staticmethod
    def vmap(info, in_dims, *args):
        """Compute (output, out_dims) of batches; a subclass may define it, forward() runs on batched tensors otherwise."""
        raise AutogradError("To use the vmap rule of an autograd.Function, you must override the vmap staticmethod")

    @classmethod
    def apply(cls, *args, **kwargs):
        """Run forward on args and record backward as its gradient."""
        if context.rules is not None:
            found = context.rules.function(cls, args, kwargs)
            if found is not NotImplemented:
                return found
        ctx = FunctionCtx()
        ctx.needs_input_grad = tuple(_is_tensor(a) and a.requires_grad for a in args)
        recorded = context.grad and any(ctx.needs_input_grad)
        with silently():
            output = forwarded(cls, ctx, args, kwargs)
        many = isinstance(output, tuple)
        outs = finished(cls, ctx, args, output if many else (output,), recorded)
        return outs if many else outs[0]


def _is_tensor(x):
    return hasattr(x, "_spec") and hasattr(x, "_storage")


def _among(x, tensors):
    return any(x is t for t in tensors)


def forwarded(cls, ctx, args, kwargs):
    """The output of forward, in either form."""
    if cls.setup_context is Function.setup_context:
        return cls.forward(ctx, *args, **kwargs)
    output = cls.forward(*args, **kwargs)
    cls.setup_context(ctx, args, output)
    return output


def _gradient_rule(cls):
    """backward, or vjp, which is another name of it."""
    if cls.vjp is Function.vjp:
        return cls.backward
    if cls.backward is not Function.backward:
        raise AutogradError(f"{cls.__name__}: Implementing both 'backward' and 'vjp' for a custom Function is not allowed; define "
                            "one of them")
    return cls.vjp


def finished(cls, ctx, args, raw, recorded):
    """Connect the outputs of forward to the graph, store ctx's saved tensors, and return the outputs."""
    if not all(_among(t, raw) for t in ctx._dirty):
        raise AutogradError(f"{cls.__name__}: a tensor given to mark_dirty() was not returned as output; inputs "
                            "changed in place must all be returned from forward()")
    memory = [a._storage for a in args if _is_tensor(a)]
    shared = [i for i, o in enumerate(raw)
              if _is_tensor(o) and _among(o._storage, memory) and not _among(o, ctx._dirty)]
    outs = tuple(o._alias() if i in shared else o for i, o in enumerate(raw))
    constant = [i for i, o in enumerate(raw)
                if not _is_tensor(o) or _among(o, ctx._constant) or not o._spec.dtype.is_inexact]
    if recorded:
        _attach(cls, ctx, args, outs, constant, shared)
    places = {id(o): i for i, o in enumerate(outs) if i not in constant}
    ctx._saved, ctx._forward = (tuple(t if t is None else _Saved(t, places.get(id(t))) for t in kept)
                                for kept in (ctx._saved, ctx._forward))
    ctx._dirty = ctx._constant = ()  # break the cycle: outputs keep the node, which keeps ctx
    return outs


def _attach(cls, ctx, args, outs, constant, shared):
    """Make the node and attach it to the outputs."""
    for o in ctx._dirty:
        _check_dirty(cls, o)
    edges = tuple(edge_of(a) if need else None for a, need in zip(args, ctx.needs_input_grad, strict=True))
    specs = [tuple(t._spec if _is_tensor(t) else None for t in tensors) for tensors in (args, outs)]
    node = FunctionNode(cls, edges, specs[0], (), (), specs[1])
    node.ctx, node.views, ctx._node = ctx, shared, weakref.ref(node)
    for i, o in enumerate(outs):
        if i in constant:
            continue
        if _among(o, ctx._dirty):
            o._rebase(node, i)
        else:
            o._node, o._index, o._req = node, i, True


def _check_dirty(cls, o):
    what = leaf_at(o)
    if what:
        raise AutogradError(f"{cls.__name__}: {what} that requires grad has been used in an in-place operation; pass a "
                            "clone()")


def with_saved(ctx, tensors):
    """A copy of ctx whose saved_tensors are others."""
    new = copy.copy(ctx)
    new._saved, new._freed = tensors, False
    new._forward = new._dirty = new._constant = ()
    return new


def _transposed(node, gs):
    """The gradients of zeros, which are zeros, such that their derivative by gs is the Function's jvp."""
    places = [i for i, s in enumerate(node.args) if s is not None and s.dtype.is_inexact]
    found = _Transposed.apply(node, places, *gs)
    return tuple(found[places.index(i)] if i in places else None for i in range(len(node.args)))


class _Transposed(Function):
    """What stands for the gradient of a node in the first of the two passes that make a tangent."""

    @staticmethod
    def forward(ctx, node, places, *gs):
        ctx.node, ctx.places, ctx.present = node, places, [g is not None for g in gs]
        plain = next(g for g in gs if g is not None)._plain
        ctx.set_materialize_grads(node.ctx._materialize)
        return tuple(filled(plain, node.args[i], 0) for i in places)

    @staticmethod
    def backward(ctx, *tangents):
        node, given = ctx.node, dict(zip(ctx.places, tangents, strict=True))
        inner = with_saved(node.ctx, node.ctx._forward)
        inner._freed = node.ctx._freed
        results = node.op.jvp(inner, *[given.get(i) for i in range(len(node.args))])
        results = results if isinstance(results, tuple) else (results,)
        if len(results) != len(ctx.present):
            raise AutogradError(f"{node.op.__name__}.jvp returned an incorrect number of tangents (expected {len(ctx.present)}, "
                                f"got {len(results)}); return one per output of forward()")
        return (None, None, *(t if there else None for t, there in zip(results, ctx.present, strict=True)))


def once_differentiable(backward):
    """Decorator for a backward() that cannot be differentiated: differentiating it raises instead of giving wrong results."""

    @functools.wraps(backward)
    def wrapped(ctx, *gradients):
        with no_grad():
            results = backward(ctx, *gradients)
        if not (context.grad and any(_is_tensor(g) and g.requires_grad for g in gradients)):
            return results
        if isinstance(results, tuple):
            return tuple(map(_refusing, results))
        return _refusing(results)

    return wrapped


def _refusing(result):
    return _Once.apply(result.detach().requires_grad_()) if _is_tensor(result) else result


class _Once(Function):
    """The identity, whose gradient is an error."""

    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, g):
        raise AutogradError("trying to differentiate twice a function that was marked with @once_differentiable; leave "
                            "out create_graph, or write its backward() with differentiable operations only")


def __dir__():
    return sorted(__all__)
