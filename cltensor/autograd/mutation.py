"""Writing to tensors that a gradient needs: copies are made of them first."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator

from ..base.context import context
from ..base.errors import AutogradError
from ..dispatch.saved import Packing


class _Kept:
    """A saved tensor; a write to its memory puts a copy in its place."""

    __slots__ = ("__weakref__", "tensor")

    def __init__(self, tensor):
        self.tensor = tensor

    def part(self):
        """Move the tensor to a copy of its memory."""
        x = self.tensor
        self.tensor = x._plain._make(x._storage.clone(), x._spec, x._offset)


class Mutation:
    """The tensors saved in one allow_mutation_on_saved_tensors block; the value of context.mutation."""

    def __init__(self):
        self.of_storage = weakref.WeakKeyDictionary()  # storage: set of _Kept

    def pack(self, tensor):
        """Keep a saved tensor."""
        kept = _Kept(tensor)
        self.of_storage.setdefault(tensor._storage, weakref.WeakSet()).add(kept)
        return kept

    def unpack(self, kept):
        """The tensor with the values it had when it was saved.  Raises AutogradError after the block."""
        if context.mutation is not self:
            raise AutogradError("allow_mutation_on_saved_tensors: Trying to backward outside of the block in which the graph was "
                                "recorded; call backward() inside it, since copies of changed tensors last as long")
        return kept.tensor

    def before_write(self, outs):
        """Copy what is saved of the memory of these tensors, which an op is about to write to."""
        for o in outs:
            for kept in self.of_storage.pop(o._storage, ()):
                kept.part()


@contextlib.contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[Mutation]:
    """Inside, tensors that a gradient needs may be written to in place: what is saved of them is copied first.

    For tensors of any shape and dtype.  backward() must be called inside too.  A copy is made only of what is written to.
    Raises AutogradError for nested blocks, and for backward() of such a graph after the block.
    Source: PyTorch 2.13's autograd.graph.allow_mutation_on_saved_tensors.

        with autograd.graph.allow_mutation_on_saved_tensors():
            y = (x * x).sum()
            x.mul_(2)
            y.backward()
    """
    if context.mutation is not None:
        raise AutogradError("allow_mutation_on_saved_tensors: contexts cannot be nested")
    mutation = Mutation()
    saving = context.saving
    context.mutation, context.saving = mutation, Packing(mutation.pack, mutation.unpack)
    try:
        yield mutation
    finally:
        context.mutation, context.saving = None, saving
