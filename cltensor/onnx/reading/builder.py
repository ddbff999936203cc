"""A Builder makes a Body of a graph: every node gets its rule, or the function that the model or ONNX itself defines it by."""

import numpy as np

from ...base.errors import SerializationError, UnsupportedError
from . import operators
from .arrays import array_of_tensor, dense_array_of_sparse
from .attributes import value_of
from .body import Body, Constant, Step, mark_spent
from .functions import Call, LocalFunction, StandardFunction

_DEEPEST = 64  # graphs inside graphs and functions inside functions
_REFERENCE = "ref_attr_name"


class Known:
    """Names of values: a graph's own, and those of the graphs around it."""

    def __init__(self, names, around=None):
        self.names, self.around = set(names), around

    def __contains__(self, name):
        known = self
        while known is not None:
            if name in known.names:
                return True
            known = known.around
        return False


class Builder:
    """Makes Bodies of the graphs of one file.  missing: called with a text for each node that nothing can compute."""

    def __init__(self, file, missing):
        self.file, self.missing = file, missing
        self.functions = {(operators.ALIASES.get(f.domain, f.domain), f.name, f.overload): f for f in file.proto.functions}
        self._calls = {}

    def graph(self, proto, versions, around=None, bound=None, depth=0, initializers=True):
        """The Body of a GraphProto.  versions: {domain: version of its operators}; around: what it may read from outside."""
        inputs, outputs = [i.name for i in proto.input], [o.name for o in proto.output]
        body = Body(inputs, outputs, proto.name)
        if initializers:
            for tensor in proto.initializer:
                body.constants[tensor.name] = Constant(array_of_tensor(tensor, self.file))
            for sparse in proto.sparse_initializer:
                body.constants[sparse.values.name] = Constant(dense_array_of_sparse(sparse, self.file))
        return self.filled(body, proto.node, versions, around, bound, depth)

    def filled(self, body, nodes, versions, around, bound=None, depth=0):
        """A Body with the steps of these nodes.  bound: values of the attributes of the function that they stand in."""
        if depth > _DEEPEST:
            raise SerializationError(f"graph {body.name!r}: graphs and functions are nested more than {_DEEPEST} deep")
        known = Known([*body.inputs, *body.constants], around)
        for node in nodes:
            lost = next((name for name in node.input if name and name not in known), None)
            if lost is not None:
                raise SerializationError(f"node {_called(node)}: its input {lost!r} is made by no node before it")
            self._add(body, node, versions, known, bound, depth)
            known.names.update(filter(None, node.output))
        lost = next((name for name in body.outputs if name not in known), None)
        if lost is not None:
            raise SerializationError(f"graph {body.name!r}: no node makes its output {lost!r}")
        body.reads = {*body.outputs}.union(*(step.inputs for step in body.steps),
                                           *(step.attributes[key].reads for step in body.steps for key in step.bodies))
        mark_spent(body, ())
        return body

    def call(self, key, function, bound, depth):
        """The Body of a FunctionProto for these attributes; made once for each."""
        known = (key, tuple(sorted((name, repr(value)) for name, value in bound.items())))
        if known not in self._calls:
            self._calls[known] = None
            body = Body(list(function.input), list(function.output), function.name)
            versions = {operators.ALIASES.get(o.domain, o.domain): o.version for o in function.opset_import}
            self._calls[known] = self.filled(body, function.node, versions, None, bound, depth + 1)
        if self._calls[known] is None:
            raise SerializationError(f"function {function.name!r}: calls itself")
        return self._calls[known]

    def _add(self, body, node, versions, around, bound, depth):
        attributes = self._attributes(node, versions, around, bound, depth)
        if _constant(node, attributes, versions):
            body.constants[node.output[0]] = _constant(node, attributes, versions)
            return
        step = self._step(node, attributes, versions, depth)
        if isinstance(step, str):
            self.missing(f"node {_called(node)}: {step}")
        else:
            body.steps.append(step)

    def _attributes(self, node, versions, around, bound, depth):
        found = {}
        for attribute in node.attribute:
            if getattr(attribute, _REFERENCE):
                if bound is None:
                    raise SerializationError(f"node {_called(node)}: attribute {attribute.name!r} refers to a function's, outside "
                                             "of one")
                if getattr(attribute, _REFERENCE) in bound:
                    found[attribute.name] = bound[getattr(attribute, _REFERENCE)]
                continue
            try:
                found[attribute.name] = value_of(attribute, self.file,
                                                 lambda graph: self.graph(graph, versions, around, bound, depth + 1))
            except SerializationError as error:
                raise SerializationError(f"node {_called(node)}: {error}") from error.__cause__
        return found

    def _step(self, node, attributes, versions, depth):
        """The Step of a node, or why there is none."""
        domain = operators.ALIASES.get(node.domain, node.domain)
        key = domain, node.op_type, node.overload
        if key in self.functions:
            return Call(node, LocalFunction(self, key, self.functions[key], attributes, depth))
        version = versions.get(domain)
        if version is None:
            return f"the model imports no operator set for the domain {domain or 'ai.onnx'!r}, so its version is not known"
        rule = operators.rule(domain, node.op_type, version)
        if rule is not None:
            return _checked(node, rule, operators.host_rule(domain, node.op_type, version), attributes)
        standard = StandardFunction.of(self, node, attributes, domain, versions, depth)
        return Call(node, standard) if standard else _unknown(node, domain, version)


def _checked(node, rule, host, attributes):
    """The Step of a node that a rule computes, or what does not fit."""
    unknown = [name for name in attributes if name not in rule.attributes]
    if unknown:
        has = ", ".join(rule.attributes) or "none"
        return f"version {rule.since} of the operator has no attribute {unknown[0]!r}; it has {has}"
    lacking = [name for name, needed in rule.attributes.items() if needed and name not in attributes]
    if lacking:
        return f"lacks the attribute {lacking[0]!r}"
    if len([*node.input]) > len(rule.inputs) and not rule.variadic:
        return f"has {len(node.input)} inputs, and the operator takes {len(rule.inputs)}"
    if len(node.input) < rule.required or not all(node.input[: rule.required]):
        return f"lacks inputs: the operator needs {', '.join(rule.inputs[: rule.required])}"
    return Step(node, rule, host, attributes)


def _unknown(node, domain, version):
    if domain and domain not in ("ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training"):
        return f"its domain {domain!r} is not one of ONNX's own, and the model defines no function of this name"
    return f"{node.op_type} of version {version} of {domain or 'ai.onnx'} has no rule here"


_CONSTANTS = {"value": lambda v: v, "sparse_value": lambda v: v, "value_int": "int64", "value_ints": "int64",
              "value_float": "float32", "value_floats": "float32", "value_string": "object", "value_strings": "object"}


def _constant(node, attributes, versions):
    """The Constant that a node Constant gives, or None for other nodes."""
    if node.op_type != "Constant" or operators.ALIASES.get(node.domain, node.domain) or len(node.output) != 1:
        return None
    if len(attributes) != 1 or not _CONSTANTS.keys() & attributes.keys():
        has = ", ".join(attributes) or "none"
        raise SerializationError(f"node {_called(node)}: a Constant has one value, and this one has {has}")
    (name, value), = attributes.items()
    return Constant(value if callable(_CONSTANTS[name]) else np.array(value, _CONSTANTS[name]))


def _called(node):
    title = f"{node.domain or 'ai.onnx'}.{node.op_type}"
    return f"{title} {node.name!r}" if node.name else title


def refused(text):
    """What `missing` is for load: the first node that nothing can compute is an error."""
    raise UnsupportedError(text)
