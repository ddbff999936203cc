"""Pickles of PyTorch's files, instruction by instruction."""

import pickle
import struct

from .zips import zipped

PICKLE = "archive/data.pkl"


def entries(**changes):
    """{name: bytes} of an archive as torch.save writes it, with members changed; None leaves one out."""
    plain = {PICKLE: view(), "archive/data/0": struct.pack("<4f", 0, 1, 2, 3), "archive/version": b"3\n",
             "archive/byteorder": b"little"}
    named = {f"archive/{name.replace('_', '/', 1).replace('pkl', 'data.pkl')}": data for name, data in changes.items()}
    return {name: data for name, data in {**plain, **named}.items() if data is not None}


def archive(text, **changes):
    """An archive around a pickle."""
    return zipped(entries(**{"pkl": text, **changes}))


def text(value):
    """The instruction that pushes a text."""
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(n):
    """The instruction that pushes an int."""
    raw = n.to_bytes(n.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def pushed(value):
    """The instructions that push ints, texts, None, bools and tuples of them; bytes are instructions already."""
    if isinstance(value, bytes):
        return value
    if value is None or isinstance(value, bool):
        return {None: b"N", True: b"\x88", False: b"\x89"}[value]
    if isinstance(value, tuple):
        return b"(" + b"".join(map(pushed, value)) + b"t"
    return number(value) if isinstance(value, int) else text(value)


def named(module, name):
    """The instruction that pushes a global."""
    return f"c{module}\n{name}\n".encode()


def called(module, name, *args):
    """Instructions that call a global."""
    return named(module, name) + pushed(args) + b"R"


def storage(kind=None, key="0", location="cpu", numel=4, first="storage"):
    """Instructions that push a storage."""
    return pushed((first, kind or named("torch", "FloatStorage"), key, location, numel)) + b"Q"


def tensor(stored=None, offset=0, size=(4,), stride=(1,), requires_grad=False, *rest):
    """Instructions that push a tensor."""
    hooks = called("collections", "OrderedDict")
    return called("torch._utils", "_rebuild_tensor_v2", stored or storage(), offset, size, stride, requires_grad, hooks, *rest)


def whole(instructions):
    """A pickle of instructions."""
    return b"\x80\x02" + instructions + b"."


def view(*args, **named):
    """The pickle of one tensor."""
    return whole(tensor(*args, **named))


FOUR = struct.pack("<q4f", 4, 0, 1, 2, 3)  # a storage of four floats, as legacy files hold them


def legacy(instructions, keys=("0",), data=FOUR, facts=None, protocol=1001):
    """A file as torch.save wrote it before 1.6."""
    facts = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}} if facts is None else facts
    parts = [pickle.dumps(value, protocol=2) for value in (0x1950A86A20F9469CFC6C, protocol, facts)]
    return b"".join([*parts, whole(instructions), pickle.dumps(list(keys), protocol=2), data])
