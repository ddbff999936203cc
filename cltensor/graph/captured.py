"""Captured: one program as it ran for one set of guards, and its replay on new tensors."""

from ..autograd.function import Function, FunctionCtx, FunctionNode
from ..base import dtypes
from ..base.context import context
from ..base.errors import AutogradError, CLTensorError
from ..base.observed_sizes import plain
from ..dispatch.autocast import own_casts
from ..dispatch.node import mark
from ..dispatch.registry import REGISTRY
from ..dispatch.run_elementwise import filled, run_elementwise
from ..dispatch.spec import dense
from ..dispatch.storage import Storage
from ..dispatch.tensor_base import TensorBase
from ..runtime.device import device as Device
from ..tensor.core.tensor import Tensor
from .awaiting import lacking
from .history import History, spent
from .ir import Origin
from .passes import stages
from .recorder import GraphRecorder
from .replay import Replay, held_by
from .structure import flatten, unflatten
from .unchanged import of_gradient, same

#: results that stand for themselves
_PLAIN = (int, float, complex, bool, str, bytes, type(None), dtypes.dtype, Device)


def tensors_of(leaves):
    """The tensors among leaves."""
    return [x for x in leaves if isinstance(x, TensorBase)]


def is_result(x):
    """Whether a replay can give a leaf of a program's result."""
    return isinstance(x, (TensorBase, *_PLAIN))


def _failed(recorder):
    """Why a capture has failed."""
    recorder.failure.twice = recorder.twice
    return recorder.failure


def capture(fn, args, kwargs, device, whole=False):
    """Run fn and note what it does.  Returns (its result, a Captured or the reason why there is none).

    whole: raise CaptureError where fn does what cannot be repeated.
    """
    leaves, given = flatten((args, kwargs))
    tensors, start = tensors_of(leaves), mark()
    before = [_standing(t) for t in tensors]
    with GraphRecorder(tensors, whole, caller=capture.__code__, start=start) as recorder, own_casts():
        result = fn(*args, **kwargs)
        outputs, template = flatten(result)
        outputs, noted = list(map(plain, outputs)), outputs
        if any(x is not y for x, y in zip(outputs, noted, strict=True)):
            result = unflatten(template, iter(outputs))
        history = History.of(outputs, tensors, start)
        if history is not None and history.reason:
            recorder.fail(history.reason)
        strange = next((x for x in outputs if not is_result(x)), None)
        if strange is not None:
            recorder.fail(f"it returns an object of type {type(strange).__name__}")
        if any(_standing(t) != standing for t, standing in zip(tensors, before, strict=True)):
            recorder.fail("it gives an argument other memory or another history")
        now, after = flatten((args, kwargs))
        if after != given or any(a is not b for a, b in zip(leaves, now, strict=True)):
            recorder.fail("it changes a list or dict among its arguments")
        if history is not None and any(leaf is t for leaf in history.leaves for t in outputs if _is_new_leaf(t, recorder)):
            recorder.fail("it returns a leaf that it made, and what depends on that")
    if recorder.failure:
        return result, _failed(recorder)
    backward = None if history is None else BackwardProgram(history, recorder, device)
    graph = None if recorder.failure else recorder.graph(tensors_of(outputs), () if backward is None else backward.saved)
    if recorder.failure:
        return result, _failed(recorder)
    return result, Captured(recorder, graph, tensors, outputs, template, device, backward)


def _standing(t):
    """The memory and the history of a tensor."""
    return id(t._storage), t._offset, t._spec, id(t.grad_fn), t._index, t.requires_grad


def _has_grad(changed):
    return changed[0]._grad is not None


def _is_new_leaf(x, recorder):
    """Whether x is a leaf that the program made."""
    return isinstance(x, TensorBase) and x.requires_grad and x.is_leaf and recorder.made(x._storage)


class Captured:
    """A program's Replay, and how arguments, results and gradients are bound to it.

    stages: the graph as captured and after each pass, see `passes.stages`.
    backward: the BackwardProgram of results that have a history; None if there are none.
    watched: (leaf, the layout of its .grad before) of each from outside whose .grad it reads or changes.
    leaves: (a leaf or its position among the arguments, the layout of its .grad before and the Use of that afterwards, None for
    no .grad, whether it is the same tensor) of each whose .grad changes.
    replay: None until `start`; spare: {buffer: size} that it may use, and shares with the program for other sizes.
    members: storages of parameters and buffers, which change seldom.
    """

    def __init__(self, recorder, graph, tensors, outputs, template, device, backward=None):
        self.stages = tuple(stages(graph))
        self.graph, self.template, self.backward = self.stages[-1][1], template, backward
        self.actions, self.device, self.replay, self.plans, self.spare = recorder.actions, device, None, {}, {}
        self.held, self.members = held_by(self.graph, device), ()
        blocks = recorder.blocks
        self.arguments = [(b, b.source, tensors[b.source]._offset) for b in blocks if b.origin is Origin.ARGUMENT]
        widest = self.graph.widest()
        self.viewed = [(i, offset, widest[b]) for b, i, offset in self.arguments if widest.get(b, 0) > tensors[i].itemsize]
        self.gradients = [b for b in blocks if b.origin is Origin.GRADIENT]
        uses = iter(self.graph.outputs)
        grads = {id(leaf): use for (leaf, _), use in zip(filter(_has_grad, recorder.grads.values()), self.graph.grads, strict=True)}
        self.results = [ReturnedValue(x) if not isinstance(x, TensorBase) else ReturnedLeaf(x, next(uses), grads.get(id(x)))
                        if _is_new_leaf(x, recorder) else ReturnedTensor(x, next(uses), tensors) for x in outputs]
        first = {id(x): i for i, x in reversed(list(enumerate(outputs)))}
        self.same = [(i, first[id(x)]) for i, x in enumerate(outputs) if isinstance(x, TensorBase) and first[id(x)] != i]
        positions = {id(t): i for i, t in reversed(list(enumerate(tensors)))}
        self.leaves = [(positions.get(id(leaf), leaf), _laid_out(before), grads.get(id(leaf)), leaf._grad is before)
                       for leaf, before in recorder.grads.values() if not _is_new_leaf(leaf, recorder)]
        read = [(b.source, _laid_out(b.source._grad)) for b in self.gradients if id(b.source) not in recorder.grads
                and not isinstance(b.source, int)]
        self.watched = read + [(leaf, before) for leaf, before, _, _ in self.leaves if not isinstance(leaf, int)]
        shown = dict.fromkeys(u.block for u in (*self.graph.outputs, *self.graph.grads))
        self.fresh = [b for b in shown if b.origin is Origin.MADE]

    def fits(self, tensors=()):
        """Whether memory from outside is where it was, and the .grad of each leaf is laid out as it was before the call.

        tensors: the arguments; those viewed as a wider dtype must lie where that can be.
        """
        if tensors and not self.lies(tensors):
            return False
        return (all(storage.buffer is buffer for program in self.programs for storage, buffer in program.held)
                and all(_laid_out(leaf._grad) == before for leaf, before in self.watched))

    def lies(self, tensors):
        """Whether the arguments that are viewed as a wider dtype lie where that can be."""
        return not self.viewed or not any((tensors[i]._offset - at) * tensors[i].itemsize % widest for i, at, widest in self.viewed)

    def terms(self):
        """Terms, see unchanged.py: while all of them hold, what `fits` says of all but the arguments stays."""
        held = [same("{}.buffer", storage, buffer) for program in self.programs for storage, buffer in program.held]
        return held + [term for leaf, _ in self.watched for term in of_gradient(leaf)]

    @property
    def programs(self):
        """This Captured and that of its backward pass."""
        return (self,) if self.backward is None else (self, self.backward.program)

    @property
    def does_little(self):
        """Whether it is no more than one op: a replay would take longer than a call of that."""
        (_, graph), *_ = self.stages
        return len(graph.nodes) <= 1 and not self.actions

    def lacks(self):
        """The sources of the kernels that would have to be compiled."""
        return [source for p in self.programs for source in lacking(p.graph, p.device, p.plans, self.members)]

    def start(self):
        """Make the Replays.  Raises BuildError."""
        for p in self.programs:
            p.replay = Replay(p.graph, p.actions, p.device, spare=p.spare.items(), plans=p.plans, members=self.members)
            p.plans = {}
            if not any(n.regions for n in p.graph.nodes):  # replays with control flow may run at the same time
                p.spare.update((buffer, max(size, p.spare.get(buffer, 0))) for buffer, size in p.replay.own)

    def __call__(self, tensors):
        """Replay on these tensors, which stand for the arguments.  Returns what the program returned."""
        if self.backward is None:
            results = self.run(tensors)[0]
        else:
            results, open_ = self.backward.replayed(self, tensors)
            for i, t in zip(self.backward.places, open_, strict=True):
                results[i] = t
        for i, first in self.same:
            results[i] = results[first]
        return unflatten(self.template, iter(results))

    def run(self, tensors, numbers=()):
        """Replay on these tensors.  numbers: of the Actions of another program.

        Returns (the results as a flat list, {Block: Storage} of what differs at each run, the numbers of its Actions).
        """
        storages = {block: tensors[i]._storage for block, i, _ in self.arguments}
        storages.update((block, _leaf(block.source, tensors)._grad._storage) for block in self.gradients)
        storages.update((block, Storage(block.device, block.nbytes)) for block in self.fresh)
        moved = {block: (tensors[i]._offset - offset) * tensors[i].itemsize for block, i, offset in self.arguments
                 if tensors[i]._offset != offset}
        numbers = self.replay.run(storages, moved, numbers)
        for leaf, _, use, kept in self.leaves:
            if not kept:
                leaf = _leaf(leaf, tensors)
                leaf._grad = None if use is None else seen(leaf._plain, use, storages, moved)
        return [result.of(tensors, storages, moved) for result in self.results], storages, numbers


def _leaf(leaf, tensors):
    """A leaf, or that at a position among the arguments."""
    return tensors[leaf] if isinstance(leaf, int) else leaf


def _laid_out(grad):
    """The layout of a .grad; None without one."""
    return None if grad is None else (grad._spec, grad._offset)


def seen(cls, use, storages, moved):
    """The tensor of a class that shows a Use."""
    block = use.block
    storage = storages.get(block, block.source)
    return cls._make(storage, use.spec, use.offset + moved.get(block, 0) // use.spec.dtype.itemsize)


class BackwardProgram:
    """The gradients of a program's results, captured as a program of their own: of those gradients, and of what is saved.

    reached: for each of those results the places of the gradients that it adds to.
    saved: Values of the forward program that it reads; places: of the results that have a history.
    """

    def __init__(self, history, forward, device):
        seeds = [filled(t._plain, t._spec, 1) for t in history.outputs]
        self.saved = []
        with GraphRecorder(seeds) as recorder:
            try:
                grads = history.gradients(seeds)
            except CLTensorError as error:  # the user may never ask for it
                forward.fail(f"its gradient cannot be computed: {error}")
                return
        self.places, self.positions, self.leaves = history.places, tuple(history.edges.values()), history.leaves
        self.reached = history.reached()
        self.from_arguments, self.specs = [], [t._spec for t in seeds]
        tensors = self._bound(recorder, forward, seeds, history.arguments)
        if recorder.failure:
            forward.fail(f"its gradient cannot be captured: {recorder.failure}")
            return
        graph = recorder.graph([g for g in grads if g is not None])
        if recorder.failure:
            forward.fail(f"its gradient cannot be captured: {recorder.failure}")
            return
        outputs, template = flatten(grads)
        self.program = Captured(recorder, graph, tensors, outputs, template, device)

    def _bound(self, recorder, forward, seeds, arguments):
        """Make arguments of what the forward program made or was given.  Returns the tensors that stand for all arguments."""
        made, given = [], []
        for block in recorder.blocks:
            value = forward.value(block.source) if block.origin is Origin.HELD else None
            if value is None or value.block.origin in (Origin.HELD, Origin.CONSTANT):
                continue
            if value.block.origin is Origin.ARGUMENT:
                given.append((block, value.block.source))
            elif value.block.origin is Origin.MADE:
                made.append((block, value))
            else:
                recorder.fail("it reads a .grad")
        tensors = list(seeds)
        for block, i in given:
            block.origin, block.source = Origin.ARGUMENT, len(tensors)
            tensors.append(arguments[i])
            self.from_arguments.append(i)
        for block, value in made:
            tensors.append(_bytes_of(block.source))
            block.origin, block.source = Origin.ARGUMENT, len(tensors) - 1
            self.saved.append(value)
        return tensors

    def replayed(self, forward, tensors):
        """(all results of the forward program as a list, those with a history) for these arguments."""
        inputs = [*(tensors[i] for i in self.positions), *self.leaves]
        results = []
        found = _Replayed.apply(forward, tensors, results, *inputs)
        return results, found


class CompiledStep(Function):
    """The end of a history that a compiled program has gone back through itself."""

    @staticmethod
    def backward(ctx, *gs):
        """Raise AutogradError: there is nothing left to go back through."""
        raise AutogradError("Trying to backward through the graph a second time: the compiled function that made this tensor has "
                            "run backward itself")


class CompiledGradient(Function):
    """The history of gradients that a replay has computed from these inputs while a graph of them was asked for."""

    @staticmethod
    def forward(ctx, gradients, *inputs):
        """The gradients, None among them."""
        return tuple([g if g is None else g.detach() for g in gradients])

    @staticmethod
    def backward(ctx, *gs):
        """Raise AutogradError: the gradient's own gradient was not captured."""
        raise AutogradError("backward: a compiled function has no second derivatives (create_graph=True); compile the step that "
                            "computes the gradient and uses it, or call the function itself")


def end_history(tensor):
    """Give a tensor the history of one whose graph was freed."""
    node = FunctionNode(CompiledStep, (), (), (), (), (tensor._spec,))
    node.ctx, node.views = FunctionCtx(), ()
    tensor._node, tensor._index, tensor._req = node, 0, True


class _Replayed(Function):
    """A replay with its captured gradient."""

    @staticmethod
    def forward(ctx, forward, tensors, results, *inputs):
        ctx.set_materialize_grads(False)
        found, storages, ctx.numbers = forward.run(tensors)
        results.extend(found)
        program = ctx.program = forward.backward
        kept = [_bytes_of(storages[v.block]) for v in program.saved]
        ctx.save_for_backward(*(tensors[i] for i in program.from_arguments), *kept, *program.leaves)
        return tuple(found[i] for i in program.places)

    @staticmethod
    def backward(ctx, *gs):
        program = ctx.program
        if not program.program.fits():
            raise AutogradError("backward of a compiled function: a parameter has moved to other memory since the forward pass")
        plain = next(g._plain for g in gs if g is not None)
        given = [filled(plain, s, 0) if g is None else g if g._spec is s else _copied(g, s)
                 for g, s in zip(gs, program.specs, strict=True)]
        kept = ctx.saved_tensors[: len(ctx.saved_tensors) - len(program.leaves)]
        found = program.program.run([*given, *kept], ctx.numbers)[0]
        wanted = frozenset().union(*(places for g, places in zip(gs, program.reached, strict=True) if g is not None))
        if context.grad:
            found = CompiledGradient.apply(found, *(t for t in (*gs, *ctx.saved_tensors) if t is not None and t.requires_grad))
        return None, None, None, *(g if i in wanted else None for i, g in enumerate(found))


def _bytes_of(storage):
    """A tensor over all bytes of a storage."""
    return Tensor._make(storage, dense((storage.extent,), dtypes.uint8, storage.device))


def _copied(g, s):
    """A gradient in another layout."""
    made = g._plain._fresh(s)
    run_elementwise(REGISTRY["copy"], (g.detach(),), out=made)
    return made


class ReturnedValue:
    """A result that is no tensor."""

    def __init__(self, value):
        self.value = value

    def of(self, tensors, storages, moved):
        """The value."""
        return self.value


class ReturnedLeaf:
    """A leaf that the program makes and returns, with its .grad, a Use, if it has one."""

    def __init__(self, tensor, use, grad):
        self.cls, self.use, self.grad = type(tensor), use, grad

    def of(self, tensors, storages, moved):
        """The leaf of one replay."""
        made = seen(self.cls, self.use, storages, moved)
        made._req = True
        made._grad = None if self.grad is None else seen(made._plain, self.grad, storages, moved)
        return made


class ReturnedTensor:
    """A tensor that is returned: an argument itself, a tensor from outside itself, or one over the memory of a Use."""

    def __init__(self, tensor, use, tensors):
        self.position = next((i for i, t in enumerate(tensors) if t is tensor), None)
        self.held = tensor if use.block.origin is Origin.HELD else None
        self.use, self.cls, self.spent = use, tensor._plain, tensor.grad_fn is not None and spent(tensor)

    def of(self, tensors, storages, moved):
        """The tensor of one replay."""
        if self.position is not None:
            return tensors[self.position]
        if self.held is not None:
            return self.held
        made = seen(self.cls, self.use, storages, moved)
        if self.spent:
            end_history(made)
        return made
