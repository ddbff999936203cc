"""How much local memory a kernel declares, read from its text."""

import re

_SIZES = {"char": 1, "uchar": 1, "short": 2, "ushort": 2, "half": 2, "int": 4, "uint": 4, "float": 4, "long": 8, "ulong": 8,
          "double": 8}
_DECLARED = re.compile(r"__local\s+(\w+)\s+(\w[^;=]*);")
_DECLARATOR = re.compile(r"\w+((?:\s*\[[^\]]*\])*)\s*(?:,|$)")
_MACRO = re.compile(r"^\s*#define[ \t]+(\w+)[ \t]+(\S[^\n]*)", re.MULTILINE)
_ALIAS = re.compile(r"\btypedef\s+(\w+)\s+(\w+)\s*;")


def bytes_per_element(ctype):
    """The size of an element of a type of OpenCL C, a number or a vector of 2, 4, 8 or 16; 0 for another type."""
    base = ctype.rstrip("0123456789")
    return _SIZES.get(base, 0) * int(ctype[len(base):] or 1)


def local_memory(code):
    """The bytes of local memory that a text without comments declares: arrays and single variables, sizes by its macros."""
    macros, aliases = dict(_MACRO.findall(code)), {new: old for old, new in _ALIAS.findall(code)}
    return sum(_elements(sizes, macros) * bytes_per_element(_plain(ctype, aliases))
               for ctype, declarators in _DECLARED.findall(code) for sizes in _DECLARATOR.findall(declarators.strip()))


def _plain(ctype, aliases):
    while ctype in aliases:
        ctype = aliases[ctype]
    return ctype


def _elements(sizes, macros):
    """The product of array sizes, such as [32][4 * N]; 1 for a single variable."""
    total = 1
    for size in re.findall(r"\[([^\]]*)\]", sizes):
        while names := [n for n in re.findall(r"[A-Za-z_]\w*", size) if n in macros]:
            size = re.sub(rf"\b{names[0]}\b", f"({macros[names[0]]})", size)
        total *= eval(size.replace("/", "//"), {"__builtins__": {}})  # digits and operators only, what a compiler takes
    return total
