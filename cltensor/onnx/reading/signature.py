"""What a model's inputs and outputs are declared as, and whether what is given fits."""

import numpy as np

from ...base.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from .element_types import NARROW, Narrow, held_as, is_tensor, name_of, tensor_of
from .package import package


class Declared:
    """A ValueInfoProto: its name, kind ("tensor", "sequence", "optional", ...), element type (a name) and shape.

    shape: a tuple of ints, names of sizes, and None; None where the rank is not declared.
    """

    def __init__(self, proto):
        self.name, self.type = proto.name, proto.type
        self.kind, self.element, self.shape = _read(proto.type)

    def __str__(self):
        shape = "" if self.shape is None else f"[{', '.join('?' if n is None else str(n) for n in self.shape)}]"
        return f"{self.name}: {'' if self.kind == 'tensor' else self.kind + ' of '}{self.element or '?'}{shape}"

    def taken(self, value, sizes, device):
        """A value for this input.  sizes: {name: size}, filled with what the sizes of dimensions turn out to be."""
        return _taken(self.type, value, f"input {self.name!r}", sizes, device)


def _read(proto):
    """(kind, element type, shape) of a TypeProto."""
    kind = (proto.WhichOneof("value") or "tensor_type").removesuffix("_type")
    if kind in ("sequence", "optional"):
        return kind, *_read(getattr(proto, f"{kind}_type").elem_type)[1:]
    if kind != "tensor":
        return kind, None, None
    held = proto.tensor_type
    shape = tuple(_size(dim) for dim in held.shape.dim) if held.HasField("shape") else None
    return kind, name_of(held.elem_type) if held.elem_type else None, shape


def _size(dim):
    return {"dim_value": dim.dim_value, "dim_param": dim.dim_param or None}.get(dim.WhichOneof("value"))


def _taken(proto, value, what, sizes, device):
    kind, element, shape = _read(proto)
    if kind == "optional":
        return None if value is None else _taken(proto.optional_type.elem_type, value, what, sizes, device)
    if kind == "sequence":
        if not isinstance(value, (list, tuple)):
            raise ArgumentTypeError(f"{what}: is a sequence, and takes a list of tensors, not {type(value).__name__}")
        return [_taken(proto.sequence_type.elem_type, v, f"{what}, element {i}", {}, device) for i, v in enumerate(value)]
    if kind != "tensor":
        raise ArgumentTypeError(f"{what}: is of kind {kind}, which is not read")
    if element == "string":
        return np.asarray(value, object)
    value = _as_tensor(value, element, what, device)
    wanted = element and held_as(element)
    if wanted is not None and value.dtype is not wanted:
        raise DTypeError(f"{what}: is {value.dtype}, and the model takes {wanted}; convert it with .to({wanted})")
    _check_shape(value.shape, shape, what, sizes)
    return Narrow(value, element) if element in NARROW else value


def _as_tensor(value, element, what, device):
    if is_tensor(value):
        return value
    if value is None:
        raise ArgumentError(f"{what}: is missing")
    if not isinstance(value, (np.ndarray, np.generic)):
        try:
            value = np.asarray(value, held_as(element).numpy if element and element != "bfloat16" else None)
        except (TypeError, ValueError) as error:
            raise ArgumentTypeError(f"{what}: expected a tensor or an array, got {type(value).__name__} ({error})") from error
    made = tensor_of(np.asarray(value), device)
    return made.tensor if isinstance(made, Narrow) else made


def _check_shape(given, declared, what, sizes):
    if declared is None:
        return
    if len(given) != len(declared):
        raise ShapeError(f"{what}: has {len(given)} dimensions, {tuple(given)}, and the model takes {len(declared)}, {declared}")
    for i, (n, wanted) in enumerate(zip(given, declared, strict=True)):
        wanted = sizes.setdefault(wanted, n) if isinstance(wanted, str) else wanted
        if wanted is not None and n != wanted:
            named = f" ({declared[i]!r} is {wanted} in another input)" if isinstance(declared[i], str) else ""
            raise ShapeError(f"{what}: dimension {i} is {n}, and the model takes {wanted}{named}; its shape is {declared}")


def declared_inputs(graph):
    """(all inputs, names of those that have initialisers) of a GraphProto."""
    held = {t.name for t in graph.initializer} | {t.values.name for t in graph.sparse_initializer}
    inputs = [Declared(i) for i in graph.input]
    return inputs, {i.name for i in inputs if i.name in held}


def newest_opset():
    """The newest version of the default operator set that the package onnx knows."""
    return package("onnx.defs").onnx_opset_version()
