"""Saved tensors as the program packs them: what stands in a node for a tensor that its gradient needs."""

from ..base import calls
from ..base.context import context
from ..base.errors import ArgumentTypeError, AutogradError
from .node import Node, edge_of
from .spec import Spec
from .tensor_base import TensorBase


class Packed:
    """What a pack hook made of a saved tensor, and the history that the tensor had.

    hooks: (pack, unpack); edge: where the tensor's gradient goes, or None.
    """

    __slots__ = ("_spec", "edge", "made", "unpack")

    def __init__(self, tensor, hooks, edge=None):
        pack, self.unpack = hooks
        self._spec, self.edge = tensor._spec, edge
        version = tensor._storage.version
        with silently():
            self.made = pack(tensor)
        if tensor._storage.version != version:
            raise AutogradError("saved_tensors_hooks: A saved tensor pack hook is modifying its input in place; compute a new "
                                "tensor from it instead")

    def tensor(self):
        """The tensor that the unpack hook returns, with the history of the one that was packed."""
        with silently():
            found = self.unpack(self.made)
        if not isinstance(found, TensorBase):
            raise ArgumentTypeError("saved_tensors_hooks: Output of saved tensor unpack_hook expected to be a Tensor but got "
                                    f"result of type {calls.kind(found)}")
        return found.detach() if self.edge is None else _continued(found, self.edge)


class Packing:
    """Packs what nodes save; the value of context.saving."""

    def __init__(self, pack, unpack):
        self.hooks = pack, unpack

    def of_node(self, node):
        """Pack the inputs and outputs that a node has saved."""
        if node.versions:
            args = list(node.args)
            for i, _ in node.versions:
                args[i] = Packed(args[i], self.hooks, node.edges[i])
            node.args, node.versions = tuple(args), tuple((i, None) for i, _ in node.versions)
        if node.outputs is not None:
            node.outputs = tuple(o if isinstance(o, Spec) else (Packed(o[0], self.hooks), None) for o in node.outputs)


class silently:
    """Inside, ops record nothing and nothing is packed: what a hook, or a Function, does by itself."""

    def __enter__(self):
        self.before = context.grad, context.saving
        context.grad, context.saving = False, None

    def __exit__(self, *exc):
        context.grad, context.saving = self.before


class _Same:
    """The gradient of a tensor that another stands for: unchanged."""

    name = "alias"

    def last(self, attrs):
        """See Op."""
        return self.name

    def input_gradients(self, gs, outputs, inputs, attrs, needs):
        """See Op."""
        return gs


def _continued(tensor, edge):
    """tensor's memory with a history that leads to edge."""
    target, index = edge
    if not isinstance(target, Node):
        target, index = _through(tensor, edge), 0
    return tensor._with_history(target, index)


def continued(tensor, source):
    """tensor's memory with a node of its own, which leads to where source's gradient goes, if it has one."""
    made = tensor._with_history(None, 0)
    made._node, made._req = _through(tensor, edge_of(source) if source.requires_grad else None), True
    return made


def _through(tensor, edge):
    """A node that passes gradients of tensor's shape on to edge."""
    spec = tensor._spec
    return Node(_Same(), (edge,), (spec,), (), (), (spec,))
