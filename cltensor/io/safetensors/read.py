"""Read the object in a safetensors file; check it completely before any tensor is made."""

from ...base.errors import SerializationError
from ...dispatch.spec import dense
from ...dispatch.tensor_base import check_fp64
from ...nn.parameter import Parameter
from ...tensor import Tensor
from .layout import HEADER_LIMIT, LENGTH_BYTES, parse_header
from .structure import STRUCTURE, VERSION, Decoder, parse


def starts(start):
    """Whether a file with these first bytes is a safetensors file: with the length of a header below 4 GiB, and the header."""
    return start[4:9] == b"\0\0\0\0{"


def read(source, placement):
    """The object in a Source.  Raises SerializationError."""
    entries, metadata, start = read_header(source)
    tree = _tree(entries, metadata)
    Decoder(_Check(entries)).decode(tree)  # first without data, so that a bad file makes no tensor
    return Decoder(_Tensors(source, entries, start, placement)).decode(tree)


def read_header(source):
    """(entries, metadata, position of the first data byte)."""
    if source.size < LENGTH_BYTES:
        raise SerializationError(f"the file has {source.size} bytes, a safetensors file at least {LENGTH_BYTES}; it is "
                                 "empty or truncated: copy or download it again")
    length = int.from_bytes(source.read(0, LENGTH_BYTES).tobytes(), "little")
    room = source.size - LENGTH_BYTES
    start = source.read(LENGTH_BYTES, min(1, room)).tobytes()
    if start != b"{":
        raise SerializationError("this is no file that can be loaded: it does not start with a length and a JSON header, as "
                                 "safetensors does, nor as PyTorch's and NumPy's files do")
    if length > room:
        raise SerializationError(f"the header should be {length} bytes long, but only {room} follow; the file is truncated: "
                                 "copy or download it again")
    if length > HEADER_LIMIT:
        raise SerializationError(f"the header is {length} bytes long, the format allows {HEADER_LIMIT}")
    text = source.read(LENGTH_BYTES, length).tobytes()
    return *parse_header(text, room - length), LENGTH_BYTES + length


def _tree(entries, metadata):
    """The JSON data of the object; for other programs' files, a dict of all tensors."""
    if STRUCTURE not in metadata:
        return {"dict": [[name, {"tensor": name}] for name in entries]}
    described = parse(metadata[STRUCTURE])
    if not isinstance(described, dict) or type(described.get("version")) is not int or "object" not in described:
        raise SerializationError(f"its {STRUCTURE!r} metadata does not describe an object")
    if described["version"] > VERSION:
        raise SerializationError(f"it was written in version {described['version']} of the format, this cltensor reads "
                                 f"up to {VERSION}; update cltensor")
    return described["object"]


class _Check:
    """A stand-in for the tensors while the description is checked."""

    def __init__(self, entries):
        self.entries = entries

    def __call__(self, kind, name, requires_grad):
        if name not in self.entries:
            raise SerializationError(f"the object names a tensor {name!r} that the file does not hold")
        if requires_grad and not self.entries[name].dtype.is_inexact:
            raise SerializationError(f"tensor {name!r} of dtype {self.entries[name].dtype.name} cannot require grad")


class _Tensors:
    """Creates each tensor once, when it is first named."""

    def __init__(self, source, entries, start, placement):
        self.source, self.entries, self.start, self.placement = source, entries, start, placement
        self.data, self.made = {}, {}

    def __call__(self, kind, name, requires_grad):
        key = kind, name, requires_grad
        if key not in self.made:
            data = self._data(name)
            if kind == "parameter":
                self.made[key] = Parameter(data, requires_grad)
            else:
                self.made[key] = data.detach().requires_grad_(requires_grad)
        return self.made[key]

    def _data(self, name):
        if name not in self.data:
            e = self.entries[name]
            raw = self.source.read(self.start + e.begin, e.end - e.begin)
            values = raw != 0 if e.dtype.category == "bool" else raw.view(e.dtype.numpy.newbyteorder("<"))
            check_fp64(self.placement.device("cpu"), e.dtype)
            storage = self.placement.store(values.astype(e.dtype.numpy, copy=False))
            self.data[name] = Tensor._make(storage, dense(e.shape, e.dtype, storage.device))
        return self.data[name]
