"""Element types, type promotion and numeric limits, with PyTorch's names and rules."""

import functools

import numpy as np

from .errors import ArgumentError, ArgumentTypeError, DTypeError


class dtype:
    """An element type.  Each has one instance: compare with `is`.

    Attributes: name, itemsize (bytes), category ("bool", "int", "float" or "complex"), is_floating_point, is_complex, is_inexact
    (floating or complex: such tensors can have gradients), is_signed, numpy (the NumPy dtype of the stored bytes; bfloat16, which
    NumPy lacks, is stored as uint16, and complex32 as a pair of float16).
    """

    __slots__ = ("category", "is_complex", "is_floating_point", "is_inexact", "is_signed", "itemsize", "name", "numpy", "part",
                 "rank")

    def __init__(self, name, itemsize, category, numpy, rank, is_signed=True, part=None):
        self.name, self.itemsize, self.category = name, itemsize, category
        self.numpy, self.rank, self.is_signed = np.dtype(numpy), rank, is_signed
        self.is_floating_point, self.is_complex = category == "float", category == "complex"
        self.is_inexact = self.is_floating_point or self.is_complex
        self.part = part or self  # the dtype of the real and the imaginary part

    def to_real(self) -> "dtype":
        """The dtype of the real part: float32 for complex64, and a dtype that is not complex itself."""
        return self.part

    def to_complex(self) -> "dtype":
        """The complex dtype that holds numbers of this one.  Raises DTypeError for a dtype that is neither floating nor complex."""
        if not self.is_inexact:
            raise DTypeError(f"to_complex: {self!r} is neither floating nor complex; use cltensor.complex64")
        return complex_for(self)

    def __repr__(self):
        return f"cltensor.{self.name}"

    def __reduce__(self):
        return "bool_" if self.category == "bool" else self.name  # what it is called in this module

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


bool_ = dtype("bool", 1, "bool", "bool", 0, is_signed=False)
uint8 = dtype("uint8", 1, "int", "uint8", 1, is_signed=False)
int8 = dtype("int8", 1, "int", "int8", 1)
int16 = dtype("int16", 2, "int", "int16", 2)
int32 = dtype("int32", 4, "int", "int32", 3)
int64 = dtype("int64", 8, "int", "int64", 4)
float16 = dtype("float16", 2, "float", "float16", 5)
bfloat16 = dtype("bfloat16", 2, "float", "uint16", 5)
float32 = dtype("float32", 4, "float", "float32", 6)
float64 = dtype("float64", 8, "float", "float64", 7)
complex32 = dtype("complex32", 4, "complex", [("real", "float16"), ("imag", "float16")], 8, part=float16)
complex64 = dtype("complex64", 8, "complex", "complex64", 9, part=float32)
complex128 = dtype("complex128", 16, "complex", "complex128", 10, part=float64)

uint16 = dtype("uint16", 2, "int", "uint16", 2, is_signed=False)
uint32 = dtype("uint32", 4, "int", "uint32", 3, is_signed=False)
uint64 = dtype("uint64", 8, "int", "uint64", 4, is_signed=False)

#: to keep numbers in, more than to compute with: ops are defined for them where PyTorch's are, and some more
UNSIGNED = (uint16, uint32, uint64)
#: the real dtypes that every op of real numbers is defined for
REAL = (bool_, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64)
COMPLEX = (complex32, complex64, complex128)
ALL = (*REAL, *COMPLEX)
INTEGERS = tuple(d for d in REAL if d.category == "int")
FLOATS = tuple(d for d in REAL if d.category == "float")
BY_NAME = {d.name: d for d in (*ALL, *UNSIGNED)}
ALIASES = {"half": float16, "float": float32, "double": float64, "short": int16, "int": int32, "long": int64,
           "chalf": complex32, "cfloat": complex64, "cdouble": complex128}

#: names of the methods that convert to each dtype
CONVERSIONS = {**ALIASES, "char": int8, "byte": uint8, "bool": bool_, "bfloat16": bfloat16}

#: dtypes by their names in PyTorch's older classes: FloatTensor, FloatStorage
LEGACY = {**{name.capitalize(): d for name, d in CONVERSIONS.items() if not d.is_complex}, "BFloat16": bfloat16,
          "ComplexFloat": complex64, "ComplexDouble": complex128}
LEGACY.pop("Bfloat16")
LEGACY.update(UInt16=uint16, UInt32=uint32, UInt64=uint64)

_BY_NUMPY = {d.numpy: d for d in (*ALL, *UNSIGNED) if d not in (bfloat16, complex32)}
_CATEGORY_RANK = {"bool": 0, "int": 1, "float": 2, "complex": 3}
_COMPLEX_OF = {float16: complex32, bfloat16: complex64, float32: complex64, float64: complex128}
_default = float32


def get_default_dtype():
    """The floating dtype of Python floats and factory functions."""
    return _default


def set_default_dtype(d):
    """Set the floating dtype of Python floats.  Raises DTypeError unless d is a floating dtype."""
    global _default
    if not (isinstance(d, dtype) and d.is_floating_point):
        raise DTypeError(f"set_default_dtype: only floating-point dtypes can be the default, got {d!r}")
    _default = d


def default_for(category):
    """The dtype of a tensor made from a Python bool, int, float or complex."""
    return {"bool": bool_, "int": int64, "float": _default, "complex": _COMPLEX_OF[_default]}[category]


def complex_for(d):
    """The complex dtype in which numbers of dtype d are computed together with complex ones."""
    return d if d.is_complex else _COMPLEX_OF.get(d) or _COMPLEX_OF[_default]


def category_of(value):
    """"bool", "int", "float" or "complex" for a Python or NumPy scalar; None for anything else."""
    if isinstance(value, (bool, np.bool_)):
        return "bool"
    if isinstance(value, (int, np.integer)):
        return "int"
    if isinstance(value, (float, np.floating)):
        return "float"
    if isinstance(value, (complex, np.complexfloating)):
        return "complex"
    return None


def numpy_form(d):
    """d itself, or for bfloat16 and complex32, which NumPy lacks, the next wider dtype that it has."""
    return float32 if d is bfloat16 else complex64 if d is complex32 else d


def from_numpy_dtype(d):
    """The dtype that stores NumPy dtype d exactly.  Raises DTypeError for those without one, such as object."""
    d = np.dtype(d)
    found = _BY_NUMPY.get(d) or _BY_NUMPY.get(d.newbyteorder("="))
    if found is None:
        names = ", ".join(BY_NAME)
        raise DTypeError(f"NumPy dtype {d} has no counterpart here; convert it first, for instance with "
                         f"array.astype('float32'). Supported: {names}")
    return found


def legacy_name(d):
    """"Float" for float32 and so on, as in PyTorch's FloatTensor."""
    return next(name for name, dtype in LEGACY.items() if dtype is d)


def as_dtype(d):
    """d as a dtype: a dtype, Python's bool/int/float/complex, or a NumPy dtype.  Raises ArgumentTypeError otherwise."""
    if isinstance(d, dtype):
        return d
    if d is bool:
        return bool_
    if d is int:
        return int64
    if d is float:
        return float64
    if d is complex:
        return complex128
    try:
        return from_numpy_dtype(d)
    except TypeError as e:
        if isinstance(e, DTypeError):
            raise
        raise ArgumentTypeError(f"{d!r} is not a dtype; use one of cltensor.{', cltensor.'.join(BY_NAME)}") from None


@functools.cache
def promote_types(a, b):
    """The smallest dtype that both a and b convert to, by PyTorch's table."""
    if a is b:
        return a
    if a.is_complex or b.is_complex:
        a, b = (_COMPLEX_OF.get(d, d) for d in (a, b))
    if (a in UNSIGNED or b in UNSIGNED) and not (a.is_inexact or b.is_inexact):
        raise DTypeError("Promotion for uint16, uint32, uint64 types is not supported, attempted to promote "
                         f"{a.name} and {b.name}; convert one of the tensors, for instance with .long()")
    if a.category != b.category:
        return a if _CATEGORY_RANK[a.category] > _CATEGORY_RANK[b.category] else b
    if {a, b} == {uint8, int8}:
        return int16
    if {a, b} == {float16, bfloat16}:
        return float32
    return a if a.rank > b.rank else b


def can_cast(src, dst):
    """Whether results of src may be stored in dst: if src's category (bool < int < float < complex) is no higher than dst's."""
    return _CATEGORY_RANK[src.category] <= _CATEGORY_RANK[dst.category]


def stored(value, d, op):
    """A Python number converted for dtype d: an int dtype drops a float's fraction, and bool makes nonzero True.

    Raises ArgumentError for a finite number out of the range of d; a negative int wraps around in an unsigned dtype.
    """
    if d is bool_:
        return bool(value)
    if d.is_complex:
        value = complex(value)
        if max(abs(value.real), abs(value.imag)) > finfo(d).max and abs(value) != float("inf"):
            raise ArgumentError(f"{op}: value {value} cannot be converted to type {d.name} without overflow")
        return value
    if isinstance(value, complex):
        if value.imag:
            raise ArgumentError(f"{op}: value {value} cannot be converted to type {d.name} without overflow: it is complex")
        value = value.real
    if type(value) is int and -128 <= value < 128:  # most are
        return value
    if d.category == "float":
        fits = not abs(value) > finfo(d).max or abs(value) == float("inf")
    else:
        top = iinfo(d).max
        fits = -top - d.is_signed <= value <= top and (type(value) is not float or d.is_signed or value >= 0)
    if not fits:
        raise ArgumentError(f"{op}: value {value} cannot be converted to type {d.name} without overflow")
    if d.category == "float":
        return value
    value = int(value)
    return value if d is not uint64 or value < 2**63 else value - 2**64  # kernels compute with its bits as a signed number


class finfo:
    """Numeric limits of a floating dtype, or of complex parts: bits, eps, max, min, tiny, smallest_normal, resolution, dtype."""

    def __init__(self, d=None):
        d = (_default if d is None else as_dtype(d)).to_real()
        if not d.is_floating_point:
            raise DTypeError(f"finfo: {d!r} is not a floating-point dtype; use iinfo for integers")
        self.bits = d.itemsize * 8
        self.dtype = d.name
        if d is bfloat16:
            self.eps, self.max, self.tiny, self.resolution = 2.0**-7, (2 - 2.0**-7) * 2.0**127, 2.0**-126, 0.01
        else:
            info = np.finfo(d.numpy)
            self.eps, self.max, self.tiny = float(info.eps), float(info.max), float(info.tiny)
            self.resolution = float(info.resolution)
        self.min, self.smallest_normal = -self.max, self.tiny

    def __repr__(self):
        return (f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
                f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})")


class iinfo:
    """Numeric limits of an integer dtype: bits, min, max, dtype."""

    def __init__(self, d):
        d = as_dtype(d)
        if d.category != "int":
            raise DTypeError(f"iinfo: {d!r} is not an integer dtype; use finfo for floating point")
        self.bits = d.itemsize * 8
        self.dtype = d.name
        self.min, self.max = int(np.iinfo(d.numpy).min), int(np.iinfo(d.numpy).max)

    def __repr__(self):
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
