"""Read a safetensors header entry by entry, so that any header takes little more memory than its own text.

A JSON parser creates all objects before any check can run: some 25 bytes for each byte of the worst text.
"""

import json
import re

from ...base.errors import SerializationError

METADATA = "__metadata__"
LONGEST = 4096  # characters per tensor: enough for 64 sizes, two offsets and a dtype
_MOST_METADATA = 10_000
_SPACE = re.compile(r"[ \t\r\n]*")


def entries(text):
    """Yield (name, described) of each tensor in the header's text (bytes), and (METADATA, {name: string}) if present.

    Raises SerializationError unless it is a JSON object of such entries, or if a name appears twice.
    """
    try:
        reader = _Reader(text.decode())
        yield from reader.members(_value)
        if reader.at < len(reader.text):
            raise ValueError(f"there is more after its end at character {reader.at}")
    except (ValueError, RecursionError) as error:
        raise SerializationError(f"the header is not valid JSON: {error}") from None


class _Reader:
    """A position in a JSON text."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def skip(self):
        self.at = _SPACE.match(self.text, self.at).end()

    def take(self, wanted):
        """Skip one of the characters in `wanted`, and the space around it; return that character."""
        self.skip()
        found = self.text[self.at : self.at + 1]
        if not found or found not in wanted:
            raise ValueError(f"expected one of {wanted} at character {self.at}, found {found!r}")
        self.at += 1
        self.skip()
        return found

    def string(self):
        if self.text[self.at : self.at + 1] != '"':
            raise ValueError(f"expected a string at character {self.at}")
        found, self.at = _JSON.raw_decode(self.text, self.at)
        return found

    def members(self, value):
        """Yield (name, what `value` reads) of an object that ends the text or is inside another."""
        self.take("{")
        names = set()
        if self.text[self.at : self.at + 1] == "}":
            self.take("}")
        else:
            more = ","
            while more == ",":
                name = self.string()
                if name in names:
                    raise ValueError(f"a key appears twice in one object: {name!r}")
                names.add(name)
                self.take(":")
                yield name, value(self, name)
                more = self.take(",}")


def _value(reader, name):
    if name == METADATA:
        return _strings(reader)
    window = reader.text[reader.at : reader.at + LONGEST]
    try:
        described, length = _JSON.raw_decode(window)
    except (ValueError, RecursionError) as error:
        reason = f"{name!r} is described in more than {LONGEST} characters" if len(window) == LONGEST else error
        raise ValueError(reason) from None
    reader.at += length
    return described


def _strings(reader):
    """Read the metadata: an object of strings."""
    found = {}
    if reader.text[reader.at : reader.at + 1] != "{":
        raise SerializationError(f"{METADATA} must map names to strings")
    for name, text in reader.members(_string):
        found[name] = text
        if len(found) > _MOST_METADATA:
            raise SerializationError(f"{METADATA} has more than {_MOST_METADATA} entries")
    return found


def _string(reader, name):
    if reader.text[reader.at : reader.at + 1] != '"':
        raise SerializationError(f"{METADATA} must map names to strings")
    return reader.string()


def _unique(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key appears twice in one object")
    return found


_JSON = json.JSONDecoder(object_pairs_hook=_unique)
