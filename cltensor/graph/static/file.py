"""Files of static graphs: their nodes as plain values beside what they hold, in the safetensors format."""

import numpy as np

from ...base import dtypes
from ...base.errors import CLTensorError, GraphError, SerializationError
from ...base.layouts import channels_last, channels_last_3d, contiguous_format, layout, memory_format, preserve_format, strided
from ...io.load import load as load_object
from ...io.save import save as save_object
from ...overrides import functions
from ...runtime.device import device as Device
from ...tensor import namespace
from . import recording
from .calls import OWN, Held, Placeholder, assigned, gradient_of, symbolic
from .symbols import Symbol, Variable

_FORMAT, _VERSION = "cltensor.graph", 1
_from_array = namespace()["from_numpy"]


def save(graph, path, outputs):
    """Write a graph."""
    for name, x in outputs.items():
        if not isinstance(name, str) or not isinstance(x, Symbol) or x.graph is not graph:
            raise GraphError(f"Graph.save: outputs must be symbols of this graph by name, got {name!r}: {x!r:.80}")
    writer = _Writer(graph)
    with recording.outside():
        save_object({"format": _FORMAT, "version": _VERSION, "nodes": [writer.node(n) for n in graph.nodes],
                     "outputs": {name: writer.value(x) for name, x in outputs.items()}}, path)


def load(graph, path):
    """Define in an empty graph what a file holds, and return it."""
    with recording.outside():
        found = load_object(path, map_location=graph.device)
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        raise SerializationError(f"Graph.load: {path!r:.200} holds no static graph; write one with Graph.save")
    if found.get("version") != _VERSION:
        raise SerializationError(f"Graph.load: {path!r:.200} is of version {found.get('version')!r:.20}, and this cltensor reads "
                                 f"version {_VERSION}; write it again with Graph.save")
    reader = _Reader(graph)
    try:
        for node in found["nodes"]:
            reader.define(node)
        graph.outputs.update((str(name), reader.symbol(x)) for name, x in found["outputs"].items())
    except (ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError,
            CLTensorError) as error:
        raise SerializationError(f"Graph.load: {path!r:.200} is damaged, or was not written by Graph.save: "
                                 f"{type(error).__name__}: {error}") from error
    return graph


class _Writer:
    """Nodes and arguments as plain values: a list is a list, anything else that is no number or text a dict of one key."""

    def __init__(self, graph):
        self.numbers = {node: i for i, node in enumerate(graph.nodes)}
        self.variables = {x.node for x in graph.variables.values()}
        self.names = {fn: name for name, fn in (*functions().items(), *OWN.items())}

    def node(self, node):
        """A node."""
        if isinstance(node, Placeholder):
            return {"placeholder": node.name, "shape": list(node.shape), "dtype": node.dtype.name}
        if isinstance(node, Held):
            return {"variable" if node in self.variables else "constant": node.name, "value": node.tensor.detach()}
        if node.function not in self.names:
            raise SerializationError(f"Graph.save: a file cannot hold a call of {recording.named(node.function)}, at {node.line}")
        self.line = node.line
        return {"call": self.names[node.function], "args": self.value(node.args), "kwargs": self.value(node.kwargs)}

    def value(self, x):
        """An argument."""
        if symbolic(x):
            return {"of": self.numbers[x.node], "place": x.place}
        if x is None or type(x) in (bool, int, float, str):
            return x
        if type(x) is list:
            return [self.value(v) for v in x]
        if isinstance(x, tuple):
            return {"tuple": [self.value(v) for v in x]}
        if isinstance(x, dict):
            return {"dict": [[self.value(k), self.value(v)] for k, v in x.items()]}
        if isinstance(x, slice):
            return {"slice": [self.value(v) for v in (x.start, x.stop, x.step)]}
        if isinstance(x, np.ndarray):
            return {"array": _from_array(x)}
        for kind, name in ((dtypes.dtype, "dtype"), (memory_format, "layout"), (layout, "layout")):
            if isinstance(x, kind):
                return {name: x.name}
        if isinstance(x, complex):
            return {"complex": [x.real, x.imag]}
        if x is Ellipsis or isinstance(x, Device):
            return {"dots" if x is Ellipsis else "device": True}
        raise SerializationError(f"Graph.save: a file cannot hold the argument {x!r:.80} of a call at {self.line}")


class _Reader:
    """The reverse of _Writer."""

    def __init__(self, graph):
        self.graph, self.results = graph, []

    def define(self, node):
        """Define one node."""
        if "placeholder" in node:
            made = self.graph.placeholder(node["shape"], dtypes.BY_NAME[node["dtype"]], _text(node["placeholder"]))
        elif "variable" in node:
            made = self.graph.variable(node["value"], name=_text(node["variable"]))
        elif "constant" in node:
            made = self.graph.constant(node["value"])
        else:
            made = self._called(node["call"], self.value(node["args"]), self.value(node["kwargs"]))
        self.results.append(recording.leaves(made))

    def _called(self, name, args, kwargs):
        function = OWN.get(name) or functions()[name]
        if function is gradient_of:
            return self.graph.gradients(*args)  # "branches" follows from the calls
        if function is assigned:
            variable, value = args
            if not isinstance(variable, Variable):
                raise ValueError("an assignment to what is no variable")
            return variable.assign(value)
        return self.graph.record(function, args, kwargs)

    def symbol(self, x):
        """A reference to a node's result."""
        found = self.results[_index(x["of"])][_index(x["place"])]
        if not symbolic(found):
            raise ValueError(f"a reference to {found!r:.40}, which is no symbol")
        return found

    def value(self, x):
        """An argument."""
        if type(x) is list:
            return [self.value(v) for v in x]
        if not isinstance(x, dict):
            return x
        if "of" in x:
            return self.symbol(x)
        [(kind, content)] = x.items()
        return _KINDS[kind](self, content)

    def tuple(self, x):
        """A tuple of arguments."""
        return tuple(self.value(v) for v in x)


_LAYOUTS = {x.name: x for x in (strided, contiguous_format, preserve_format, channels_last, channels_last_3d)}
#: how to read an argument, by the key under which it is written
_KINDS = {
    "tuple": _Reader.tuple,
    "dict": lambda reader, x: {reader.value(k): reader.value(v) for k, v in x},
    "slice": lambda reader, x: slice(*reader.tuple(x)),
    "array": lambda reader, x: x.numpy(),
    "dtype": lambda reader, x: dtypes.BY_NAME[x],
    "layout": lambda reader, x: _LAYOUTS[x],
    "complex": lambda reader, x: complex(*x),
    "dots": lambda reader, x: Ellipsis,
    "device": lambda reader, x: reader.graph.device,
}


def _text(x):
    if type(x) is not str:
        raise TypeError(f"a name must be text, got {x!r:.40}")
    return x


def _index(x):
    if type(x) is not int or x < 0:
        raise TypeError(f"a reference must be an int of at least 0, got {x!r:.40}")
    return x
