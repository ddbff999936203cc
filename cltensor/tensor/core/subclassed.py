"""Subclasses of Tensor: results keep their class, and `__torch_function__` may say otherwise."""

from ...base import calls, overriding
from ...base.errors import ArgumentTypeError
from ...dispatch.saved import continued
from ...dispatch.tensor_base import TensorBase


class Subclassed(TensorBase):
    """What Tensor does about its subclasses."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if cls._plain is not None and overriding.overrides(cls):
            overriding.arm()
            for name, value in _properties(cls):
                setattr(cls, name, value)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        """func(*args, **kwargs), its tensors as objects of this class; NotImplemented beside a class that is none of its bases.

        A subclass defines it anew to do something else: func is the public function or method that was called, types are the
        classes among the arguments that have a `__torch_function__`.
        """
        if not all(issubclass(cls, t) for t in types):
            return NotImplemented
        with overriding.Quiet(modes=True):
            result = func(*args, **(kwargs or {}))
            return result if func in nowrap() else _converted(result, cls)

    def as_subclass(self, cls):
        """The same memory as an object of cls, a subclass of Tensor; gradients flow through.

        Of any shape and dtype.  Raises ArgumentTypeError for a class that is no subclass of Tensor.
        Source: PyTorch 2.13's Tensor.as_subclass.

            class Named(cltensor.Tensor):
                name = ""

            x = cltensor.ones(3).as_subclass(Named)
        """
        if not (isinstance(cls, type) and issubclass(cls, TensorBase)):
            raise ArgumentTypeError(f"as_subclass: cls must be a subclass of Tensor, got {calls.kind(cls)} {cls!r:.60}")
        made = cls._make(self._storage, self._spec, self._offset)
        node = self.grad_fn
        if node is not None:
            made._node, made._index, made._req = node, self._index, True
        elif self._req:
            made._node, made._req = continued(self, self)._node, True
        made._base, made._history_version, made._untracked = self._base, self._history_version, self._untracked
        return made

    @classmethod
    def _make_subclass(cls, data, require_grad=False):
        """data's memory as a leaf of this class."""
        return cls._make(data._storage, data._spec, data._offset).requires_grad_(require_grad)


def nowrap():
    """What the default `__torch_function__` does not convert: gradients, which have the class they were computed in."""
    return {_found(Subclassed.__subclasses__()[0], "grad").__get__}


def _converted(result, cls):
    """result with its tensors, also those in tuples and lists, as objects of cls."""
    if isinstance(result, TensorBase):
        return result if isinstance(result, cls) else result.as_subclass(cls)
    if type(result) in (tuple, list):
        return type(result)(_converted(x, cls) for x in result)
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*(_converted(x, cls) for x in result))
    return result


def _found(cls, name):
    """The property `name` of a class or its bases."""
    return next(vars(base)[name] for base in cls.__mro__ if name in vars(base))


def _properties(cls):
    """(name, property that asks cls first) of every public property of Tensor that cls has not defined itself."""
    for base in cls.__mro__[1:]:
        if base.__module__.startswith(calls.PACKAGE):
            for name, value in vars(base).items():
                if isinstance(value, property) and not name.startswith("_") and _found(cls, name) is value:
                    yield name, _asking(value)


def _asking(inner):
    get, put, drop = inner.__get__, inner.__set__, inner.__delete__
    return property(overriding.Asking(get, get).__call__, inner.fset and overriding.Asking(put, put).__call__,
                    inner.fdel and overriding.Asking(drop, drop).__call__, inner.__doc__)
