"""Functions with gradients of their own under vmap.

Function.apply on batched tensors becomes one Function of whole batches: its forward runs the user's forward on batched tensors,
or the user's vmap, and its backward the user's backward.  So the results have a history both outside vmap and inside.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from ..autograd.function import Function, FunctionCtx, finished, forwarded, with_saved
from ..autograd.trees import leaves, mapped, rebuild
from ..base.context import context
from ..base.errors import AutogradError
from ..dispatch.tensor_base import TensorBase


class VmapInfo(NamedTuple):
    """What Function.vmap is told: the size of the batch, and how random numbers differ along it."""

    batch_size: int
    randomness: str


class Space(NamedTuple):
    """What batched tensors are: whether one is at a level, its making and unmaking, and blocks below a level and within one."""

    is_at: Callable[..., Any]
    wrap: Callable[..., Any]
    unwrap: Callable[..., Any]
    below: Callable[..., Any]
    within: Callable[..., Any]


class Whole(Function):
    """Base of a Function of whole batches; `call` is the Call that it runs."""

    @staticmethod
    def backward(ctx, *gs):
        return ctx.call.backward(ctx.saved_tensors, gs)


class _WithTangents(Whole):
    @staticmethod
    def jvp(ctx, *tangents):
        return ctx.call.jvp(ctx.saved_tensors, tangents)


class Call:
    """One call of cls.apply(*args, **kwargs) at a level, among the batched tensors of a Space."""

    def __init__(self, cls, args, kwargs, level, space):
        self.cls, self.args, self.kwargs, self.level, self.space = cls, args, kwargs, level, space
        self.batched = [space.is_at(a, level) for a in args]
        self.physical = [a._physical if b else a for a, b in zip(args, self.batched, strict=True)]
        self.ctx = FunctionCtx()
        needs = [isinstance(a, TensorBase) and a.requires_grad for a in args]
        self.needs = tuple(needs)
        self.ctx.needs_input_grad = tuple(n or (isinstance(p, TensorBase) and _tracked(p)) for n, p in
                                          zip(needs, self.physical, strict=True))

    def run(self):
        """The outputs, batched tensors with both histories."""
        call, base = self, Whole if self.cls.jvp is Function.jvp else _WithTangents

        def forward(ctx, *physical):
            return call.forward(ctx, physical)

        whole = type(self.cls.__name__, (base,), {"forward": staticmethod(forward)})
        with self.space.below(self.level):
            results = whole.apply(*self.physical)
        outs = [self._again(raw, result) for raw, result in zip(self.raw, results, strict=True)]
        same = {id(t): o for t, o in (*zip(self.seen, self.args, strict=True), *zip(self.raw, outs, strict=True))}
        for name in ("_saved", "_forward", "_dirty", "_constant"):
            setattr(self.ctx, name, tuple(same.get(id(t), t) for t in getattr(self.ctx, name)))
        self.ctx.needs_input_grad = self.needs
        outs = finished(self.cls, self.ctx, self.args, tuple(outs), context.grad and any(self.needs))
        self.args = self.seen = self.raw = self.physical = self.ctx = ()
        return outs if self.many else outs[0]

    def _again(self, raw, result):
        """The batched output that stands for `raw`: an argument that was changed in place, or a new one around `result`."""
        for seen, arg in zip(self.seen, self.args, strict=True):
            if raw is seen and any(raw is t for t in self.ctx._dirty):
                return arg
        return self.space.wrap(result, self.level) if self.space.is_at(raw, self.level) else result

    def forward(self, ctx, physical):
        """Run the user's forward, or vmap, and keep for `backward` what it keeps."""
        ctx.call, inner, level = self, self.ctx, self.level
        output = self._vmapped(physical) if self.cls.vmap is not Function.vmap else None
        with self.space.within(level):
            self.seen = [self.space.wrap(p, level) if b else p for p, b in zip(physical, self.batched, strict=True)]
            if self.cls.vmap is Function.vmap:
                output = forwarded(self.cls, inner, self.seen, self.kwargs)
            else:
                self.cls.setup_context(inner, tuple(self.seen), output)
        self.many = isinstance(output, tuple)
        self.raw = output if self.many else (output,)
        self.kept = [[self.space.is_at(t, level) for t in tensors] for tensors in (inner._saved, inner._forward)]
        self.shown = with_saved(inner, ())
        ctx.save_for_backward(*self._bare(inner._saved))
        ctx.save_for_forward(*self._bare(inner._forward))
        ctx.mark_dirty(*self._bare(inner._dirty))
        ctx.mark_non_differentiable(*self._bare(inner._constant))
        ctx.set_materialize_grads(inner._materialize)
        self.out_batched = [self.space.is_at(o, level) for o in self.raw]
        return self._bare(self.raw)

    def _vmapped(self, physical):
        """The output of the user's vmap, as batched tensors."""
        name, level = self.cls.__name__, self.level
        if self.cls.generate_vmap_rule:
            raise AutogradError(f"You tried to vmap over {name}, but it has both generate_vmap_rule=True and an overridden vmap "
                                "staticmethod. Please set generate_vmap_rule=False or delete the overridden vmap staticmethod")
        if self.cls.setup_context is Function.setup_context:
            raise AutogradError(f"You tried to vmap over {name}, whose forward takes ctx; with a vmap staticmethod, let forward "
                                "take no ctx and define setup_context")
        dims = tuple(mapped(lambda x: 0 if self.space.is_at(x, level) else None, a) for a in self.args)
        within = [p if b else mapped(lambda x: x._physical if self.space.is_at(x, level) else x, p)
                  for p, b in zip(physical, self.batched, strict=True)]
        result = self.cls.vmap(VmapInfo(level.size, level.randomness), dims, *within)
        if not isinstance(result, tuple) or len(result) != 2:
            raise AutogradError(f"{name}: Expected the vmap staticmethod to have two returns, an output and out_dims with a "
                                f"structure compatible with the output. Got {type(result).__name__} instead")
        output, out_dims = result
        flat = leaves(output)
        each = [out_dims] * len(flat) if isinstance(out_dims, int) or out_dims is None else leaves(out_dims)
        if len(each) != len(flat):
            raise AutogradError(f"{name}: the vmap staticmethod returned {len(flat)} outputs and out_dims {out_dims!r}; give one "
                                "dimension each")
        wrapped = [y if d is None else self.space.wrap(y.movedim(d, 0), level) for y, d in zip(flat, each, strict=True)]
        return rebuild(output, wrapped) if isinstance(output, (tuple, list, dict)) else wrapped[0]

    def _bare(self, tensors):
        return tuple(t._physical if self.space.is_at(t, self.level) else t for t in tensors)

    def _dressed(self, tensors, which):
        return tuple(self.space.wrap(t, self.level) if b and t is not None else t for t, b in zip(tensors, which, strict=True))

    def backward(self, saved, gs):
        """The gradients of whole batches; those of arguments that all elements share are summed."""
        with self.space.within(self.level):
            rule = self.cls.backward if self.cls.vjp is Function.vjp else self.cls.vjp
            found = rule(with_saved(self.shown, self._dressed(saved, self.kept[0])), *self._dressed(gs, self.out_batched))
        found = found if isinstance(found, (tuple, list)) else (found,)
        return tuple(self._gradient(g, i) for i, g in enumerate(found))

    def _gradient(self, g, i):
        if not isinstance(g, TensorBase):
            return g
        if i < len(self.batched) and self.batched[i]:
            return self.space.unwrap(g, self.level)
        return g._physical.sum(0) if self.space.is_at(g, self.level) else g

    def jvp(self, saved, tangents):
        """The tangents of whole batches."""
        with self.space.within(self.level):
            found = self.cls.jvp(with_saved(self.shown, self._dressed(saved, self.kept[1])), *self._dressed(tangents, self.batched))
        found = found if isinstance(found, tuple) else (found,)
        return tuple(self.space.unwrap(t, self.level) if b and t is not None else t
                     for t, b in zip(found, self.out_batched, strict=True))


def _tracked(p):
    """Whether a tensor, or what it hides at any level, requires a gradient."""
    return p.requires_grad or (hasattr(p, "_physical") and _tracked(p._physical))
