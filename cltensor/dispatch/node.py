"""Node: one recorded op application, with the data its gradient needs."""

import itertools
import traceback
import weakref

from ..base.context import context, observers
from ..base.errors import ArgumentTypeError, AutogradError
from ..runtime.program import builds
from .spec import Spec

_sequence = itertools.count()

_compiled = 0  # programs compiled when a node was last recorded


class Node:
    """The gradient of one op application: what `grad_fn` of its results is, whatever their shapes and floating dtypes.

    Ops make nodes; programs look at `name()`, `next_functions` and `metadata`, and register hooks.  Never raises.
    Source: the names of PyTorch 2.13's autograd.graph.Node.

        node = (x * 2).grad_fn
        node.register_hook(lambda inputs, outputs: print(inputs))

    edges   per input: (Node or leaf tensor, output number) that receives its gradient, or None
    args    per input: the tensor if it is saved, else its Spec; or the Python number
    outputs aliases of the outputs if they are saved, else None
    needs   per input: whether it needs a gradient
    wrapper a function (alias, output number) -> tensor with the history of the node that replaces this one in the graph, or None
    deferred  the recompute.Stretch that can restore the saved data, or None
    """

    __slots__ = ("__weakref__", "args", "attrs", "deferred", "edges", "freed", "hooks", "meta", "needs", "op", "out_specs",
                 "outputs", "pre_hooks", "retained", "sequence", "trace", "versions", "wrapper")

    def __init__(self, op, edges, args, attrs, versions, out_specs, needs=None):
        self.op, self.edges, self.args, self.attrs, self.versions = op, edges, args, attrs, versions
        self.out_specs, self.outputs = out_specs, None
        self.needs = tuple([e is not None for e in edges]) if needs is None else needs
        self.sequence = next(_sequence)
        self.freed, self.deferred, self.wrapper = False, None, None
        if context.made is not None:
            context.made.append(self)
        self.hooks = self.pre_hooks = self.retained = self.meta = None
        self.trace = traceback.extract_stack()[:-3] if context.anomaly else None

    def name(self):
        """The node's name, as PyTorch prints it: AddBackward0."""
        return "".join(part.capitalize() for part in self.op.last(self.attrs).split("_")) + "Backward0"

    def __repr__(self):
        return f"<{self.name()}>"

    def __reduce_ex__(self, protocol):
        raise ArgumentTypeError(f"cannot copy or pickle '{self.name()}' object: it is part of a graph that one call has recorded; "
                                "pickle the tensors, or detach them")

    @property
    def next_functions(self):
        """Where gradients go next: (node, output number) per input, for a leaf its AccumulateGrad; (None, 0) where none goes."""
        return tuple((None, 0) if e is None else (e[0] if isinstance(e[0], Node) else AccumulateGrad(e[0]), e[1])
                     for e in self.edges)

    @property
    def metadata(self):
        """A dictionary for the user."""
        if self.meta is None:
            self.meta = {}
        return self.meta

    def register_hook(self, fn):
        """Call fn(grad_inputs, grad_outputs) after this node; a tuple it returns replaces grad_inputs."""
        if self.hooks is None:
            self.hooks = {}
        return Handle(self.hooks, fn)

    def register_prehook(self, fn):
        """Call fn(grad_outputs) before this node; a tuple it returns replaces grad_outputs."""
        return self._pre_hook(lambda gs: fn(tuple(gs)))

    def _pre_hook(self, fn):
        if self.pre_hooks is None:
            self.pre_hooks = {}
        return Handle(self.pre_hooks, fn)

    def hook_output(self, index, fn):
        """Call fn(gradient of output `index`) once it is complete; a result other than None replaces it."""

        def pre(gs):
            if gs[index] is None:
                return None
            new = checked(fn, fn(gs[index]), gs[index])
            return None if new is None else (*gs[:index], new, *gs[index + 1:])

        return self._pre_hook(pre)

    def retain(self, index, tensor):
        """Keep the gradient of output `index`, after hooks, in tensor.grad as long as the tensor lives."""
        if self.retained is None:
            self.retained = {}
        self.retained[index] = weakref.ref(tensor)

    def keep_retained(self, gs):
        """Add the outputs' gradients to the `.grad` of the tensors that retain them."""
        for index, reference in self.retained.items():
            tensor, g = reference(), gs[index]
            if tensor is not None and g is not None:
                tensor._grad = g if tensor._grad is None else tensor._grad + g

    # --- running -----------------------------------------------------------------------------------------------------

    def saved_inputs(self):
        """The saved inputs of the op.  Raises AutogradError when one was changed in place since."""
        if self.deferred is not None:
            self.deferred.restore()
        if self.freed:
            self._refuse()
        for i, version in self.versions:
            if version is None:
                return self._unpacked()
            now = self.args[i]._storage.version
            if now != version:
                self._changed(f"input {i}", self.args[i]._spec, now, version)
        return self.args

    def _unpacked(self):
        """The inputs of the op, those that a hook packed as it unpacks them."""
        packed = {i for i, _ in self.versions}
        return tuple([a.tensor() if i in packed else a for i, a in enumerate(self.args)])

    def saved_outputs(self):
        """The saved outputs of the op, with their history, or Specs.  Raises AutogradError when changed in place."""
        if self.outputs is None:
            return self.out_specs
        return [kept if isinstance(kept, Spec) else self._saved_output(i, *kept) for i, kept in enumerate(self.outputs)]

    def _saved_output(self, i, alias, version):
        if version is None:
            alias = alias.tensor()
        elif alias._storage.version != version:
            self._changed(f"output {i}", alias._spec, alias._storage.version, version)
        if not context.grad:
            return alias
        return alias._with_history(self, i) if self.wrapper is None else self.wrapper(alias, i)

    def backward(self, gs, needs=None):
        """Gradients of the inputs (of those in needs, if given), from gs: those of the outputs, None where none arrived."""
        inputs = self.saved_inputs()
        return self.op.input_gradients(gs, self.saved_outputs(), inputs, self.attrs, needs or self.needs)

    def release(self):
        """Drop the saved data; a node that saved anything cannot run again."""
        inner = getattr(self.op, "node", None)
        if inner is not None:
            inner.release()
        if self.versions:
            self.args = tuple([getattr(a, "_spec", a) for a in self.args])
            self.versions, self.freed = (), True
        if self.outputs is not None:
            self.outputs, self.freed = None, True

    def defer(self, stretch):
        """Drop the saved data; stretch.restore() recomputes it."""
        if self.versions or self.outputs is not None:
            self.deferred = stretch
            self.args = tuple(getattr(a, "_spec", a) for a in self.args)
            self.outputs, self.versions = None, ()

    def adopt(self, fresh):
        """Take over the saved data of another node of the same op."""
        if fresh.deferred is not None:
            fresh.deferred.restore()
        self.args, self.versions, self.outputs, self.deferred = fresh.args, fresh.versions, fresh.outputs, None

    def _refuse(self):
        raise AutogradError(
            f"{self.name()}: Trying to backward through the graph a second time, but what it saved has been freed. "
            "Call backward(retain_graph=True) the first time, or run the forward pass again")

    def _changed(self, what, spec, now, version):
        raise AutogradError(
            f"{self.name()}: one of the variables needed for gradient computation has been modified by an inplace "
            f"operation: {what} of {self.op.name}, {spec.dtype.name} {list(spec.shape)}, is at version {now}; expected "
            f"version {version} instead. Use the out-of-place form, or clone() before changing it. "
            "detect_anomaly() names the forward line")


class AccumulateGrad(Node):
    """The end of the graph at a leaf, `variable`, whose `.grad` gradients are added to; equal for the same leaf."""

    __slots__ = ("variable",)

    def __init__(self, variable):
        self.variable, self.edges, self.meta = variable, (), None

    def name(self):
        """See Node."""
        return "torch::autograd::AccumulateGrad"

    def __repr__(self):
        return "<AccumulateGrad>"

    def __eq__(self, other):
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self):
        return hash(self.variable)

    def register_hook(self, fn):
        """Call fn((), (gradient,)) after the gradient was added to `.grad`."""
        if self.variable._end_hooks is None:
            self.variable._end_hooks = {}
        return Handle(self.variable._end_hooks, fn)

    def register_prehook(self, fn):
        """Call fn((gradient,)) before; a tuple it returns replaces the gradient."""

        def pre(g):
            new = fn((g,))
            return None if new is None else new[0]

        return self.variable.register_hook(pre)


def checked(hook, new, g):
    """A hook's result for gradient g.  Raises ArgumentTypeError or AutogradError when it cannot replace g."""
    if new is not None and not hasattr(new, "_spec"):
        raise ArgumentTypeError(f"hook {_named(hook)} returned {type(new).__name__}; return a Tensor, or None to leave the "
                                "gradient as it is")
    if new is not None and new.shape != g.shape:
        raise AutogradError(f"hook {_named(hook)} has changed the size of value: the gradient has shape {list(g.shape)}, "
                            f"what it returned {list(new.shape)}")
    return new


def _named(hook):
    return repr(getattr(hook, "__name__", type(hook).__name__))


def mark():
    """A number between those of the nodes made before and after."""
    return next(_sequence)


class Handle:
    """The result of registering a hook: remove() removes the hook, as does leaving it as a context manager."""

    _keys = itertools.count()

    def __init__(self, hooks, fn):
        self.hooks, self.key = hooks, next(self._keys)
        hooks[self.key] = fn

    def remove(self):
        self.hooks.pop(self.key, None)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.remove()


def _tell(node):
    """Call the observers with a node, since this process has compiled programs after the last one."""
    global _compiled
    _compiled = builds.compiled
    for observer in observers.recorded:
        observer(node)


def record(op, inputs, attrs, outputs, versions=None, needs=None):
    """Make the Node of an op application; the caller attaches it to the outputs.

    inputs: tensors or numbers; outputs: fresh tensors; versions: the storages' versions before an in-place write; needs: per
    input, whether it requires grad, if already known.
    """
    if needs is None:
        needs = needs_of(inputs)
    kept = op.savings.get(needs)
    if kept is None:
        kept = op.savings[needs] = op.saving(needs)
    keep, keep_outputs = kept
    edges = [edge_of(x) if need else None for x, need in zip(inputs, needs)]  # noqa: B905  (as many by construction)
    args, saved = [getattr(x, "_spec", x) for x in inputs], ()
    if True in keep:
        for i, x in enumerate(inputs):
            if keep[i] and args[i] is not x:
                if x._storage.inference:
                    raise AutogradError(f"{op.name}: Inference tensors cannot be saved for backward. Make a clone() of input {i} "
                                        "to get a normal tensor, or use no_grad() instead of inference_mode()")
                args[i] = x
                saved += ((i, x._storage.version if versions is None else versions[i]),)
    node = Node(op, tuple(edges), tuple(args), attrs, saved, tuple([o._spec for o in outputs]), needs)
    if keep_outputs:
        node.outputs = tuple([o._spec if keep_outputs is not True and i not in keep_outputs else (o._alias(), o._storage.version)
                              for i, o in enumerate(outputs)])
    if builds.compiled != _compiled:
        _tell(node)
    if context.saving is not None and versions is None:
        context.saving.of_node(node)
    return node


def needs_of(inputs):
    """Per input, a tensor or not, whether it requires grad; a view learns here of writes to its base."""
    return tuple([getattr(x, "_req", False) or (getattr(x, "_base", None) is not None and x._refresh()) for x in inputs])


def edge_of(tensor):
    """Where a tensor's gradient goes: (its node, output number), or (itself, 0) for a leaf."""
    node = tensor._node if tensor._base is None else tensor.grad_fn  # grad_fn checks whether the base was written to
    return (tensor, 0) if node is None else (node, tensor._index)


def leaf_at(tensor):
    """If a write to a tensor changes a leaf that requires grad: "a leaf Variable" or "a view of a leaf Variable"; else None."""
    base = tensor if tensor._base is None else tensor._base
    # grad_fn rather than _node alone: a write may have given the base a history, which a view learns of when asked
    if any(t._req and t._node is None and t.grad_fn is None for t in (base, tensor)):
        return "a leaf Variable" if base is tensor else "a view of a leaf Variable"
    return None
