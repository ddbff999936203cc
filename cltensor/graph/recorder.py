"""GraphRecorder: notes what the ops of a thread do to memory, as a Graph."""

import gc
import itertools
import weakref

import numpy as np

from ..base import calls, dtypes
from ..base.context import Recorder, context
from ..base.errors import CaptureError
from ..base.named_numbers import NamedFloat, NamedInt, named
from ..base.observed_sizes import plain
from ..dispatch import faults
from ..dispatch.node import Node as History
from ..dispatch.registry import REGISTRY
from ..dispatch.spec import dense
from ..dispatch.tensor_base import TensorBase
from .ir import Action, Block, Graph, Node, Origin, Result, Scalar, Use, Value

_MEMORYLESS = ("view", "composite")  # a view is a Use; of a composite the ops that it runs are noted


class Failure(str):
    """Why a program cannot be replayed, in words.

    places: where that was noticed, one after another, each as `calls.places` gives it; names, statements: the variables and the
    statements of a piece that it is about; twice: whether gradients of gradients are computed, which do not cross cuts.
    """

    places = names = statements = ()
    twice = False


class GraphRecorder(Recorder):
    """Notes the ops that run in its thread.

    arguments: tensors that the caller of a replay passes.  failure: why the program cannot be replayed, a Failure, or None; with
    `whole` a CaptureError is raised instead.  numbers: the numbers of its blocks, an iterator.  caller: the code object that the
    program's frames stand above.  start: a mark made before it; histories older than that are not its own.
    """

    dry_run = None  # see regions.py
    captures = True  # whether what it notes becomes a program; else it is to be compared only
    remembers = False  # whether the history of a choice keeps alive what it made

    def __init__(self, arguments=(), whole=False, numbers=None, caller=None, start=0):
        self.whole, self.numbers, self.caller, self.start = whole, numbers or itertools.count(), caller, start
        self.nodes, self.actions, self.blocks, self.failure = [], [], [], None
        self.flows = []  # the ControlFlow among the nodes
        self._positions = {id(t): i for i, t in reversed(list(enumerate(arguments)))}
        self.grads = {}  # id of a leaf whose .grad changed -> (leaf, its .grad before)
        self._known = weakref.WeakKeyDictionary()  # Storage -> [Block, version]
        self._born = {}  # id of a buffer -> weak reference to the storage made with it
        for i, t in enumerate(arguments):
            if t._storage not in self._known:
                self._add(t._storage, Origin.ARGUMENT, i)

    def fail(self, reason):
        """Note why the program cannot be replayed; the first reason counts, and the places of all."""
        if self.whole:
            _, site = calls.codes()
            raise CaptureError(f"compile with fullgraph=True: {reason}, at {calls.line(site)}; move that out of the compiled "
                               "function, or leave fullgraph out")
        if self.failure is None:
            self.failure = reason if isinstance(reason, Failure) else Failure(reason)
        if self.caller is not None:
            self.failure.places = (*self.failure.places, calls.places(self.caller))

    # --- what is told ----------------------------------------------------------------------------------------------------

    def op(self, op, inputs, attrs, outs):
        """See Recorder."""
        if self.failure or not self.notes(op):
            return
        operands = tuple(self.use(x) if isinstance(x, TensorBase) else _number(x) for x in inputs)
        split = len(attrs) - (len(attrs) if op.kind == "elementwise" else len(op.values or getattr(op, "scalars", ())))
        numbers = tuple(map(_number, attrs[split:]))
        self.nodes.append(Node(op, operands, tuple(attrs[:split]), numbers, tuple(map(self._result, outs))))

    def notes(self, op):
        """Whether a call of an op becomes a node."""
        return op.kind not in _MEMORYLESS

    def read(self, tensor):
        """See Recorder."""
        self.fail(f"the values of a tensor of shape {list(tensor.shape)} are read by the host")

    def born(self, storage):
        """See Recorder."""
        self._add(storage, Origin.MADE)
        self._born[id(storage.buffer)] = weakref.ref(storage)

    def wrote(self, buffer, offset, array):
        """See Recorder.  What fills a new storage is a constant of the program."""
        made = self._born.get(id(buffer))
        storage = made and made()
        if storage is None or storage.buffer is not buffer or offset or array.nbytes != storage.extent:
            if not faults.owns(buffer):
                self.fail("the host writes to a tensor's memory")
            return
        constant = self._block(storage.device, storage.extent, Origin.CONSTANT, array.reshape(-1).view(np.uint8).copy())
        block, known = _bytes(storage), self._known[storage]
        known[1] += 1
        result = Result(Use(Value(*known), block))
        self.nodes.append(Node(REGISTRY["copy"], (Use(Value(constant, 0), block),), (), (), (result,)))

    def copied(self, target, source):
        """See Recorder."""
        self.fail("memory is copied outside of ops")

    def grad_changes(self, leaf):
        """See Recorder."""
        if id(leaf) not in self.grads:
            self.grads[id(leaf)] = leaf, leaf._grad
            self.grad_read(leaf)

    def grad_read(self, leaf):
        """See Recorder.  A .grad from before the call is memory that each replay looks for anew."""
        grad = leaf._grad
        if not isinstance(grad, TensorBase) or self.grads.get(id(leaf), (leaf, grad))[1] is not grad:
            return  # it is what the program has set
        known = self._known.get(grad._storage)
        if known is None:
            self._add(grad._storage, Origin.GRADIENT, self._positions.get(id(leaf), leaf))
        elif known[0].origin in (Origin.ARGUMENT, Origin.HELD):
            self.fail("it uses the memory of a .grad in another way as well")

    def goes_back(self, reached):
        """See Recorder."""
        if any(isinstance(node, History) and node.sequence < self.start for node in reached):
            self.fail("it goes back through what was computed before it")

    def writes(self, outs, history):
        """See Recorder."""
        if history and not all(self.made(o._storage) for o in outs):
            self.fail("it writes to a tensor from outside that gradients flow through")
        return True

    def action(self, compute, undo=None, reads=(), fills=()):
        """See Recorder.  The numbers are named.  What compute does is not noted, since it does it again at each replay."""
        if any(self.changes(t._storage) for t in reads):
            self.fail("Python reads a tensor, such as a learning rate or what a GradScaler has found, that the program writes")
        if any(t._storage in self._known for t in fills):
            self.fail("Python fills a tensor, such as a learning rate, that the program has used")
        context.recorder = None
        try:
            numbers = compute()
        finally:
            context.recorder = self
        if any(isinstance(n, TensorBase) for n in numbers):
            self.fail("an optimiser's numbers are tensors that Python computes")
        action = Action(compute)
        self.actions.append(action)
        return tuple(named(n, Scalar(action, k)) for k, n in enumerate(numbers))

    def noted(self):
        """What has been noted so far, as numbers that grow."""
        return len(self.nodes), len(self.actions), len(self.blocks), len(self.grads)

    # --- the graph -------------------------------------------------------------------------------------------------------

    def value(self, storage):
        """The Value that a storage holds now, one that a region has made included; None if no op was told of it."""
        if storage not in self._known:
            any(flow.gives(storage) for flow in self.flows)
        known = self._known.get(storage)
        return known and Value(*known)

    def block(self, storage):
        """The Block of a storage; None if no op was told of it."""
        known = self._known.get(storage)
        return known and known[0]

    def changes(self, storage):
        """Whether a storage was written to."""
        return self._known.get(storage, (None, 0))[1] > 0

    def made(self, storage):
        """Whether the program made a storage."""
        known = self._known.get(storage)
        return known is not None and known[0].origin is Origin.MADE

    def graph(self, outputs, saved=()):
        """The Graph of what was noted; outputs: the tensors that are returned; saved: Values that are handed out as well.

        A block from outside that was written to is kept, and so is the memory of each .grad that was changed.
        """
        nodes = tuple([n if isinstance(n, Node) else n.node() for n in self.nodes])
        used = (*map(self.use, outputs), *(Use(v, dense((v.block.nbytes,), dtypes.uint8, v.block.device)) for v in saved))
        grads = tuple(self.use(leaf._grad) for leaf, _ in self.grads.values() if leaf._grad is not None)
        returned = {u.block for u in (*used, *grads)}
        own = not self.remembers
        if own and any(b.origin is Origin.MADE and version and b not in returned for b, version in self._known.values()):
            gc.collect()  # a cycle, such as an error's traceback, may hold what nothing else does
        kept = []
        for block, version in self._known.values():
            if version and block not in returned:
                if block.origin is Origin.MADE and not own:
                    continue
                if block.origin is Origin.MADE:
                    self.fail(f"a tensor of {block.nbytes} bytes that it made is kept outside")
                kept.append(Value(block, version))
        return Graph(nodes, used, grads, tuple(kept))

    def use(self, t):
        """The Use that a tensor is at this moment."""
        return Use(Value(*self._of(t._storage)), t._spec, t._offset)

    def bytes_of(self, storage):
        """The Use of a whole storage."""
        return Use(Value(*self._of(storage)), _bytes(storage))

    def rewritten(self, storage):
        """The Result of a write somewhere in a storage."""
        known = self._of(storage)
        old = Value(*known)
        known[1] += 1
        return Result(Use(Value(*known), _bytes(storage)), old)

    def result_for(self, storages):
        """(the Result that is new memory, for which these storages of one size stand, its entry for `stands_for`)."""
        entry = [self._block(storages[0].device, storages[0].extent, Origin.MADE), 1]
        for storage in storages:
            self.stands_for(storage, entry)
        return Result(Use(Value(*entry), _bytes(storages[0]))), entry

    def stands_for(self, storage, entry):
        """From now on a storage stands for memory that others stand for."""
        self._known[storage] = entry

    def _result(self, t):
        known = self._of(t._storage)
        old = Value(*known)
        known[1] += 1
        use = Use(Value(*known), t._spec, t._offset)
        return Result(use, None if use.covers() else old)

    def _of(self, storage):
        known = self._known.get(storage)
        if known is None:
            if any(flow.knows(storage) for flow in self.flows):
                self.fail("a tensor made inside control flow is used outside of it; return it")
            known = self._add(storage, Origin.HELD, storage)
        return known

    def _add(self, storage, origin, source=None):
        self._known[storage] = known = [self._block(storage.device, storage.extent, origin, source), 0]
        return known

    def _block(self, device, nbytes, origin, source=None):
        self.blocks.append(Block(next(self.numbers), device, nbytes, origin, source))
        return self.blocks[-1]


def _bytes(storage):
    return dense((storage.extent,), dtypes.uint8, storage.device)


def _number(x):
    return x.source if isinstance(x, (NamedFloat, NamedInt)) else plain(x)
