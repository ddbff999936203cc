"""Captured: one program as it ran for one set of guards, and its replay on new tensors."""

from ..dispatch.storage import Storage
from ..dispatch.tensor_base import TensorBase
from .ir import Origin
from .passes import optimized
from .recorder import GraphRecorder
from .replay import Replay
from .structure import flatten, unflatten


def tensors_of(leaves):
    """The tensors among leaves."""
    return [x for x in leaves if isinstance(x, TensorBase)]


def capture(fn, args, kwargs, device, whole=False):
    """Run fn and note what it does.  Returns (its result, a Captured or the reason why there is none).

    whole: raise CaptureError where fn does what cannot be repeated.
    """
    tensors = tensors_of(flatten((args, kwargs))[0])
    places = [(t._storage, t._offset) for t in tensors]
    with GraphRecorder(tensors, whole) as recorder:
        result = fn(*args, **kwargs)
    outputs, template = flatten(result)
    if any(t._req and t._node is not None and not t._node.freed for t in tensors_of(outputs)):
        recorder.fail("it returns a tensor with a history")
    if any(t._storage is not s or t._offset != o for t, (s, o) in zip(tensors, places, strict=True)):
        recorder.fail("it gives an argument other memory")
    graph = None if recorder.failure else recorder.graph(tensors_of(outputs))
    if recorder.failure:
        return result, recorder.failure
    return result, Captured(recorder, graph, tensors, outputs, template, device)


class Captured:
    """A program's Replay, and how arguments, results and gradients are bound to it."""

    def __init__(self, recorder, graph, tensors, outputs, template, device):
        self.recorded, self.graph, self.template = graph, optimized(graph), template
        self.replay = Replay(self.graph, recorder.actions, device)
        blocks = recorder.blocks
        self.arguments = [(b, b.source, tensors[b.source]._offset) for b in blocks if b.origin is Origin.ARGUMENT]
        self.gradients = [b for b in blocks if b.origin is Origin.GRADIENT]
        uses = iter(self.graph.outputs)
        self.results = [_Result(x, next(uses), tensors) if isinstance(x, TensorBase) else _Constant(x) for x in outputs]
        uses = iter(self.graph.grads)
        self.leaves = [
            (leaf, _laid_out(before), None if leaf._grad is None else next(uses), leaf._grad is before)
            for leaf, before in recorder.grads.values()]
        shown = dict.fromkeys(u.block for u in (*self.graph.outputs, *self.graph.grads))
        self.fresh = [b for b in shown if b.origin is Origin.MADE]

    def fits(self):
        """Whether memory from outside is where it was, and the .grad of each leaf is laid out as it was before the call."""
        return self.replay.valid() and all(_laid_out(leaf._grad) == before for leaf, before, _, _ in self.leaves)

    def __call__(self, tensors):
        """Replay on these tensors, which stand for the arguments.  Returns what the program returned."""
        storages = {block: tensors[i]._storage for block, i, _ in self.arguments}
        storages.update((block, block.source._grad._storage) for block in self.gradients)
        storages.update((block, Storage(block.device, block.nbytes)) for block in self.fresh)
        moved = {block: tensors[i]._offset - offset for block, i, offset in self.arguments if tensors[i]._offset != offset}
        self.replay.run(storages, moved)
        for leaf, _, use, same in self.leaves:
            if not same:
                leaf._grad = None if use is None else seen(leaf._plain, use, storages, moved)
        return unflatten(self.template, iter([result.of(tensors, storages, moved) for result in self.results]))


def _laid_out(grad):
    """The layout of a .grad; None without one."""
    return None if grad is None else (grad._spec, grad._offset)


def seen(cls, use, storages, moved):
    """The tensor of a class that shows a Use."""
    block = use.block
    storage = storages.get(block) or block.source
    return cls._make(storage, use.spec, use.offset + moved.get(block, 0))


class _Constant:
    """A result that is no tensor."""

    def __init__(self, value):
        self.value = value

    def of(self, tensors, storages, moved):
        """The value."""
        return self.value


class _Result:
    """A tensor that is returned: an argument itself, a tensor from outside itself, or one over the memory of a Use."""

    def __init__(self, tensor, use, tensors):
        self.position = next((i for i, t in enumerate(tensors) if t is tensor), None)
        self.held = tensor if use.block.origin is Origin.HELD else None
        self.use, self.cls = use, tensor._plain

    def of(self, tensors, storages, moved):
        """The tensor of one replay."""
        if self.position is not None:
            return tensors[self.position]
        return self.held if self.held is not None else seen(self.cls, self.use, storages, moved)
