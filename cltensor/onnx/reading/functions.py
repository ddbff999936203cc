"""Nodes that stand for functions: those that the model defines, and those by which ONNX defines operators of its own."""

from .attributes import value_of
from .body import Constant, Scope, Step
from .element_types import NUMBERS, Narrow, name_of_value
from .operators import ALIASES, NEWEST
from .package import package


class Call(Step):
    """A node whose outputs a function's Body computes."""

    def __init__(self, node, function):
        super().__init__(node, function, None, {})
        self.count = len(self.outputs)

    def inner(self):
        """The function's body, where it is known before anything runs."""
        return self.rule.bodies()

    def _computed(self, values, scope):
        body = self.rule.body(values)
        values = [*values, *[None] * (len(body.inputs) - len(values))]
        return body.run(Scope(scope.device), values)


class _Function:
    """What Step asks of a rule, for a function."""

    narrow, counts_outputs = True, False

    def place(self, position):
        return "any"

    def is_buffer(self, position):
        return False


class LocalFunction(_Function):
    """A function of the model, with the attributes of one call."""

    def __init__(self, builder, key, function, attributes, depth):
        bound = {a.name: _value(a, builder) for a in function.attribute_proto} | attributes
        self.proto = builder.call(key, function, bound, depth)

    def body(self, values):
        """The Body, whatever the inputs."""
        return self.proto

    def bodies(self):
        """The Bodies made so far."""
        return [self.proto]


class StandardFunction(_Function):
    """A function by which ONNX defines an operator; what its nodes are may depend on the types of the inputs."""

    @classmethod
    def of(cls, builder, node, attributes, domain, versions, depth):
        """The function of a node, or None where ONNX has none."""
        defs = package("onnx.defs")
        try:
            schema = defs.get_schema(node.op_type, versions[domain], domain)
        except Exception:  # SchemaError, which the package does not export under one name in all versions
            return None
        if not schema.has_function and not schema.has_context_dependent_function:
            return None
        return cls(builder, schema, node, attributes, versions[domain], versions.get("", NEWEST), depth)

    def __init__(self, builder, schema, node, attributes, version, default, depth):
        self.builder, self.schema, self.node, self.depth = builder, schema, node, depth
        self.version, self.default = version, default
        defaults = {name: _value(a.default_value, builder) for name, a in schema.attributes.items() if a.default_value.type}
        self.bound, self._bodies = defaults | attributes, {}
        if schema.has_function:
            self.body(())  # what it needs is known before anything runs

    def body(self, values):
        """The Body for inputs of these types."""
        types = () if self.schema.has_function else tuple(map(_type, values))
        if types not in self._bodies:
            function = self._proto(types)
            key = "onnx.defs", self.schema.domain, self.schema.name, types
            self._complete(function)
            self._bodies[types] = self.builder.call(key, function, self.bound, self.depth)
        return self._bodies[types]

    def bodies(self):
        """The Bodies made so far."""
        return list(self._bodies.values())

    def _complete(self, function):
        """Import what the function's definition leaves out: the operator's own domain, and the default one."""
        imported = {ALIASES.get(o.domain, o.domain) for o in function.opset_import}
        for domain, version in ((self.schema.domain, self.version), ("", self.default)):
            if ALIASES.get(domain, domain) not in imported:
                function.opset_import.add(domain=domain, version=version)
                imported.add(ALIASES.get(domain, domain))

    def _proto(self, types):
        onnx, schema = package(), self.schema
        known = schema.function_opset_versions if schema.has_function else schema.context_dependent_function_opset_versions
        version = max((v for v in known if v <= self.version), default=schema.since_version)
        if schema.has_function:
            return onnx.FunctionProto.FromString(schema.get_function_with_opset_version(version))
        return onnx.FunctionProto.FromString(schema.get_context_dependent_function_with_opset_version(
            version, self.node.SerializeToString(), [_type_proto(t) for t in types]))


def _value(attribute, builder):
    return value_of(attribute, builder.file, None)


def _type(value):
    """(number of the element type, shape) of a value; None for an input that is left out."""
    if value is None or isinstance(value, list):
        return None
    value = value.array if isinstance(value, Constant) else value
    shape = (value.tensor if isinstance(value, Narrow) else value).shape
    return NUMBERS[name_of_value(value)], tuple(map(int, shape))


def _type_proto(found):
    proto = package().TypeProto()
    if found is not None:
        proto.tensor_type.elem_type = found[0]
        proto.tensor_type.shape.SetInParent()
        for n in found[1]:
            proto.tensor_type.shape.dim.add(dim_value=n)
    return proto.SerializeToString()
