"""Vectors of neighbouring elements in the cpu style: load, store and sum them for every dtype."""

import re

from .types import HALVES, compute_type, load, part_type, storage_type, store

_NAME, _CALLED = re.compile(r"[a-z]\w*"), re.compile(r"\w\(|\((?:int|long|float|double)\)|index")
_CHOICE = re.compile(r"\) \? [a-z]\w* : [a-z]\w*;$")
# Attributes of a kernel of the cpu style: work-groups of one, and 512-bit vectors with AVX-512, which Clang does not use
# otherwise.
SERIAL = """#if defined(__clang__) && defined(__AVX512F__)
__attribute__((min_vector_width(512)))
#endif
__attribute__((reqd_work_group_size(1, 1, 1)))"""


def width(ctype):
    """How many numbers of a compute type make a vector: 32 bytes' worth, the size that is safe with every compiler."""
    return 4 if part_type(ctype) in ("double", "long") else 8


def loop(*ctypes):
    """The macro CT_LOOP, for loops over neighbouring elements with independent iterations.

    ctypes: the types of the computation.  Clang fills 512-bit vectors only when told how many elements they hold.
    """
    # Intel's compiler, which defines no processor macro, crashes on some loops of double if forced to vectorise them.
    elsewhere = "" if "double" in map(part_type, ctypes) else ' _Pragma("clang loop vectorize(assume_safety)")'
    return f"""#ifndef CT_LOOP
#ifdef __clang__
// A loop that calls a built-in stays scalar; that is no news.
#pragma clang diagnostic ignored "-Wpass-failed"
#if defined(__AVX512F__)
#define CT_LOOP _Pragma("clang loop vectorize(assume_safety) vectorize_width({2 * min(map(width, ctypes))}) interleave_count(2)")
#elif defined(__x86_64__) || defined(__aarch64__)
#define CT_LOOP _Pragma("clang loop vectorize(assume_safety) interleave_count(2)")
#else  // where there are no vectors, two at a time may read past the end
#define CT_LOOP{elsewhere}
#endif
#else
#define CT_LOOP
#endif
#endif"""


def typedef(ctype):
    """The type `loose`: a vector of ctype aligned only as a single number."""
    return f"typedef {ctype}{width(ctype)} __attribute__((aligned({4 if width(ctype) == 8 else 8}))) loose;"


def lifted(statements, results, ctype):
    """Statements on numbers of a compute type, rewritten for vectors of type `vec`; None if they use more than operators.

    results: the expressions read afterwards; they must be names.  Statements may mix numbers and vectors, but a ternary may not
    choose between numbers.
    """
    if not all(map(_NAME.fullmatch, results)):
        return None
    made = []
    for s in statements:
        name, _, value = s.removeprefix(f"const {ctype} ").partition(" = ")
        if not _NAME.fullmatch(name) or _CALLED.search(value) or ("?" in value and not _CHOICE.search(value)):
            return None
        made.append(f"const vec {name} = {value}")
    return made


def loaded(dtype, pointer, index, ctype):
    """An expression for a vector of ctype: the elements of `pointer` from `index` on."""
    if storage_type(dtype) == ctype:
        return f"*(__global const loose *)({pointer} + {index})"
    if dtype in HALVES:
        return f"ct_{HALVES[dtype]}_to_float8(*(__global const ct_ushort8 *)({pointer} + {index}))"
    return f"({ctype}{width(ctype)})({gathered(dtype, pointer, [f'{index} + {e}' for e in range(width(ctype))])})"


def gathered(dtype, pointer, indices, cast=""):
    """The parts of a vector literal of the compute type: the elements of `pointer` at `indices`, singly or as float8.

    cast: an OpenCL C conversion for each element.
    """
    if dtype not in HALVES or len(indices) % 8:
        return ", ".join(cast + load(dtype, pointer, i) for i in indices)
    eights = (", ".join(f"{pointer}[{i}]" for i in indices[e : e + 8]) for e in range(0, len(indices), 8))
    return ", ".join(f"ct_{HALVES[dtype]}_to_float8((ushort8)({eight}))" for eight in eights)


def stored(dtype, pointer, index, value, stream=False):
    """Statements that store the vector variable `value`, of the compute type, from `index` on.

    stream: bypass the caches (header stream.clh); the address must be aligned, see `misaligned`.
    """
    ctype = compute_type(dtype)
    if dtype in HALVES:
        return f"*(__global ct_ushort8 *)({pointer} + {index}) = ct_float8_to_{HALVES[dtype]}({value});"
    if storage_type(dtype) != ctype:
        return " ".join(store(dtype, pointer, f"{index} + {e}", f"{value}.s{e}") for e in range(width(ctype)))
    if stream:
        return f"CT_STREAM((__global {ctype}{width(ctype)} *)({pointer} + {index}), {value});"
    return f"*(__global loose *)({pointer} + {index}) = {value};"


def misaligned(dtype, pointer, index):
    """A condition: a vector must not be streamed to this address."""
    return f"((size_t)({pointer} + {index}) & {width(compute_type(dtype)) * dtype.itemsize - 1})"


def fetched_ahead(dtype, pointer, index, count):
    """Statements that prefetch ahead of `count` elements from `index` on (header prefetch.clh)."""
    return " ".join(f"CT_PREFETCH({pointer} + {index} + {e});" for e in range(0, count, 64 // dtype.itemsize))


def streams(dtype):
    """Whether `stored` can stream this dtype."""
    return storage_type(dtype) == compute_type(dtype)


def joined(total, vector, ctype, count, join="{0} += {1};"):
    """Statements that accumulate the first `count` numbers of a vector into `total`, one after the other."""
    lanes, v = f"{vector}_lanes", width(ctype)
    step = join.format(total, f"{lanes}[l_]")
    return (f"{ctype} {lanes}[{v}]; *(loose *){lanes} = {vector}; "
            f"for (size_t l_ = 0; l_ < (size_t)({count} < {v} ? {count} : {v}); l_++) {{ {step} }}")
