"""Read the stream of pickles that torch.save wrote before 1.6: a magic number, facts, the object, then its storages' bytes."""

import sys

from ...base.errors import SerializationError
from .pickles import names_in, plain, skip, unpickled
from .storages import FollowingStorages, named
from .storages import plain as plain_text
from .stream import Stream

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


def starts(source):
    """Whether a Source starts as such a file: with a pickle of the magic number."""
    start = source.read(0, min(source.size, 30)).tobytes()
    return _MAGIC.to_bytes(10, "little") in start or str(_MAGIC).encode() in start


def read(source, options):
    """The object in a Source.  Raises SerializationError.

    The pickle is run twice, the first time for the storages that it names and where it ends: their bytes come after it.
    """
    stream = Stream(source)
    storages = FollowingStorages(source, options.placement, _preamble(stream) != sys.byteorder)
    start, kinds = stream.position, {}

    def noted(pid):
        if isinstance(pid, tuple) and pid and plain_text(pid[0]) == "storage":
            kind, key, *_ = named(pid)
            kinds.setdefault(key, kind)

    skip(stream, noted)
    storages.find(plain(stream), kinds, stream.position)
    return unpickled(Stream(source, start), options, storages)


def names(source):
    """The globals that the file's pickle names, (module, name) each."""
    stream = Stream(source)
    _preamble(stream)
    return names_in(stream)


def _preamble(stream):
    """The order of bytes in the file; the stream is at the object's pickle then."""
    magic, protocol, facts = plain(stream), plain(stream), plain(stream)
    if magic != _MAGIC or protocol != _PROTOCOL:
        raise SerializationError(f"it starts as PyTorch's older files do, but its protocol is {str(protocol)[:40]}; {_PROTOCOL} is "
                                 "read")
    if not isinstance(facts, dict) or type(facts.get("little_endian")) is not bool:
        raise SerializationError("it does not say the order of its bytes")
    return "little" if facts["little_endian"] else "big"
