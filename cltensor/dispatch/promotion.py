"""result_type: the dtype in which a mix of tensors, 0-d tensors and Python scalars is computed."""

from ..base import dtypes

_PYTHON = {bool: "bool", int: "int", float: "float", complex: "complex"}


def _combine(higher, lower):
    """The dtype of the operand with priority, unless the other's dtype is of a higher category."""
    if higher is None or lower is None:
        return lower if higher is None else higher
    if lower.is_complex and not higher.is_complex:
        return dtypes.complex_for(higher) if higher.is_floating_point else lower
    if higher.is_inexact or not (higher.category == "bool" or lower.is_floating_point):
        return higher
    return dtypes.promote_types(higher, lower)


def result_type(operands):
    """PyTorch's promotion of Specs and the types bool, int, float, complex.  Priority: tensors, then 0-d tensors, then scalars."""
    groups = [None, None, None]
    for o in operands:
        if isinstance(o, type):
            level, d = 2, dtypes.default_for(_PYTHON[o])
        else:
            level, d = (0 if o.ndim else 1), o.dtype
        groups[level] = d if groups[level] is None else dtypes.promote_types(groups[level], d)
    return _combine(groups[0], _combine(groups[1], groups[2]))
