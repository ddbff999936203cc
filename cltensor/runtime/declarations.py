"""Declarations of the built-ins that kernels call, in place of the compiler's own 18,000.

For each program PoCL parses Clang's header of every built-in and overload, which takes six times as long as the rest of its
front end.  Put the prelude before a program and compile with OPTION: PoCL then takes that header for included and skips it;
types and constants come from another header.  Only the built-ins that cltensor's kernels use are declared here.  A program
that needs more does not compile this way; compile it with the whole header instead.

Source: OpenCL C 1.2, sections 6.2.4 (as_type) and 6.12 (built-ins).
"""

import re

OPTION = "-D_OPENCL_H_"

_INTEGERS, _FLOATS = ("char", "uchar", "short", "ushort", "int", "uint", "long", "ulong"), ("float", "double")
_OF_ONE = """acos acosh acospi asin asinh asinpi atan atanh atanpi cbrt ceil cos cosh cospi erf erfc exp exp10 exp2 expm1 fabs
    floor lgamma log log10 log1p log2 rint round rsqrt sin sinh sinpi sqrt tan tanh tanpi tgamma trunc""".split()
_OF_TWO = "atan2 copysign fdim fmax fmin fmod hypot nextafter pow powr remainder".split()
_OF_THREE = "fma mad".split()
_TESTS = "isfinite isinf isnan isnormal signbit".split()
_PLACES = "global_id global_size local_id local_size group_id num_groups global_offset".split()


_WORD = re.compile(r"\b[a-z]\w+")


def _declared():
    """(name, lines) of each built-in."""
    yield from ((f"as_{t}{n}", [f"#define as_{t}{n}(x) __builtin_astype((x), {t}{n})"])
                for t in (*_INTEGERS, *_FLOATS) for n in ("", 2, 3, 4, 8, 16))
    yield from ((f"convert_{t}2", [f"#define convert_{t}2(x) __builtin_convertvector((x), {t}2)"]) for t in _FLOATS)
    for names, arguments in ((_OF_ONE, 1), (_OF_TWO, 2), (_OF_THREE, 3)):
        yield from ((f, [f"{t} CT_DECLARED {f}({', '.join([t] * arguments)});" for t in _FLOATS]) for f in names)
    yield from ((f, [f"int CT_DECLARED {f}({t});" for t in _FLOATS]) for f in _TESTS)
    yield from ((f, [f"{t} CT_DECLARED {f}({t}, {t});" for t in _INTEGERS]) for f in ("max", "min"))
    yield "ldexp", [f"{t} CT_DECLARED ldexp({t}, int);" for t in _FLOATS]
    yield from ((f"get_{f}", [f"size_t CT_DECLARED get_{f}(uint);"]) for f in _PLACES)
    yield "get_work_dim", ["uint CT_DECLARED get_work_dim(void);"]
    yield "mem_fence", ["void __attribute__((overloadable)) mem_fence(uint);"]
    yield "atomic_inc", ["int __attribute__((overloadable)) atomic_inc(volatile __global int *);"]
    yield "atomic_add", ["int __attribute__((overloadable)) atomic_add(volatile __global int *, int);"]
    yield "barrier", ["void __attribute__((overloadable, convergent)) barrier(uint);"]


_DECLARATIONS = {name: "\n".join(lines) for name, lines in _declared()}


def prelude(text):
    """OpenCL C to put before a program's text: declarations of the built-ins it names."""
    named = dict.fromkeys(_WORD.findall(text))
    found = ["#define CT_DECLARED __attribute__((overloadable, const))", *(_DECLARATIONS[n] for n in named if n in _DECLARATIONS)]
    return "\n".join([*found, "#line 1", ""])
