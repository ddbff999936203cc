"""Finished: a kernel op and the elementwise ops on its first result, in one launch; an op of captured programs."""

import functools
from dataclasses import dataclass

import numpy as np

from ...codegen import types
from ...codegen.emit import emit, flops
from ...codegen.expr import Input
from ...dispatch.plan import In, Out, Plan, Value

TOTAL = "total"  # the name of the kernel's own result in expressions


@dataclass(frozen=True)
class Epilogue:
    """What is stored instead of a kernel's first result, and besides.

    exprs: of TOTAL, `names` and `numbers`; the first replaces the result.  extras: (In, Spec) of the operands `names`; outs: (Out,
    Spec) of the other exprs; scalars: (C name, Value) of the numbers.
    """

    exprs: tuple
    names: tuple
    numbers: tuple
    extras: tuple
    outs: tuple
    scalars: tuple

    def text(self, ctype, total, first=0):
        """(definitions of C functions, a C expression for each of exprs).

        total: the C expression of the kernel's result; the operands are e`first` and so on.
        """
        names = {TOTAL: "acc", **{n: f"e{i}" for i, n in enumerate(self.names)},
                 **dict(zip(self.numbers, (n for n, _ in self.scalars), strict=True))}
        called = ", ".join([total, *(f"e{first + i}" for i in range(len(self.names))), *(n for n, _ in self.scalars)])
        values = [total if _is_total(e) else f"finish{k}({called})" for k, e in enumerate(self.exprs)]
        return _functions(self.exprs, tuple(names.items()), ctype), values


@functools.lru_cache(512)  # the layers of a model have the same epilogues
def _functions(exprs, names, ctype):
    """Definitions of a C function of `names`, pairs of a name and its C name, for each expression."""
    given, names = ", ".join(f"const {ctype} {n}" for _, n in names), dict(names)
    functions = []
    for k, e in enumerate(exprs):
        if not _is_total(e):
            made = emit(e, dict.fromkeys(names, ctype), ctype, names)
            body = " ".join([*made.statements, f"return {made.results[0]};"])
            functions.append(f"static inline {ctype} finish{k}({given}) {{ {body} }}")
    return "\n".join(functions)


def _is_total(e):
    return isinstance(e, Input) and e.name == TOTAL


class Finished:
    """A kernel op whose first result goes through expressions before it is stored.

    inner: an op with `finishing`; exprs, names, numbers: see Epilogue.  Its last attribute is the tuple of its results' Specs: the
    kernel's, with the first replaced, then the further ones.
    """

    kind, finishing, reports_faults, strided = "kernel", None, False, False

    def __init__(self, inner, exprs, names, numbers, name):
        self.inner, self.exprs, self.inputs, self.numbers, self.name = inner, exprs, names, numbers, name
        self.plans = {}

    @property
    def formula(self):
        """What it computes: ops with equal formulas are alike."""
        return self.inner, self.exprs, self.inputs, self.numbers, self.name

    @staticmethod
    @functools.lru_cache(256)
    def of(inner, exprs, names, numbers, name):
        """The Finished with these attributes, all of them hashable: the same one for equal nodes, so that they share plans."""
        return Finished(inner, exprs, names, numbers, name)

    def flops(self, specs, outs, attrs):
        """See Op: those of the kernel, and of what is made of each element of its result."""
        *given, outs = attrs
        inner = self.inner.flops(specs[: len(specs) - len(self.inputs)], outs[: len(outs) - len(self.exprs) + 1], given)
        return None if inner is None else inner + flops(self.exprs) * outs[0].numel

    def plan(self, specs, attrs):
        """The Plan for the Specs of the kernel's operands and the further ones."""
        *given, outs = attrs
        own, made = len(specs) - len(self.inputs), len(outs) - len(self.exprs) + 1
        number, first = getattr(np, types.NUMPY_OF[types.compute_type(outs[0].dtype)]), len(self.inner.values)
        epilogue = Epilogue(
            self.exprs, tuple(self.inputs), tuple(self.numbers), tuple((In(own + i), s) for i, s in enumerate(specs[own:])),
            tuple((Out(made + k), s) for k, s in enumerate(outs[made:])),
            tuple((f"s{i}", Value(first + i, number)) for i in range(len(self.numbers))))
        steps = self.inner.finishing.steps(specs[:own], outs[:made], epilogue, **attributes(self.inner, given))
        return Plan(outs[0].device, specs, outs, steps)


def attributes(op, attrs):
    """The attributes that a kernel op's plan depends on, by name."""
    return dict(zip((n for n in op.attr_names if n not in op.values), attrs, strict=True))
