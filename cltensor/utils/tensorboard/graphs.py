"""The graph of a model for TensorBoard: the ops of one forward pass, in the modules that ran them."""

from ...graph.ir import Origin, texts
from .protocol import protocol


def graph(made):
    """The GraphDef of a ModuleTrace: inputs, parameters, ops with the shapes of their results, and outputs."""
    return _Graph(made).message


class _Graph:
    def __init__(self, made):
        self.p, self.nodes, self.homes, self.taken = protocol("SummaryWriter"), [], {}, {}
        self.scopes = _scopes(made)
        self.root = made.root.module._get_name()
        for i, use in enumerate(made.arguments):
            self.homes.setdefault(use.value, self._add(f"input/{i}", "IO Node", (), [use.spec.shape]))
        self.parameters, self.read = made.names, set()
        for node, call in zip(made.nodes, made.owners(), strict=True):
            self._op(node, call)
        for i, use in enumerate(made.outputs):
            self._add(f"output/{i}", "IO Node", [self._home(use.value)], [use.spec.shape])
        self.message = self.p.GraphDef(node=self.nodes, versions=self.p.VersionDef(producer=22))

    def _op(self, node, call):
        inputs = dict.fromkeys(filter(None, (self._home(u.value) for u in node.uses)))
        shapes = [r.use.spec.shape for r in node.results]
        attributes = ", ".join(texts((*node.attrs, *node.numbers)))
        name = self._add(f"{self.scopes[call]}/{node.op.name}", node.op.name, inputs, shapes, attributes)
        self.homes.update(dict.fromkeys(node.writes(), name))

    def _home(self, value):
        """The node that a value comes from; parameters and constants get one when they are first read."""
        if value not in self.homes:
            path = self.parameters.get(value.block)
            if path is not None:
                name, kind = f"{self.root}/{path.replace('.', '/')}", "Parameter"
            elif value.block.origin in (Origin.HELD, Origin.CONSTANT):
                name, kind = f"{self.root}/constant", "Constant"
            else:
                return None
            self.homes[value] = self._add(name, kind, (), ())
        return self.homes[value]

    def _add(self, name, kind, inputs, shapes, attributes=""):
        count = self.taken[name] = self.taken.get(name, 0) + 1
        name = name if count == 1 else f"{name}_{count - 1}"
        node = self.p.NodeDef(name=name, op=kind, input=[i for i in inputs if i])
        node.attr["attr"].CopyFrom(self.p.AttrValue(s=attributes.encode()))
        if shapes:
            node.attr["_output_shapes"].list.shape.extend(
                self.p.TensorShapeProto(dim=[self.p.TensorShapeProto.Dim(size=n) for n in shape]) for shape in shapes)
        self.nodes.append(node)
        return name


def _scopes(made):
    """{ModuleCall: the scope of its ops}: the names and classes of the modules around, as TensorBoard folds them."""
    found, taken = {}, {}

    def visit(call, above):
        title = call.module._get_name() if not above else f"{above}/{call.name.replace('.', '/')}"
        count = taken[title] = taken.get(title, 0) + 1
        found[call] = title if count == 1 else f"{title}_{count - 1}"
        for child in call.children:
            visit(child, found[call])

    visit(made.root, "")
    return found
