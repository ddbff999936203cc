"""Model: an ONNX graph as a Module."""

from __future__ import annotations

from typing import Any

from ...base.errors import ArgumentError, GraphError, SerializationError
from ...func import functional_call
from ...graph.static import Graph
from ...nn import Module, Parameter
from ...runtime.device import default_device
from ...tensor import Tensor
from .arrays import array_of_tensor, dense_array_of_sparse
from .body import Body, Constant, Scope, is_text, revealed
from .element_types import NARROW, Narrow, held_as, is_tensor, name_of_array, tensor_of
from .signature import Declared


class Model(Module):
    """What `load` gives: a Module that computes an ONNX graph.

    Floating initialisers are its Parameters.  Those that nothing trains are buffers: a batch norm's running mean, scales of
    quantised numbers, and numbers without a dimension whose name has no dot, which are constants of formulas.  So are larger
    integer initialisers.  Their names are those in the file, with "." between modules.  The model does what the file
    says whether it is in training mode or not.

    Inputs are given by position or name, tensors of the declared shapes and dtypes, arrays or numbers.  Raises ArgumentError for an
    input that is missing or unknown, DTypeError and ShapeError for one that does not fit, naming it, and otherwise what the node
    raises that fails, with its name.  Source: the ONNX specification, versions 9 and later of its operators.

    Example::

        model = cltensor.onnx.load("resnet18.onnx")
        scores = model(images)                       # or model(input=images)
        step = cltensor.compile(model)
    """

    def __init__(self, name: str, body: Body, inputs: list[Declared], outputs: list[Declared]) -> None:
        super().__init__()
        self._name, self._body = name, body
        self._declared_inputs, self._declared_outputs = inputs, outputs
        self._places: dict[str, tuple[Module, str]] = {}  # initialiser -> the module that has it, and its name there
        self._optional: set[str] = set()

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs that a call needs, in order."""
        return [i.name for i in self._declared_inputs if i.name not in self._optional]

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, in order."""
        return [o.name for o in self._declared_outputs]

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """The output, or a tuple of all outputs: tensors, of the shapes and dtypes of the graph, or lists for sequences."""
        found = self._run(inputs, named)
        return found[0] if len(found) == 1 else found

    def named(self, *inputs: Any, **named: Any) -> dict[str, Any]:
        """The outputs by name, for the same inputs as a call takes: tensors of the graph's shapes and dtypes.

        Raises what a call raises.  Source: the ONNX specification.

        Example::

            logits = model.named(tokens)["logits"]
        """
        return dict(zip(self.output_names, self._run(inputs, named), strict=True))

    def to_graph(self) -> Graph:
        """A static graph of the model: placeholders of its inputs, of their dtypes and shapes, its parameters as variables.

        Sizes that are not fixed are known when the graph runs.  Raises GraphError where the rank of an input is not declared, and
        for models that read values, such as the condition of an If.  Source: Abadi et al. 2016.

        Example::

            graph = model.to_graph()
            scores = graph.run(graph.outputs["scores"], {"images": images})
        """
        graph = Graph()
        with graph:
            symbols = {i.name: _placeholder(graph, i) for i in self._declared_inputs if i.name not in self._optional}
            held = {name: graph.variable(t, name=name) for name, t in [*self.named_parameters(), *self.named_buffers()]}
            found = functional_call(self, held, (), symbols)
        outputs = found if isinstance(found, tuple) else (found,)
        graph.outputs.update(zip(self.output_names, outputs, strict=True))
        return graph

    def extra_repr(self) -> str:
        """The inputs and outputs."""
        return f"{', '.join(map(str, self._declared_inputs))} -> {', '.join(map(str, self._declared_outputs))}"

    def _run(self, inputs, named):
        values = self._bound(inputs, named)
        device = next((v.device for v in [*inputs, *named.values()] if isinstance(v, Tensor)), None) or self._device()
        sizes, scope = {}, Scope(device)
        for name, (owner, key) in self._places.items():
            scope.values[name] = getattr(owner, key)
        taken = [d.taken(values[d.name], sizes, device) for d in self._declared_inputs if d.name in values]
        scope.values.update(zip((d.name for d in self._declared_inputs if d.name in values), taken, strict=True))
        given = [scope.values.get(name, self._body.constants.get(name)) for name in self._body.inputs]
        found = self._body.run(scope, given)
        return tuple(_shown(revealed(value, device), device) for value in found)

    def _bound(self, inputs, named):
        """{name: value} of the inputs of a call."""
        needed = self.input_names
        if len(inputs) > len(needed):
            raise ArgumentError(f"takes {len(needed)} inputs, {', '.join(needed)}, and is given {len(inputs)}")
        known = [d.name for d in self._declared_inputs]
        values = dict(zip(needed, inputs, strict=False))
        for name, value in named.items():
            if name not in known or name in values:
                why = "is given twice" if name in values else f"is no input of the model; they are {', '.join(known)}"
                raise ArgumentError(f"{name!r} {why}")
            values[name] = value
        optional = {d.name for d in self._declared_inputs if d.kind == "optional"}
        lost = [name for name in needed if name not in values and name not in optional]
        if lost:
            raise ArgumentError(f"input {lost[0]!r} is missing; the model takes {', '.join(needed)}")
        return dict.fromkeys(optional) | values

    def _device(self):
        held = next((t for t in [*self.parameters(), *self.buffers()]), None)
        return default_device() if held is None else held.device

    def _hold(self, name, value):
        """Register an initialiser under its name: a Parameter or a buffer."""
        owner, key = _place(self, name)
        if isinstance(value, Parameter):
            owner.register_parameter(key, value)
        else:
            owner.register_buffer(key, value)
        self._places[name] = owner, key


def filled(model, file):
    """Give a Model the initialisers of its file, each in its place."""
    graph = file.proto.graph
    uses = _uses(model._body)
    arrays = [(t.name, array_of_tensor(t, file)) for t in graph.initializer]
    arrays += [(s.values.name, dense_array_of_sparse(s, file)) for s in graph.sparse_initializer]
    for name, array in arrays:
        if name in model._places or name in model._body.constants:
            raise SerializationError(f"initialiser {name!r}: is there twice")
        held = _held(name, array, uses.get(name, []))
        if held is None:
            model._body.constants[name] = Constant(array)
        else:
            model._hold(name, held)
    model._body.place(default_device())
    return model


def _held(name, array, uses):
    """The Parameter or buffer of an initialiser, or None for one that is a constant.  uses: (rule, position) of its readers."""
    element = name_of_array(array)
    if element == "string" or array.dtype.name in NARROW or (uses and all(r.place(i) == "host" for r, i in uses)):
        return None
    if not element.startswith(("float", "bfloat")):
        return None if array.ndim <= 1 and array.size <= 1024 else tensor_of(array)
    constant = not array.ndim and "." not in name  # the numbers of formulas; a module's own would have its name
    return tensor_of(array) if constant or any(r.is_buffer(i) for r, i in uses) else Parameter(tensor_of(array))


def _uses(body):
    """{name: [(rule, position)]} of everything that a body and those inside it read."""
    found = {}
    for step in body.steps:
        for i, name in enumerate(step.inputs):
            found.setdefault(name, []).append((step.rule, i))
        for key in step.bodies:
            for name, more in _uses(step.attributes[key]).items():
                found.setdefault(name, []).extend(more)
    return found


def _place(model, name):
    """(module, attribute) for an initialiser's name: modules for what its dots separate, where that is possible."""
    *path, key = (part or "_" for part in name.split("."))
    owner = model
    for part in path:
        inside = owner._modules.get(part)
        if inside is None:
            part = part if not hasattr(owner, part) else part + "_"
            inside = owner._modules.get(part) or Module()
            owner.add_module(part, inside)
        owner = inside
    while hasattr(owner, key):
        key += "_"
    return owner, key


def _placeholder(graph, declared):
    if declared.kind != "tensor" or declared.shape is None or declared.element is None:
        raise GraphError(f"to_graph: input {declared} has no declared rank, or is no tensor")
    return graph.placeholder([n if isinstance(n, int) else None for n in declared.shape], held_as(declared.element), declared.name)


def _shown(value, device):
    """A result for the caller: a tensor, a list of them, None, or an array of strings."""
    if isinstance(value, list):
        return [_shown(v, device) for v in value]
    if isinstance(value, Narrow):
        return value.tensor
    if value is None or is_tensor(value):
        return value
    return value if is_text(value) else tensor_of(value, device)
