"""The registry: every op of cltensor, by name."""

from ..base import dtypes
from ..base.errors import PickleError

REGISTRY = {}


def declared(name):
    """The op of a name, as pickles find it.  Raises PickleError where there is none."""
    if name not in REGISTRY:
        raise PickleError(f"pickle: there is no op {name!r} in this version of cltensor; use the version that wrote the pickle")
    return REGISTRY[name]


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
