"""The values of nodes' attributes."""

from ...base.errors import SerializationError
from .arrays import array_of_tensor, dense_array_of_sparse

_FLOAT, _INT, _STRING, _TENSOR, _GRAPH, _FLOATS, _INTS, _STRINGS, _TENSORS, _GRAPHS, _SPARSE, _, _TYPE = range(1, 14)
_PLAIN = {_FLOAT: "f", _INT: "i", _TYPE: "tp"}
_LISTS = {_FLOATS: "floats", _INTS: "ints"}


def value_of(attribute, file, body):
    """The value of an AttributeProto: a number, text, a tuple, an array, or what body(graph) makes of a graph."""
    kind = attribute.type
    if kind in _PLAIN:
        return getattr(attribute, _PLAIN[kind])
    if kind in _LISTS:
        return tuple(getattr(attribute, _LISTS[kind]))
    if kind in (_STRING, _STRINGS):
        texts = tuple(_text(attribute.name, part) for part in ((attribute.s,) if kind == _STRING else attribute.strings))
        return texts[0] if kind == _STRING else texts
    if kind == _TENSOR:
        return array_of_tensor(attribute.t, file)
    if kind == _SPARSE:
        return dense_array_of_sparse(attribute.sparse_tensor, file)
    if kind == _GRAPH:
        return body(attribute.g)
    raise SerializationError(f"attribute {attribute.name!r}: of a kind ({kind}) that no operator has")


def _text(name, data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SerializationError(f"attribute {name!r}: is not UTF-8") from error
