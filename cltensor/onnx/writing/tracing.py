"""Tracing: one forward pass, noted as a program: its ops, the modules and lines that called them, what goes in and comes out."""

import contextlib
import itertools
from dataclasses import dataclass

from ...autograd.modes import no_grad
from ...base import calls
from ...base.errors import CaptureError
from ...dispatch.tensor_base import SparseBase
from ...graph.ir import Node
from ...graph.recorder import GraphRecorder
from ...graph.structure import flatten
from ...nn.modules.module import Module
from ...random import fork_rng
from ...tensor.core.tensor import Tensor
from ...utils.module_trace import watched


class Notes(GraphRecorder):
    """Notes ops, also composite ones that ONNX has as a whole, and where each was called."""

    def __init__(self, arguments, call):
        super().__init__(arguments)
        self.sites, self.call = [], call
        self.varying = {self.block(t._storage) for t in arguments}  # what depends on the arguments

    def notes(self, op):
        """See GraphRecorder."""
        return super().notes(op) or (op.kind == "composite" and op.onnx is not None)

    def op(self, op, inputs, attrs, outs):
        """See Recorder."""
        known = len(self.nodes)
        super().op(op, inputs, attrs, outs)
        self.name_sites()
        for node in self.nodes[known:]:
            if not isinstance(node, Node) or not self.varying.isdisjoint(node.read):
                self.varying.update(node.written if isinstance(node, Node) else ())

    def read(self, tensor):
        """See Recorder: what does not depend on the arguments is what it is."""
        if self.flows or self.block(tensor._storage) in self.varying:
            super().read(tensor)

    def wrote(self, buffer, offset, array):
        """See Recorder."""
        super().wrote(buffer, offset, array)
        self.name_sites()

    def name_sites(self):
        """Note where the nodes that are new were called."""
        if len(self.sites) < len(self.nodes):
            _, site = calls.codes()
            self.sites += [None if site is None else calls.line(site)] * (len(self.nodes) - len(self.sites))

    def action(self, compute, undo=None, reads=(), fills=()):
        """See Recorder: numbers are those of this run."""
        return compute()

    def fail(self, reason):
        """See Recorder."""
        _, site = calls.codes()
        where = "" if site is None else f", at {calls.line(site)}"
        raise CaptureError(f"{self.call}: {reason}{where}; a model in ONNX has no Python, so what is computed may not depend on "
                           "values that Python reads: write it with where, cond or while_loop, or move it out of forward")


@dataclass(frozen=True)
class Trace:
    """nodes: the ops; places: for each "path (class), file:line" of its caller; inputs, outputs: Uses; template: see structure.py.

    names: {(Storage's id, Spec, offset): name} of parameters and buffers; blocks: the same by Block.  results: the tensors given.
    """

    nodes: tuple
    places: tuple
    inputs: tuple
    outputs: tuple
    results: tuple
    names: dict
    template: object


@contextlib.contextmanager
def evaluated(model, training):
    """Inside, a model and its modules are in eval mode, or in training mode; afterwards each is in its own again."""
    before = [(m, m.training) for m in model.modules()] if isinstance(model, Module) else []
    try:
        if before:
            model.train(training)
        yield
    finally:
        for module, was in before:
            module.training = was


def trace(model, args, kwargs, call):
    """The Trace of model(*args, **kwargs).  Raises CaptureError where what it computes depends on values that Python reads."""
    tensors = [x for x in flatten((args, kwargs))[0] if isinstance(x, Tensor)]
    buffers = [(b, b.detach().clone()) for b in model.buffers()] if isinstance(model, Module) else []
    notes = Notes(tensors, call)
    watching = watched(model, notes) if isinstance(model, Module) else contextlib.nullcontext([])
    try:
        with notes, no_grad(), fork_rng(), watching as roots:
            inputs = tuple(map(notes.use, tensors))
            leaves, template = flatten(model(*args, **kwargs))
            notes.name_sites()
            results = tuple(x for x in leaves if isinstance(x, Tensor) and not isinstance(x, SparseBase))
            outputs = tuple(map(notes.use, results))
    finally:
        with no_grad():
            for buffer, before in buffers:
                if notes.changes(buffer._storage):
                    buffer.copy_(before)
    nodes = tuple([n if isinstance(n, Node) else n.node() for n in notes.nodes])
    return Trace(nodes, _places(roots, notes.sites), inputs, outputs, results, _names(model), template)


def _places(roots, sites):
    """For each node the module that called it and the line."""
    owners = [None] * len(sites)
    for call in itertools.chain.from_iterable(root.walk() for root in roots):  # outer calls come first
        owners[call.first: call.last] = [call] * (call.last - call.first)
    return tuple([(_owner(owner), site) for owner, site in zip(owners, sites, strict=True)])


def _owner(call):
    return "" if call is None else f"{call.path or 'the model'} ({type(call.module).__name__})"


def _names(model):
    """{(id of a storage, Spec, offset): the name of the parameter or buffer}; of several names the first."""
    if not isinstance(model, Module):
        return {}
    named = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
    return {(id(t._storage), t._spec, t._offset): name for name, t in reversed(named) if not isinstance(t, SparseBase)}
