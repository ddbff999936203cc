"""How each dtype is stored in a buffer and computed in a kernel.

float16 and bfloat16 are storage types: memory holds 16-bit patterns and kernels compute in float, so they need no device
support.  A bool is stored as one byte, 0 or 1.  A complex number is a vector of two, the real part first; complex32 is stored as
a pair of 16-bit patterns and computed as float2.
"""

from ..base import dtypes

STORAGE = {
    dtypes.bool_: "uchar", dtypes.uint8: "uchar", dtypes.int8: "char", dtypes.int16: "short", dtypes.int32: "int",
    dtypes.int64: "long", dtypes.float16: "ushort", dtypes.bfloat16: "ushort", dtypes.float32: "float",
    dtypes.float64: "double", dtypes.complex32: "ushort2", dtypes.complex64: "float2", dtypes.complex128: "double2",
    dtypes.uint16: "ushort", dtypes.uint32: "uint", dtypes.uint64: "ulong",
}
COMPUTE = {
    dtypes.bool_: "int", dtypes.uint8: "int", dtypes.int8: "int", dtypes.int16: "int", dtypes.int32: "int",
    dtypes.int64: "long", dtypes.float16: "float", dtypes.bfloat16: "float", dtypes.float32: "float",
    dtypes.float64: "double", dtypes.complex32: "float2", dtypes.complex64: "float2", dtypes.complex128: "double2",
    dtypes.uint16: "int", dtypes.uint32: "long", dtypes.uint64: "long",
}
NUMPY_OF = {"int": "int32", "long": "int64", "float": "float32", "double": "float64", "float2": "complex64",
            "double2": "complex128"}
PART_OF = {"float2": "float", "double2": "double"}  # complex compute type -> the type of its parts
INTEGER_OF = {"float": "int", "double": "long", "int": "int", "long": "long"}

HALVES = {dtypes.float16: "half", dtypes.bfloat16: "bfloat16"}


def storage_type(dtype):
    """The OpenCL C type of one element in a buffer."""
    return STORAGE[dtype]


def compute_type(dtype):
    """The OpenCL C type in which kernels compute with this dtype."""
    return COMPUTE[dtype]


def part_type(ctype):
    """The type of the parts of a complex compute type; another type itself."""
    return PART_OF.get(ctype, ctype)


def _part(dtype, pointer, index, part, qualifier="const "):
    """Part 0 or 1 of complex element `index` of global memory, as an lvalue.  Clang vectorises loops over numbers, not pairs."""
    return f"((__global {qualifier}{STORAGE[dtype.part]} *)({pointer}))[2 * ({index}) + {part}]"


def pair(re, im, ctype):
    """An expression of complex compute type from expressions of its parts."""
    return f"({ctype})({re}, {im})"


def converted(ctype, text, dtype):
    """An expression of dtype's compute type, converted to ctype."""
    if ctype not in PART_OF:
        return f"({ctype}){text}"
    return text if COMPUTE[dtype] == ctype else f"convert_{ctype}({text})"


def load(dtype, pointer, index):
    """An expression for element `index` of `pointer` (global memory), in the compute type."""
    if dtype.is_complex:
        parts = [_part(dtype, pointer, index, i) for i in (0, 1)]
        return pair(*(f"ct_half_to_float({p})" if dtype.part in HALVES else p for p in parts), COMPUTE[dtype])
    if dtype in HALVES:
        return f"ct_{HALVES[dtype]}_to_float({pointer}[{index}])"
    return f"{pointer}[{index}]"


def store(dtype, pointer, index, value):
    """A statement that rounds `value` (compute type) to dtype and stores it; complex numbers in global memory only."""
    if dtype.is_complex:
        to = [_part(dtype, pointer, index, i, "") for i in (0, 1)]
        parts = [f"ct_float_to_half(z_.{c})" if dtype.part in HALVES else f"z_.{c}" for c in "xy"]
        return f"{{ const {COMPUTE[dtype]} z_ = {value}; {to[0]} = {parts[0]}; {to[1]} = {parts[1]}; }}"
    if dtype in HALVES:
        return f"{pointer}[{index}] = ct_float_to_{HALVES[dtype]}({value});"
    if dtype is dtypes.bool_:
        return f"{pointer}[{index}] = ({value}) != 0;"
    return f"{pointer}[{index}] = ({STORAGE[dtype]})({value});"


def literal(value, ctype):
    """A Python number as an OpenCL C literal of compute type ctype, exact to the last bit."""
    if ctype in PART_OF:
        return pair(literal(value.real, PART_OF[ctype]), literal(value.imag, PART_OF[ctype]), ctype)
    if ctype in ("int", "long"):
        value = int(value)
        if ctype == "long":
            return "(-9223372036854775807L - 1)" if value == -(2**63) else f"{value}L"
        return "(-2147483647 - 1)" if value == -(2**31) else str(value)
    value = float(value)
    if value != value:
        return f"(({ctype})NAN)"
    if abs(value) == float("inf") or (ctype == "float" and abs(value) >= 2.0**128):
        return f"(({ctype}){'-' if value < 0 else ''}INFINITY)"
    text = repr(value)
    if "e" not in text and "." not in text:
        text += ".0"
    return f"({text}{'f' if ctype == 'float' else ''})" if value < 0 else f"{text}{'f' if ctype == 'float' else ''}"


def pragmas(used):
    """The pragmas a kernel over these dtypes needs: fp64 if used, and permission to contract a*b+c.

    Generated code tests x != x for integers too; without the pragma clang warns each time.
    """
    lines = ["#pragma OPENCL FP_CONTRACT ON",
             '#ifdef __clang__\n#pragma clang diagnostic ignored "-Wtautological-compare"\n#endif']
    if any(part_type(COMPUTE[d]) == "double" for d in used):
        lines.insert(0, "#ifdef cl_khr_fp64\n#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n#endif")
    return "\n".join(lines)


def headers(used):
    """Names of the kernels_cl files with the conversions that these dtypes need."""
    return ["half.clh"] if any(d.part in HALVES for d in used) else []
