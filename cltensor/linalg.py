"""cltensor.linalg: decompositions, solvers, norms and products of matrices, with torch.linalg's names."""

from .base.calls import named_all as _named_all
from .tensor.core.with_out import with_out as _with_out
from .tensor.core.with_out import without_out as _without_out
from .tensor.linalg import eigen as _eigen
from .tensor.linalg import factor_info as _factor_info
from .tensor.linalg import householder as _householder
from .tensor.linalg import ldl as _ldl
from .tensor.linalg import linalg as _linalg
from .tensor.linalg import lu as _lu
from .tensor.linalg.linalg import LinAlgError

_HOMES = {name: module for module in (_linalg, _eigen, _lu, _householder, _ldl, _factor_info) for name in module.NAMES}

globals().update({name: (_without_out if name in ("diagonal", "matrix_exp", "vander") else _with_out)(getattr(module, name))
                  for name, module in _HOMES.items()})
_named_all(globals())


__all__ = ("LinAlgError", *_HOMES)  # noqa: PLE0604


def __dir__():
    return sorted(__all__)
