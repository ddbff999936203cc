"""cltensor.linalg: decompositions, solvers, norms and products of matrices, with torch.linalg's names."""

from .tensor import linalg as _linalg
from .tensor.linalg import LinAlgError
from .tensor.out import accepting as _accepting

globals().update({name: _accepting(getattr(_linalg, name)) for name in _linalg.NAMES})

__all__ = ("LinAlgError", *_linalg.NAMES)  # noqa: PLE0604
