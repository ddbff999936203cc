"""The registry: every op of cltensor, by name."""

from ..base import dtypes

REGISTRY = {}

DTYPE_SETS = {
    "all": dtypes.ALL,
    "number": tuple(d for d in dtypes.ALL if d.category != "bool"),
    "integer": dtypes.INTEGERS,
    "integral": (dtypes.bool_, *dtypes.INTEGERS),
    "index": (dtypes.int64,),
    "floating": dtypes.FLOATS,
    "wide": (dtypes.float32, dtypes.float64),
    "signed": tuple(d for d in dtypes.ALL if d.is_signed),
}
