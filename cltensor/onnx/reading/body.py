"""A Body: the nodes of a graph in order, each with its rule, run one after the other."""

import functools
from collections import ChainMap

import numpy as np

from ...base.errors import (
    ArgumentError,
    CaptureError,
    CLTensorError,
    GraphError,
    MissingPackageError,
    NoDataError,
    OutOfMemoryError,
)
from .element_types import Narrow, array_of, is_tensor, tensor_of
from .public import as_array

_SMALL = 1024  # elements of a constant that may stand for a shape
#: what says by itself where it comes from, or is caught elsewhere
_KEPT = (CaptureError, GraphError, NoDataError, OutOfMemoryError, MissingPackageError)
_FOREIGN = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, AssertionError, NotImplementedError)


class Constant:
    """Values in the file that never change: an array, and a tensor of them once a device needs it."""

    def __init__(self, array):
        self.array, self._tensors = array, {}
        self.small = array.ndim <= 1 and array.size <= _SMALL
        self.text = array.dtype.kind in "OUS"

    def on_device(self, place):
        """Whether a rule that takes an input at such a place needs the values on a device."""
        return not self.text and (place == "device" or (place == "either" and not self.small))

    def tensor(self, device):
        """The values on a device."""
        if device not in self._tensors:
            self._tensors[device] = tensor_of(self.array, device)
        return self._tensors[device]


class Scope:
    """The values by name that a body sees: its own, and those of the graphs around it."""

    def __init__(self, device, parent=None):
        self.device, self.values, self.parent = device, {}, parent

    def __getitem__(self, name):
        scope = self
        while name not in scope.values:
            scope = scope.parent
        return scope.values[name]

    def get(self, name):
        """The value of a name, or None."""
        scope = self
        while scope is not None and name not in scope.values:
            scope = scope.parent
        return None if scope is None else scope.values[name]


class Body:
    """A graph: names of its inputs and outputs, Constants by name, and Steps."""

    def __init__(self, inputs, outputs, name=""):
        self.inputs, self.outputs, self.name = inputs, outputs, name
        self.constants, self.steps, self._placed = {}, [], set()

    def run(self, scope, values):
        """The outputs for these inputs, in a scope that is the body's own."""
        scope.values.update(self.constants)
        scope.values.update(zip(self.inputs, values, strict=True))
        for step in self.steps:
            step.run(scope)
        return tuple(scope[name] for name in self.outputs)

    def place(self, device, around=None):
        """Put the constants that steps read on a device there, those of bodies inside too, so that no run has to."""
        if device in self._placed:
            return
        self._placed.add(device)
        known = ChainMap(self.constants, *(around.maps if around else ()))
        for step in self.steps:
            for name, place in zip(step.inputs, step.places, strict=True):
                held = known.get(name)
                if held is not None and (held.on_device(place) or (place == "any" and not held.text)):
                    held.tensor(device)
            for body in step.inner():
                body.place(device, known if step.bodies else None)

    def outer(self, scope):
        """{name: tensor} of what the body reads of a scope around it."""
        found = {}
        for name in sorted(self.reads):
            held = scope.get(name)
            if is_tensor(held):
                found[name] = held
        return found


class Inner:
    """A Body as a function of its inputs, which sees the values of a scope."""

    def __init__(self, body, scope):
        self.body, self.scope = body, scope

    def __call__(self, *values):
        if len(values) != len(self.body.inputs):
            raise ArgumentError(f"graph {self.body.name!r} takes {len(self.body.inputs)} inputs and is given {len(values)}")
        device = self.scope.device
        found = self.body.run(Scope(device, self.scope), values)
        return tuple(v.array if isinstance(v, Constant) and v.small else revealed(v, device) for v in found)

    def outer(self):
        """{name: tensor} of what it reads from outside."""
        return self.body.outer(self.scope)

    def seeing(self, values):
        """The same function with other values of some names outside."""
        scope = Scope(self.scope.device, self.scope)
        scope.values.update(values)
        return Inner(self.body, scope)


class Step:
    """A node with the rule that computes it.  spent: names of values that no later step reads."""

    def __init__(self, node, rule, host, attributes):
        self.title = f"{node.domain or 'ai.onnx'}.{node.op_type}" + (f" {node.name!r}" if node.name else "")
        self.inputs, self.outputs = tuple(node.input), tuple(node.output)
        while self.inputs and not self.inputs[-1]:
            self.inputs = self.inputs[:-1]
        self.rule, self.host, self.attributes = rule, host, attributes
        self.bodies = {key for key, value in attributes.items() if isinstance(value, Body)}
        self.places = tuple(map(rule.place, range(len(self.inputs))))
        self.spent = ()

    def inner(self):
        """The bodies inside the node."""
        return [self.attributes[key] for key in self.bodies]

    def run(self, scope):
        """Compute the outputs and put them into the scope."""
        values = [scope[name] if name else None for name in self.inputs]
        try:
            results = self._computed(values, scope)
        except _KEPT:
            raise
        except CLTensorError as error:
            text = str(error).removeprefix("Model: ")
            if text.startswith("node "):  # of a graph inside
                raise
            raise type(error)(f"node {self.title}: {text}") from error
        except MemoryError as error:
            raise OutOfMemoryError(f"node {self.title}: {error}") from error
        except _FOREIGN as error:
            raise ArgumentError(f"node {self.title}: its inputs or attributes make no sense: {error}") from error
        for name in self.spent:
            scope.values.pop(name, None)
        for name, result in zip(self.outputs, results, strict=False):
            if name:
                scope.values[name] = result

    def _computed(self, values, scope):
        attributes = self.attributes
        if self.bodies:
            attributes = {key: Inner(value, scope) if key in self.bodies else value for key, value in attributes.items()}
        if self.host is not None and values and all(map(_on_host, values)):
            results = self.host.function(*(v.array if isinstance(v, Constant) else v for v in values), **attributes)
            if results is not NotImplemented:
                return tuple(map(as_array, results)) if isinstance(results, tuple) else (as_array(results),)
        kind = None
        if self.rule.narrow == "same":
            kind = next((v.name for v in (revealed(value, scope.device) for value in values[:1]) if isinstance(v, Narrow)), None)
        keep = self.rule.narrow is True
        given = [_handed(v, place, scope.device, keep) for v, place in zip(values, self.places, strict=True)]
        if self.rule.counts_outputs:
            attributes = {**attributes, "n_outputs": len(self.outputs)}
        results = self.rule.function(*given, **attributes)
        results = results if isinstance(results, tuple) else (results,)
        if len(results) < sum(map(bool, self.outputs)):
            raise ArgumentError(f"gives {len(results)} outputs, and the model names {len(self.outputs)}")
        return tuple(Narrow(r, kind) for r in results) if kind else results


def revealed(value, device):
    """A value for outside: a Constant as its tensor, or, where that cannot be, as its array."""
    if not isinstance(value, Constant):
        return value
    return value.array if value.text else value.tensor(device)


def _on_host(value):
    return value is None or isinstance(value, np.ndarray) or (isinstance(value, Constant) and value.small)


def _handed(value, place, device, keep):
    """A value in the place where a rule takes it."""
    if value is None or (place == "either" and isinstance(value, np.ndarray)):
        return value
    if isinstance(value, list):
        return [_handed(v, place, device, keep) for v in value]
    if isinstance(value, Constant):
        if not value.on_device(place):
            return value.array
        value = value.tensor(device)
    elif isinstance(value, np.ndarray) and place == "device" and not is_text(value):
        value = tensor_of(value, device)
    elif place == "host":
        return array_of(value)
    return value.tensor if isinstance(value, Narrow) and not keep else value


def is_text(array):
    """Whether an array holds strings."""
    return array.dtype.kind in "US" or (array.dtype == object and (not array.size or isinstance(array.flat[0], str)))


def mark_spent(body, kept):
    """Tell each step which of the body's own values no later step reads.  kept: names that others read afterwards."""
    seen = set(kept) | set(body.outputs)
    own = {name for step in body.steps for name in step.outputs}
    for step in reversed(body.steps):
        read = set(step.inputs) | functools.reduce(set.union, (step.attributes[key].reads for key in step.bodies), set())
        step.spent = tuple((read & own) - seen)
        seen |= read
