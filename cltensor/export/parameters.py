"""Parameters of kernels, read from their text: a driver may crash over an argument of another kind, so compare before."""

import re

from ..base.errors import SerializationError

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
_HEAD = 400  # characters of a kernel's head, before its name
_POINTER = re.compile(r"(?:\w+\s+)*(?:__global|global|__constant|constant)\s+[\w\s]*\*[\w\s]*")
_NUMBER = re.compile(r"(?:const\s+)?(int|uint|long|ulong|float|double|half|short|ushort)(?:\s+const)?\s+\w+")
_KINDS = {"i32": ("int", "uint"), "u32": ("int", "uint"), "i64": ("long", "ulong"), "u64": ("long", "ulong"),
          "f32": ("float",), "f64": ("double",), "f16": ("half", "short", "ushort"), "ticket": ("long", "ulong")}


def parameters(text, name):
    """The kinds of a kernel's parameters: "pointer", or the C type of a number.  Raises SerializationError."""
    text, found = _COMMENT.sub(" ", text), []
    for match in re.finditer(rf"\b{name}\s*\(", text):
        before = re.split(r"[;{}]", text[max(match.start() - _HEAD, 0) : match.start()])[-1]
        if re.search(r"\b(?:__kernel|kernel)\b", before):
            found.append(text[match.end() : text.find(")", match.end())])
    if len(found) != 1:
        raise SerializationError(f"there is no kernel {name!r} in its program" if not found else f"kernel {name!r} is there twice")
    return [_kind(p.strip(), name) for p in found[0].split(",")] if found[0].strip() else []


def check(arguments, kinds, name):
    """Raise SerializationError unless the file's arguments fit a kernel's parameters."""
    at = 0
    for kind, *_ in arguments:
        for wanted in (("pointer", "ticket") if kind == "tensor" else ("pointer",) if kind == "buffer" else (kind,)):
            allowed = ("pointer",) if wanted == "pointer" else _KINDS[wanted]
            if at >= len(kinds) or kinds[at] not in allowed:
                there = kinds[at] if at < len(kinds) else "nothing"
                raise SerializationError(f"argument {at} of kernel {name!r} does not fit its parameter: a {kind} for {there}")
            at += 1
    if at != len(kinds):
        raise SerializationError(f"kernel {name!r} has {len(kinds)} parameters, {at} arguments are given")


def _kind(text, name):
    if _POINTER.fullmatch(text):
        return "pointer"
    number = _NUMBER.fullmatch(text)
    if number is None:
        raise SerializationError(f"kernel {name!r} has a parameter that no program takes: {text:.60}")
    return number[1]
