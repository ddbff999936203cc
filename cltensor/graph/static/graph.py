"""Graph: a static graph, defined with symbols and run on what is fed."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Sequence
from types import FunctionType
from typing import Any, NamedTuple

from ...base import calls as public
from ...base import dtypes
from ...base.context import context
from ...base.errors import ArgumentError, GraphError
from ...base.overriding import Quiet, arm
from ...dispatch.tensor_base import TensorBase
from ...runtime.device import default_device
from ...runtime.device import device as Device
from ...tensor import namespace
from .. import dot
from ..compiled import Compiled
from ..structure import flatten, unflatten
from . import file, recording
from .calls import Call, Held, Placeholder, assigned, gradient_of, mapped, reachable, symbolic
from .drawing import drawing
from .feeding import fed
from .program import Program
from .recording import META, TRIALS, outside
from .symbols import Symbol, Variable

tensor, empty = namespace()["tensor"], namespace()["empty"]
_PROGRAMS = 64  # of different fetches that are kept
class _Definition:
    """A mode that hands every public call to a graph."""

    def __init__(self, graph):
        self.graph = graph

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return self.graph.record(func, args, kwargs or {})


class Graph:
    """A static graph: define it inside `with graph:`, with placeholders and variables in place of tensors, then run what you fetch.

    Inside the block functions, methods and operators under their usual names give symbols, of any shape and dtype, and compute
    nothing; shapes and dtypes are checked at once, and errors name the line.  A run computes what its fetches need, as a compiled
    program: captured the first time for each set of fetches and sizes, fused, then replayed.
    device: where it runs; the default device if left out.

    Raises at a definition what the function raises, with the line; GraphError for what a static graph cannot do: to read values, to
    write in place, or to use tensors from outside that are not held in a variable or constant.
    Source: Abadi et al. 2016.

        >>> g = ct.graph.Graph()
        >>> with g:
        ...     x = g.placeholder((None, 2), name="x")
        ...     w = g.variable([[1.0], [2.0]])
        ...     y = (x @ w).relu()
        ...     (gw,) = g.gradients(y.sum(), [w])
        >>> g.run([y, gw], {x: [[1.0, 1.0], [-1.0, 0.0]]})
        [tensor([[3.],
                [0.]]), tensor([[1.],
                [1.]])]
    """

    def __init__(self, device: Any = None) -> None:
        self.device = default_device() if device is None else Device(device)
        self.placeholders: dict[str, Symbol] = {}
        self.variables: dict[str, Variable] = {}
        self.outputs: dict[str, Symbol] = {}
        self.nodes: list[Any] = []
        self._inputs: dict[Any, Symbol] = {}  # Placeholder or Held -> its symbol
        self._programs: OrderedDict[tuple, Compiled] = OrderedDict()  # what is fetched -> its program
        self._lock = threading.Lock()

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise GraphError("cannot copy or pickle 'Graph' object: it and its symbols refer to each other; write it with save, read "
                         "it with load")

    def __enter__(self) -> Graph:
        arm()
        context.modes = (*context.modes, _Definition(self))
        return self

    def __exit__(self, *exc: object) -> None:
        context.modes = context.modes[:-1]

    # --- definition ------------------------------------------------------------------------------------------------------

    def placeholder(self, shape: Sequence[int | None], dtype: Any = None, name: str | None = None) -> Symbol:
        """A symbol that each run is fed.  shape: None for sizes that differ from run to run; dtype: the default one if left out.

        Raises ArgumentError for a negative size, GraphError for a name that another placeholder has.
        Source: Abadi et al. 2016.

            >>> ct.graph.Graph().placeholder((None, 3), ct.int64, "tokens")
            Symbol(int64[?, 3])
        """
        shape, dtype = tuple(shape), dtypes.get_default_dtype() if dtype is None else dtype
        if any(n is not None and (not isinstance(n, int) or n < 0) for n in shape):
            raise ArgumentError(f"Graph.placeholder: sizes must be None or ints of at least 0, got {shape}")
        node = Placeholder(self._name(name, "placeholder", self.placeholders), shape, dtype, recording.line())
        tried = [self._meta(tuple(trial if n is None else n for n in shape), dtype) for trial in TRIALS]
        made = Symbol.of(self, node, 0, tuple(tried if None in shape else tried[:1] * 2))
        self.placeholders[node.name] = self._inputs[node] = made
        self.nodes.append(node)
        return made

    def variable(self, init: Any, dtype: Any = None, name: str | None = None) -> Variable:
        """A tensor that the graph keeps from run to run.  init: a tensor, an array or numbers, of any shape and dtype.

        A tensor on the graph's device that is whole keeps its memory, and is shared with whoever else has it, as a parameter is.
        Raises GraphError for a name that another variable has, and for an init that depends on a placeholder.
        Source: Abadi et al. 2016.

            >>> ct.graph.Graph().variable([1.0, 2.0], name="w").value
            tensor([1., 2.])
        """
        node = Held(self._name(name, "variable", self.variables), self._held(init, dtype), recording.line())
        self.variables[node.name] = made = self._symbol_of_held(node, Variable)
        return made

    def constant(self, value: Any, dtype: Any = None) -> Symbol:
        """A tensor that never changes: value is copied.  Of any shape and dtype.

        Raises GraphError for a value that depends on a placeholder.  Source: Abadi et al. 2016.

            >>> g = ct.graph.Graph()
            >>> g.run(g.constant([1, 2]) * 3)
            tensor([3, 6])
        """
        with outside():
            held = self._held(value, dtype).clone()
        return self._symbol_of_held(Held("", held, recording.line()), Symbol)

    def gradients(self, ys: Any, xs: Sequence[Symbol], grad_ys: Any = None) -> tuple[Symbol, ...]:
        """Symbols of the gradients of ys, one symbol or several, with regard to each of xs: placeholders, variables or others.

        grad_ys: gradients of ys, of their shapes and dtypes; left out for numbers.  Gradients of gradients work as well.
        Raises GraphError where ys do not depend on one of xs, and what autograd.grad raises, with the line.
        Source: Abadi et al. 2016.

            >>> g = ct.graph.Graph()
            >>> x = g.variable(3.0)
            >>> g.run(g.gradients(x * x, [x]))
            (tensor(6.),)
        """
        at, ys, xs = recording.line(), _listed(ys), _listed(xs)
        given = (ys, xs) if grad_ys is None else (ys, xs, _listed(grad_ys))
        given = mapped(given, lambda x: recording.argument(self, x, "Graph.gradients", at))
        below = _below_gradients(ys, xs, grad_ys, at)
        ways = any(isinstance(x, FunctionType) for n in below if isinstance(n, Call) for x in (*n.args, *n.kwargs.values()))
        call = Call(gradient_of, given, {"branches": True} if ways else {}, at)
        program = Program([_Fetch(call, 0)], self.device)

        def derived(trial):
            inputs = {x.node: x.stand_ins[trial] for x in self._inputs.values()}
            return tuple(program.values({n: inputs[n] for n in program.placeholders}, {n: inputs[n] for n in program.held})[call])

        return recording.recorded(self, call, derived)

    def assign(self, variable: Variable, value: Any) -> Symbol:
        """See Variable.assign."""
        at, value = recording.line(), value if isinstance(value, Symbol) else self.constant(value, variable.dtype)
        recording.argument(self, value, "assign", at)
        if variable.sizes() != value.sizes() or variable._spec.dtype is not value._spec.dtype:
            raise GraphError(f"assign: {variable!r} cannot hold {value!r}: shape and dtype must be the same; broadcast or convert "
                             f"the value first, at {at}")
        return recording.recorded(self, Call(assigned, (variable, value), {}, at), lambda trial: value.stand_ins[trial])

    def record(self, function: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        """A public call of this graph: what it gives, with symbols in place of tensors."""
        return recording.record(self, function, args, kwargs)

    def _name(self, name, kind, taken):
        if name is not None and name in taken:
            raise GraphError(f"Graph.{kind}: there is a {kind} named {name!r} already")
        return next(n for i in itertools.count(len(taken)) if (n := f"{kind}{i}") not in taken) if name is None else name

    def _meta(self, shape, dtype):
        with Quiet(modes=False):
            return empty(shape, dtype=dtype, device=META)

    def _held(self, init, dtype):
        """The tensor on the graph's device of what a variable is to hold."""
        if isinstance(init, Symbol):
            program = Program([init], self.device)
            if program.placeholders:
                raise GraphError(f"Graph: what is held must be known before run, but {init!r} depends on the placeholder "
                                 f"{program.placeholders[0].name!r}")
            with outside():
                init = program()[0]
        with Quiet(modes=False):
            made = init.detach() if isinstance(init, TensorBase) else tensor(init, dtype=dtype, device=self.device)
            return made.to(device=self.device, dtype=dtype or made.dtype).contiguous()

    def _symbol_of_held(self, node, cls):
        self.nodes.append(node)
        self._inputs[node] = made = cls.of(self, node, 0, (self._meta(tuple(node.tensor.shape), node.tensor.dtype),) * 2)
        return made

    # --- drawing, saving ------------------------------------------------------------------------------------------------

    def to_dot(self) -> str:
        """Graphviz text of the definition: placeholders, what is held, calls with their lines, shapes and dtypes on the edges.

        Never raises.  Source: the DOT language of Graphviz.

            >>> ct.graph.Graph().to_dot().splitlines()[0]
            'digraph cltensor {'
        """
        return dot.of_drawings([("static graph", *drawing(self))])

    def save(self, path: Any, outputs: dict[str, Symbol] | None = None) -> None:
        """Write the graph, and what it holds, to a file (or a binary file open for writing) that `load` reads; it holds no code.

        outputs: {name: symbol} to find again in `outputs` after load.  Of tensors of any shape and dtype.
        Raises GraphError for an output that is no symbol of this graph, SerializationError for an argument that a file cannot hold.
        Source: the layout of safetensors 0.4.

            g.save("model.graph", {"scores": y})
        """
        file.save(self, path, outputs or {})

    @classmethod
    def load(cls, path: Any, device: Any = None) -> Graph:
        """The graph in a file that `save` wrote; its symbols are in `placeholders`, `variables` and `outputs`, by name.

        The calls in it are tried on shapes and dtypes again.  device: where it runs; the default device if left out.
        Raises SerializationError for a file that holds no graph, or a damaged one.  Source: the layout of safetensors 0.4.

            g = cltensor.graph.Graph.load("model.graph")
            g.run(g.outputs["scores"], {"x": x})
        """
        return file.load(cls(device), path)

    # --- running ---------------------------------------------------------------------------------------------------------

    def run(self, fetches: Any, feeds: dict[Any, Any] | None = None) -> Any:
        """Compute what is fetched: a symbol, or lists, tuples and dicts of symbols; tensors come back in the same structure.

        feeds: {placeholder, or its name: a tensor, an array or numbers} of the placeholder's shape and of a dtype that it can hold.
        Raises GraphError for a placeholder that is needed and not fed, and for what is no symbol or placeholder of this graph;
        ShapeError and DTypeError for a value that does not fit; what functions raise, with the line of their definition.
        Source: Abadi et al. 2016.

            >>> g = ct.graph.Graph()
            >>> x = g.placeholder((2,), name="x")
            >>> g.run({"sum": x.sum(), "twice": x * 2}, {"x": [1.0, 2.0]})
            {'sum': tensor(3.), 'twice': tensor([2., 4.])}
        """
        wanted, template = flatten(fetches)
        compiled = self._program(wanted)
        given = fed(self, feeds or {}, compiled.fn.placeholders)
        with outside():
            return unflatten(template, iter(compiled(*given)))

    def explain(self, fetches: Any) -> Any:
        """What the program of these fetches has become in the runs so far: launches, bytes moved, kernels; print it.

        Of tensors of any shape and dtype.  Raises GraphError for what is no symbol of this graph.
        Source: Compiled.explain.

            >>> g = ct.graph.Graph()
            >>> y = (g.variable([1.0]) * 2).exp()
            >>> values = g.run(y)
            >>> g.explain(y).launches
            1
        """
        return self._program(flatten(fetches)[0]).explain()

    def _program(self, wanted):
        """The Compiled of some fetches, the last one used kept longest."""
        for f in wanted:
            if not symbolic(f) or f.graph is not self:
                raise GraphError(f"Graph.run: fetches must be symbols of this graph, got {public.kind(f)} {f!r:.80}")
        key = tuple((f.node, f.place) for f in wanted)
        with self._lock:
            found = self._programs.pop(key, None) or Compiled(Program(wanted, self.device), dynamic=True)
            self._programs[key] = found
            if len(self._programs) > _PROGRAMS:
                self._programs.popitem(last=False)
        return found

def _listed(x):
    return list(x) if isinstance(x, (list, tuple)) else [x]


def _below_gradients(ys, xs, grad_ys, at):
    """The nodes that ys depend on, once the arguments of `gradients` are checked."""
    for x in (*ys, *xs):
        if not isinstance(x, Symbol):
            raise GraphError(f"Graph.gradients: expected symbols of a graph, got {public.kind(x)}, at {at}")
    below = set(reachable([y.node for y in ys]))
    for name, symbols in (("ys", ys), ("xs", xs)):
        for i, x in enumerate(symbols):
            if not x._spec.dtype.is_inexact:
                raise GraphError(f"Graph.gradients: {name}[{i}] is {x!r}, and only floating-point and complex tensors have "
                                 f"gradients, at {at}")
    for i, y in enumerate(ys):
        if grad_ys is None and any(n != 1 for n in y.sizes()):
            raise GraphError(f"Graph.gradients: ys[{i}] is {y!r}, and only a single number has gradients of its own; take its sum, "
                             f"or give grad_ys, at {at}")
    for i, x in enumerate(xs):
        if x.node not in below:
            raise GraphError(f"Graph.gradients: ys do not depend on xs[{i}], {x!r}, at {at}")
    return below


class _Fetch(NamedTuple):
    """A node's result, before there is a symbol of it."""

    node: Any
    place: int
