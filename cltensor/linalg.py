"""cltensor.linalg: decompositions, solvers, norms and products of matrices, with torch.linalg's names."""

from .base import absent as _absent
from .tensor import linalg as _linalg
from .tensor.linalg import LinAlgError
from .tensor.out import accepting as _accepting

globals().update({name: _accepting(getattr(_linalg, name)) for name in _linalg.NAMES})



def __getattr__(name):
    _absent.refuse("cltensor.linalg", name, dict.fromkeys(("eig", "eigvals"), f"{_absent.COMPLEX}, and eigenvalues of a general "
                                                          "matrix are complex; eigh and eigvalsh serve symmetric ones"))
    raise AttributeError(f"module 'cltensor.linalg' has no attribute {name!r}")


__all__ = ("LinAlgError", *_linalg.NAMES)  # noqa: PLE0604
