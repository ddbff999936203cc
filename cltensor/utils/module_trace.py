"""ModuleTrace: one forward pass of a model, noted down: which modules were called with what, and which ops they ran.

The pass runs on meta tensors, which have shapes and no values, so nothing is computed.  Where a model looks at values, or holds
tensors that are neither parameters nor buffers, it runs on its device, and its buffers and the random numbers are put back.
"""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass, field
from typing import Any

from ..autograd.modes import no_grad
from ..base.errors import ArgumentError, ArgumentTypeError, CLTensorError
from ..dispatch.tensor_base import SparseBase
from ..func.calls import functional_call
from ..graph.ir import Node
from ..graph.recorder import GraphRecorder
from ..graph.structure import flatten, unflatten
from ..nn.modules.lazy import LazyModuleMixin
from ..nn.modules.module import Module
from ..random import fork_rng
from ..tensor.api.creation import zeros
from ..tensor.core.tensor import Tensor
from ..tensor.random.sampling import rand


@dataclass(eq=False)
class ModuleCall:
    """One call of a module: its name in its parent, the tensors in and out as Uses, the calls inside, and its ops.

    first, last: the ops from the first to before the last are those that ran inside, in the order of ModuleTrace.nodes.
    repeated: whether the module had been called before.
    """

    module: Module
    name: str
    path: str
    depth: int
    repeated: bool
    inputs: tuple
    first: int
    outputs: tuple = ()
    children: list = field(default_factory=list)
    last: int = 0
    same: bool = False  # whether it returns one of its arguments as it is

    def walk(self):
        """This call and all those inside, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


class _Notes(GraphRecorder):
    """Notes what runs once: nothing that it does need be repeatable."""

    def fail(self, reason):
        """See Recorder: no reason to stop."""

    def action(self, compute, undo=None, reads=(), fills=()):
        """See Recorder."""
        return compute()


@dataclass(frozen=True)
class ModuleTrace:
    """root: the ModuleCall of the model; nodes: all ops; arguments: the Uses of the input tensors; outputs: those of the results.

    virtual: whether it ran on meta tensors.  names: {Block of a parameter or buffer: its name}.
    """

    root: ModuleCall
    nodes: tuple
    arguments: tuple
    outputs: tuple
    virtual: bool
    names: dict

    def read(self):
        """The names of the parameters and buffers that ops read."""
        return {self.names[b] for n in self.nodes for b in n.read if b in self.names}

    def owners(self):
        """For each op, the innermost ModuleCall that ran it."""
        found = [self.root] * len(self.nodes)
        for call in self.root.walk():  # outer calls come first
            found[call.first: call.last] = [call] * (call.last - call.first)
        return found


def trace(model, args, kwargs, call, virtual=None):
    """The ModuleTrace of model(*args, **kwargs); call: the public function that asks.

    virtual: False runs on the model's device at once, None where meta tensors do not do.
    """
    if not isinstance(model, Module):
        raise ArgumentTypeError(f"{call}: expected a Module, got {type(model).__name__}")
    lazy = any(isinstance(m, LazyModuleMixin) and m.has_uninitialized_params() for m in model.modules())
    if virtual is not False and not lazy:
        try:
            return _virtual(model, args, kwargs)
        except CLTensorError:
            if virtual:
                raise
    return _actual(model, args, kwargs)


def _virtual(model, args, kwargs):
    own = [*model.named_parameters(), *model.named_buffers()]
    given = {name: t.detach().to("meta").requires_grad_(t.requires_grad) for name, t in own}
    leaves, template = flatten((args, kwargs))
    args, kwargs = unflatten(template, iter([x.to("meta") if isinstance(x, Tensor) else x for x in leaves]))
    return _run(model, args, kwargs, given)


def _actual(model, args, kwargs):
    buffers = [(b, b.detach().clone()) for b in model.buffers()]
    device = next((p.device for p in itertools.chain(model.parameters(), model.buffers())), None)
    leaves, template = flatten((args, kwargs))
    with fork_rng():
        args, kwargs = unflatten(template, iter([_filled(x, device) for x in leaves]))
        try:
            return _run(model, args, kwargs, {})
        finally:
            with no_grad():
                for buffer, before in buffers:
                    buffer.copy_(before)


def _filled(x, device):
    """A tensor with values on a device, in place of a meta tensor."""
    if not isinstance(x, Tensor) or x.device.type != "meta":
        return x
    made = rand if x.dtype.is_floating_point else zeros
    return made(x.shape, dtype=x.dtype, device=device)


def _run(model, args, kwargs, given):
    """The trace of one run; given: tensors that stand for the model's own, by name."""
    tensors = [x for x in flatten((args, kwargs))[0] if isinstance(x, Tensor)]
    with _Notes(tensors) as notes, no_grad(), fork_rng(), watched(model, notes) as roots:
        arguments = tuple(map(notes.use, tensors))
        result = functional_call(model, given, args, kwargs)
        outputs = _uses(notes, result)
        named = given or dict([*model.named_parameters(), *model.named_buffers()])
        names = {notes.use(t).block: name for name, t in named.items() if not isinstance(t, SparseBase)}
    nodes = tuple([n if isinstance(n, Node) else n.node() for n in notes.nodes])
    return ModuleTrace(roots[0], nodes, arguments, outputs, bool(given) or not named, names)


@contextlib.contextmanager
def watched(model, notes):
    """Inside, every call of a module of the model becomes a ModuleCall; gives the list of the outermost ones."""
    roots, open_, seen = [], [], set()
    names = {module: path for path, module in model.named_modules()}

    def enter(module, args, kwargs):
        name = _name_in(open_[-1].module, module, names) if open_ else ""
        path = f"{open_[-1].path}.{name}".lstrip(".") if open_ else ""
        call = ModuleCall(module, name, path, len(open_), module in seen, _uses(notes, (args, kwargs)), len(notes.nodes))
        (open_[-1].children if open_ else roots).append(call)
        seen.add(module)
        open_.append(call)

    def leave(module, args, kwargs, output):
        call = open_.pop()
        call.outputs, call.last = _uses(notes, output), len(notes.nodes)
        given = {id(x) for x in flatten((args, kwargs))[0] if isinstance(x, Tensor)}
        call.same = any(id(x) in given for x in flatten(output)[0])

    handles = []
    try:
        for module in names:
            handles.append(module.register_forward_pre_hook(enter, with_kwargs=True))
            handles.append(module.register_forward_hook(leave, with_kwargs=True))
        yield roots
    finally:
        for handle in handles:
            handle.remove()


def _name_in(parent, module, names):
    """The name of a module below the module that calls it."""
    found = next((name for name, child in parent._modules.items() if child is module), None)
    if found is not None:
        return found
    above, path = names[parent], names[module]
    return path.removeprefix(f"{above}.") if above else path


def _uses(notes, value):
    return tuple([notes.use(x) for x in flatten(value)[0] if isinstance(x, Tensor)])


def inputs_of(call, input_size, input_data, dtypes, batch_dim=None):
    """(args, kwargs) of a forward pass from what a user gave: sizes, one or several or by name, or data."""
    if (input_size is None) == (input_data is None):
        given = "both" if input_size is not None else "neither"
        raise ArgumentError(f"{call}: expected either input_size or input_data, got {given}; give sizes such as (1, 3, 224, 224), "
                            "or a batch")
    if input_data is not None:
        if isinstance(input_data, dict):
            return (), dict(input_data)
        return (tuple(input_data) if isinstance(input_data, (list, tuple)) else (input_data,)), {}
    if isinstance(input_size, dict):
        made = _of_sizes(call, list(input_size.values()), dtypes, batch_dim)
        return (), dict(zip(input_size, made, strict=True))
    several = isinstance(input_size, (list, tuple)) and bool(input_size) and all(isinstance(s, (list, tuple)) for s in input_size)
    return tuple(_of_sizes(call, list(input_size) if several else [input_size], dtypes, batch_dim)), {}


def _of_sizes(call, sizes, dtypes, batch_dim):
    """Meta tensors of these sizes."""
    kinds: list[Any] = [None] * len(sizes) if dtypes is None else list(dtypes)
    if len(kinds) != len(sizes):
        raise ArgumentError(f"{call}: expected a dtype for each of the {len(sizes)} inputs, got {len(kinds)}")
    for size in sizes:
        if not isinstance(size, (list, tuple)) or not all(isinstance(n, int) and n >= 0 for n in size):
            raise ArgumentError(f"{call}: input_size must hold sizes such as (1, 3, 224, 224), got {size!r}")
    sizes = [_batched(tuple(size), batch_dim) for size in sizes]
    return [zeros(size, dtype=kind, device="meta") for size, kind in zip(sizes, kinds, strict=True)]


def _batched(size, batch_dim):
    """A size with a batch of one put in at a dimension."""
    if batch_dim is None:
        return size
    at = batch_dim % (len(size) + 1)
    return (*size[:at], 1, *size[at:])
