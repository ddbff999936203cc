"""A linker for PoCL's kernels: one x86-64 object file in, one shared object out.

PoCL compiles a kernel inside the process but links it with the `ld` and libraries of a C toolchain; without one it aborts
the process.  A kernel needs little linking: it is one position-independent object that calls nothing, or a few functions of
the C library that the process has loaded already.  This file does that much.  It uses only Python's standard library,
because it runs as a program: python linker.py -o OUTPUT INPUT.o [other options are ignored].

Source: System V ABI, AMD64 supplement (relocation types), and the generic ABI (file layout).
"""

import struct
import sys
from dataclasses import dataclass, field

PAGE = 4096
FILE_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION, PROGRAM = struct.Struct("<IIQQQQIIQQ"), struct.Struct("<IIQQQQQQ")
SYMBOL, RELA, DYNAMIC = struct.Struct("<IBBHQQ"), struct.Struct("<QQq"), struct.Struct("<QQ")
JUMP = b"\xff\x25"  # jmp *offset(%rip)

NOBITS, RELOCATIONS, SYMBOLS = 8, 4, 2  # section types
WRITE, ALLOCATE, EXECUTE = 1, 2, 4  # section flags
LOAD, IS_DYNAMIC, GNU_STACK = 1, 2, 0x6474E551  # program header types
COMMON = 0xFFF2  # reserved section index: a common symbol, in no section

R_64, R_PC32, R_PLT32, R_GLOB_DAT, R_RELATIVE, R_PC64 = 1, 2, 4, 6, 8, 24
CALLS = (R_PC32, R_PLT32)
R_GOT = {9, 41, 42}  # GOTPCREL and its two relaxable forms


class LinkError(Exception):
    """The object holds something that this linker does not support."""


@dataclass(eq=False)
class Section:
    """A section of the object, and its address in the output once laid out."""

    name: str
    kind: int
    flags: int
    align: int
    link: int
    target: int  # for relocations: the index of the section they apply to
    data: bytearray
    address: int = 0


@dataclass(eq=False)
class Symbol:
    """A symbol of the object; section is None if it is defined elsewhere."""

    name: str
    binding: int
    hidden: bool
    index: int
    section: Section | None
    value: int
    size: int
    kind: int
    dynamic: int = 0  # its index in the output's symbol table
    slot: int | None = None  # where its entry in the global offset table lies
    stub: int | None = None  # where its jump lies

    @property
    def address(self):
        return self.value + (self.section.address if self.section else 0)


@dataclass
class Object:
    """What is read from a file: sections to load, symbols, and relocations (section, offset, type, symbol, addend)."""

    sections: list = field(default_factory=list)
    symbols: list = field(default_factory=list)
    relocations: list = field(default_factory=list)


def text(table, offset):
    return bytes(table[offset : table.index(0, offset)]).decode()


def read(data):
    """Parse the bytes of a file into an Object.  Raises LinkError when it is not a 64-bit x86 object file."""
    if data[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<HH", data, 16) != (1, 62):
        raise LinkError("not an x86-64 object file")
    header = FILE_HEADER.unpack_from(data)
    start, count, names = header[6], header[12], header[13]
    rows = [SECTION.unpack_from(data, start + i * SECTION.size) for i in range(count)]
    every = [Section("", kind, flags, max(align, 1), link, target,
                     bytearray(size) if kind == NOBITS else bytearray(data[place : place + size]))
             for _, kind, flags, _, place, size, link, target, align, _ in rows]
    for section, row in zip(every, rows, strict=True):
        section.name = text(every[names].data, row[0])
    found = Object([s for s in every if s.flags & ALLOCATE and s.name != ".eh_frame"])
    read_symbols(found, every)
    read_relocations(found, every)
    return found


def read_symbols(found, every):
    for table in (s for s in every if s.kind == SYMBOLS):
        strings = every[table.link].data
        for name, info, other, index, value, size in SYMBOL.iter_unpack(table.data):
            if index == COMMON:
                raise LinkError(f"common symbol {text(strings, name)}")
            section = every[index] if 0 < index < len(every) else None
            found.symbols.append(Symbol(text(strings, name), info >> 4, bool(other & 3), index, section, value, size,
                                        info & 15))


def read_relocations(found, every):
    for table in (s for s in every if s.kind == RELOCATIONS):
        section = every[table.target]
        if section in found.sections:
            found.relocations += [(section, offset, info & 0xFFFFFFFF, found.symbols[info >> 32], addend)
                                  for offset, info, addend in RELA.iter_unpack(table.data)]


def unique(symbols):
    return list(dict.fromkeys(symbols))


def string_table(symbols):
    """The bytes of a string table, and [(symbol, where its name starts)]."""
    strings, places = bytearray(1), []
    for symbol in symbols:
        places.append((symbol, len(strings)))
        strings += symbol.name.encode() + b"\0"
    return bytes(strings), places


def hash_table(count):
    """A symbol hash table with one bucket: a chain through all symbols."""
    chain = [0, *range(2, count), 0][:count] if count > 1 else [0]
    return struct.pack(f"<{3 + count}I", 1, count, int(count > 1), *chain)


class Output:
    """The shared object under construction: its contents and their addresses."""

    def __init__(self, found):
        self.object = found
        self.imports = unique(s for _, _, _, s, _ in found.relocations if s.index == 0 and s.name)
        self.exports = [s for s in found.symbols if s.section and s.binding and not s.hidden and s.name]
        self.slots = unique(s for _, _, kind, s, _ in found.relocations if kind in R_GOT or s in self.imports)
        self.stubs = unique(s for _, _, kind, s, _ in found.relocations if kind in CALLS and s in self.imports)
        self.dynamic_relocations = []
        self.image = bytearray()
        self.segments = []

    def place(self, data, align=8):
        """Append bytes.  Returns their address, which is also their offset in the file."""
        self.image.extend(bytes(-len(self.image) % align))
        address = len(self.image)
        self.image.extend(data)
        return address

    def place_sections(self, wanted):
        for section in self.object.sections:
            if section.flags & (WRITE | EXECUTE) == wanted:
                section.address = self.place(section.data, section.align)

    def make(self):
        """Lay everything out, relocate it, and return the file's bytes."""
        dynamic_count = sum(kind == R_64 for _, _, kind, _, _ in self.object.relocations) + len(self.slots)
        self.place(bytes(FILE_HEADER.size + 5 * PROGRAM.size))
        strings, names = string_table([*self.exports, *self.imports])
        symbol_at = self.place(bytes(SYMBOL.size * (1 + len(names))))
        string_at = self.place(strings)
        hash_at = self.place(hash_table(1 + len(names)))
        rela_at = self.place(bytes(RELA.size * dynamic_count))
        self.segment(4, lambda: self.place_sections(0))
        self.segment(5, self.place_code)
        self.segment(6, lambda: self.place_data(
            [(4, hash_at), (5, string_at), (6, symbol_at), (10, len(strings)), (11, SYMBOL.size),
             *([(7, rela_at), (8, RELA.size * dynamic_count), (9, RELA.size)] if dynamic_count else []), (0, 0)]))
        self.fill_symbols(symbol_at, names)
        self.relocate()
        for i, row in enumerate(self.dynamic_relocations):
            RELA.pack_into(self.image, rela_at + i * RELA.size, *row)
        self.fill_headers()
        return bytes(self.image)

    def segment(self, flags, fill):
        """A run of pages with one protection (4 read, 2 write, 1 execute), holding what `fill` places."""
        start = 0
        if self.segments:
            start = self.place(b"", PAGE)
        fill()
        self.segments.append((LOAD, flags, start, len(self.image) - start, PAGE))

    def place_code(self):
        self.place_sections(EXECUTE)
        for symbol in self.stubs:
            symbol.stub = self.place(JUMP + bytes(4))

    def place_data(self, dynamic):
        self.place_sections(WRITE)
        for symbol in self.slots:
            symbol.slot = self.place(bytes(8))
        rows = b"".join(DYNAMIC.pack(*row) for row in dynamic)
        self.segments.append((IS_DYNAMIC, 6, self.place(rows), len(rows), 8))

    def fill_symbols(self, start, names):
        for i, (symbol, name) in enumerate(names, 1):
            symbol.dynamic = i
            defined = int(symbol.section is not None)  # any nonzero index works: the output lists no sections
            SYMBOL.pack_into(self.image, start + i * SYMBOL.size, name, symbol.binding << 4 | symbol.kind, 0,
                             defined, symbol.address, symbol.size)

    def relocate(self):
        for symbol in self.slots:
            self.fill_slot(symbol)
        for symbol in self.stubs:
            struct.pack_into("<i", self.image, symbol.stub + 2, symbol.slot - (symbol.stub + 6))
        for relocation in self.object.relocations:
            self.apply(*relocation)

    def fill_slot(self, symbol):
        if symbol in self.imports:
            self.dynamic_relocations.append((symbol.slot, symbol.dynamic << 32 | R_GLOB_DAT, 0))
        else:
            self.dynamic_relocations.append((symbol.slot, R_RELATIVE, symbol.address))

    def apply(self, section, offset, kind, symbol, addend):
        place = section.address + offset
        if kind == R_64 and symbol in self.imports:
            self.dynamic_relocations.append((place, symbol.dynamic << 32 | R_64, addend))
        elif kind == R_64:
            self.dynamic_relocations.append((place, R_RELATIVE, symbol.address + addend))
        elif kind in CALLS:
            target = symbol.address if symbol.stub is None else symbol.stub
            struct.pack_into("<i", self.image, place, target + addend - place)
        elif kind == R_PC64:
            struct.pack_into("<q", self.image, place, symbol.address + addend - place)
        elif kind in R_GOT:
            struct.pack_into("<i", self.image, place, symbol.slot + addend - place)
        else:
            raise LinkError(f"relocation type {kind} against {symbol.name or 'a section'} in {section.name}")

    def fill_headers(self):
        self.segments.append((GNU_STACK, 6, 0, 0, 16))
        identity = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
        FILE_HEADER.pack_into(self.image, 0, identity, 3, 62, 1, 0, FILE_HEADER.size, 0, 0, FILE_HEADER.size,
                              PROGRAM.size, len(self.segments), 0, 0, 0)
        for i, (kind, flags, start, size, align) in enumerate(self.segments):
            PROGRAM.pack_into(self.image, FILE_HEADER.size + i * PROGRAM.size, kind, flags, start, start, start, size,
                              size, align)


def link(data):
    """The shared object made from an object file's bytes.  Raises LinkError."""
    return Output(read(data)).make()


def main(arguments):
    output = arguments[arguments.index("-o") + 1]
    inputs = [a for a in arguments if a.endswith(".o") and a != output]
    try:
        if len(inputs) != 1:
            raise LinkError(f"one object file is linked at a time, got {len(inputs)}")
        with open(inputs[0], "rb") as file:
            made = link(file.read())
        with open(output, "wb") as file:
            file.write(made)
    except (LinkError, OSError) as error:
        print(f"cltensor linker: {error}. A C toolchain's linker can do it: apt-get install gcc libc6-dev",
              file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
