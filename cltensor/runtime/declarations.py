"""Declarations of the built-ins that kernels call, to stand in for a compiler's own 18,000.

PoCL parses Clang's header of every built-in and overload anew for each program, which takes six times as long as the rest
of its front end.  A program that begins with PRELUDE, compiled with OPTION, does without: PoCL leaves that header out when
it seems to be there already; types and constants come from another one.  What is declared here is what cltensor's kernels
use; a program that needs more does not compile this way, and is compiled with the whole header instead.

Source: OpenCL C 1.2, sections 6.2.4 (as_type) and 6.12 (built-ins).
"""

OPTION = "-D_OPENCL_H_"

_INTEGERS, _FLOATS = ("char", "uchar", "short", "ushort", "int", "uint", "long", "ulong"), ("float", "double")
_OF_ONE = """acos acosh acospi asin asinh asinpi atan atanh atanpi cbrt ceil cos cosh cospi erf erfc exp exp10 exp2 expm1 fabs
    floor lgamma log log10 log1p log2 rint round rsqrt sin sinh sinpi sqrt tan tanh tanpi tgamma trunc""".split()
_OF_TWO = "atan2 copysign fdim fmax fmin fmod hypot nextafter pow powr remainder".split()
_OF_THREE = "fma mad".split()
_TESTS = "isfinite isinf isnan isnormal signbit".split()
_PLACES = "global_id global_size local_id local_size group_id num_groups global_offset".split()


def _prelude():
    for t in (*_INTEGERS, *_FLOATS):
        yield from (f"#define as_{t}{n}(x) __builtin_astype((x), {t}{n})" for n in ("", 2, 3, 4, 8, 16))
    yield "#define CT_DECLARED __attribute__((overloadable, const))"
    for t in _FLOATS:
        yield from (f"{t} CT_DECLARED {f}({t});" for f in _OF_ONE)
        yield from (f"{t} CT_DECLARED {f}({t}, {t});" for f in _OF_TWO)
        yield from (f"{t} CT_DECLARED {f}({t}, {t}, {t});" for f in _OF_THREE)
        yield from (f"int CT_DECLARED {f}({t});" for f in _TESTS)
        yield f"{t} CT_DECLARED ldexp({t}, int);"
    yield from (f"size_t CT_DECLARED get_{f}(uint);" for f in _PLACES)
    yield "uint CT_DECLARED get_work_dim(void);"
    yield "void __attribute__((overloadable, convergent)) barrier(uint);"


#: OpenCL C to put before a program's text
PRELUDE = "\n".join([*_prelude(), "#line 1", ""])
