"""The registry: every op of cltensor, by name."""

from ..base import dtypes

REGISTRY = {}

#: the real dtypes an op may be declared for; `complex=True` adds the complex ones
DTYPE_SETS = {
    "all": dtypes.REAL,
    "stored": (*dtypes.REAL, *dtypes.UNSIGNED),
    "number": tuple(d for d in dtypes.REAL if d.category != "bool"),
    "integer": dtypes.INTEGERS,
    "integral": (dtypes.bool_, *dtypes.INTEGERS),
    "bits": (dtypes.bool_, *dtypes.INTEGERS, *dtypes.UNSIGNED),
    "index": (dtypes.int64,),
    "none": (),
    "parts": (dtypes.float16, dtypes.float32, dtypes.float64),
    "floating": dtypes.FLOATS,
    "wide": (dtypes.float32, dtypes.float64),
    "wide complex": (dtypes.complex64, dtypes.complex128),
    "wide, complex or not": (dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128),
    "signed": tuple(d for d in dtypes.REAL if d.is_signed),
}
