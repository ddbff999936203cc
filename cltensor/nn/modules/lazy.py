"""Lazy modules: they take the sizes that their constructor was not told from the first input."""

from __future__ import annotations

from ...base.errors import CLTensorError, MissingError
from ..parameter import is_lazy

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin:
    """Makes a Module lazy: it comes first among the bases, and defines initialize_parameters.

    The class makes UninitializedParameter and UninitializedBuffer in its constructor; initialize_parameters,
    called with the arguments of the first call, materializes them.  The module is a cls_to_become from then on, unless that is
    None.

    Raises CLTensorError where initialize_parameters leaves a tensor uninitialised.

        >>> from cltensor import nn, randn
        >>> layer = nn.LazyLinear(3)
        >>> layer(randn(2, 5)).shape
        cltensor.Size([2, 3])
        >>> layer
        Linear(in_features=5, out_features=3, bias=True)
    """

    cls_to_become = None

    def initialize_parameters(self, *args, **kwargs):
        """Materialize the parameters and buffers for the arguments of forward; every lazy class defines it."""
        raise MissingError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer of this module itself is still uninitialised."""
        return any(map(is_lazy, self._own_tensors()))

    def __call__(self, *args, **kwargs):
        self._infer_parameters(args, kwargs)
        return (super() if isinstance(self, LazyModuleMixin) else self).__call__(*args, **kwargs)

    def _infer_parameters(self, args, kwargs):
        if self.cls_to_become is None and not self.has_uninitialized_params():
            return
        self.initialize_parameters(*args, **kwargs)
        if self.has_uninitialized_params():
            raise CLTensorError(f"module {self._get_name()} is not fully initialized; its initialize_parameters has to "
                                "materialize every parameter and buffer")
        if self.cls_to_become is not None:
            self.__class__ = self.cls_to_become


def __dir__():
    return sorted(__all__)
