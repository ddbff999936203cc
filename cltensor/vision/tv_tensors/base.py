"""TVTensor: a tensor that says what it is a picture of; results of operations on it are plain tensors."""

from __future__ import annotations

import threading
from typing import Any

from ...base.dtypes import dtype as DType
from ...base.errors import ArgumentError, ArgumentTypeError
from ...base.overriding import Quiet
from ...runtime.device import device as Device
from ...tensor import Tensor
from ...tensor.api.creation import as_tensor
from ...tensor.api.exchange import attributes_of
from ..pillow import is_pillow, pixels


class _ReturnType(threading.local):
    """Per thread: whether operations on a TVTensor give one again."""

    keeps = False


_return_type = _ReturnType()
#: operations whose result always keeps the class
_KEEPING = ("clone", "to", "detach", "requires_grad_")


def plain(x: Tensor) -> Tensor:
    """x's memory as a plain Tensor, its history included."""
    if type(x) is Tensor:
        return x
    if x._node is None and not x._req:
        return Tensor._make(x._storage, x._spec, x._offset)
    with Quiet(modes=True):
        return x.as_subclass(Tensor)


class TVTensor(Tensor):
    """The base of Image, Video, Mask, BoundingBoxes and KeyPoints: a tensor of any shape and dtype.

    Operations on it give plain tensors, unless set_return_type says otherwise; clone, to, detach and requires_grad_ keep the class.
    Raises what Tensor raises.  Source: torchvision 0.29's tv_tensors.TVTensor.

        class Spectrum(tv_tensors.TVTensor):
            pass
    """

    @classmethod
    def _to_tensor(cls, data: Any, dtype: DType | None = None, device: Device | str | int | None = None,
                   requires_grad: bool | None = None) -> Tensor:
        """data as a plain tensor; that of a tensor is shared."""
        if requires_grad is None:
            requires_grad = data.requires_grad if isinstance(data, Tensor) else False
        made = as_tensor(plain(data) if isinstance(data, Tensor) else data, dtype=dtype, device=device)
        if made.requires_grad == requires_grad:
            return made
        return (made.detach() if made is data else made).requires_grad_(requires_grad)

    @classmethod
    def _wrapped(cls, tensor: Tensor, like: TVTensor | None = None, **facts: Any) -> Any:
        """tensor as an object of this class; `like` and facts give what else there is to know of it."""
        tensor = plain(tensor)
        if tensor._node is None and not tensor._req:
            made = cls._make(tensor._storage, tensor._spec, tensor._offset)
        else:
            with Quiet(modes=True):
                made = tensor.as_subclass(cls)
        made._describe(like, facts)
        return made

    def _describe(self, like: TVTensor | None, facts: dict[str, Any]) -> None:
        """Take over the facts that belong to a class, from `facts` or else from like."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if not all(issubclass(cls, t) for t in types):
            return NotImplemented
        with Quiet(modes=True):
            result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        first = args[0] if args else None
        if isinstance(first, cls) and (_return_type.keeps or name in _KEEPING):
            return _kept(result, first)
        if result is first and isinstance(result, TVTensor):  # an in-place operation
            return plain(result)
        return result

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            fresh = plain(self).detach().clone().requires_grad_(self.requires_grad)
            memo[id(self)] = type(self)._wrapped(fresh, self)
        return memo[id(self)]

    def __copy__(self):
        return type(self)._wrapped(self, self)

    def __reduce_ex__(self, protocol):
        return _restored, (type(self), plain(self).detach(), self.requires_grad, attributes_of(self))

    def _shown(self, **facts: Any) -> str:
        """The text of repr, with the facts behind the values."""
        text = ", ".join(f"{name}={value}" for name, value in facts.items())
        return f"{type(self).__name__}{repr(plain(self))[len('tensor'):-1]}, {text})"

    def __repr__(self) -> str:
        return self._shown()


def _kept(result, like):
    """result with its tensors as objects of like's class."""
    if isinstance(result, Tensor):
        return result if isinstance(result, type(like)) else type(like)._wrapped(result, like)
    if type(result) in (tuple, list):
        return type(result)(_kept(x, like) for x in result)
    return result


def _restored(cls, tensor, requires_grad, facts):
    return cls._wrapped(tensor.requires_grad_(requires_grad), None, **facts)


def wrap(wrappee: Tensor, *, like: TVTensor, **kwargs: Any) -> Any:
    """wrappee's memory as an object of like's class, with like's format, canvas_size and clamping_mode unless kwargs say others.

    wrappee: a tensor of any shape and dtype that the class holds.

    Raises ArgumentTypeError where wrappee is no tensor or like no TVTensor.
    Source: torchvision 0.29's tv_tensors.wrap.

        boxes = tv_tensors.wrap(2 * boxes, like=boxes, canvas_size=(64, 64))
    """
    if not isinstance(wrappee, Tensor) or not isinstance(like, TVTensor):
        raise ArgumentTypeError(f"wrap: expected a tensor and a TVTensor, got {type(wrappee).__name__} and {type(like).__name__}")
    return type(like)._wrapped(wrappee, like, **kwargs)


class set_return_type:
    """Say whether operations on a TVTensor give "Tensor" (as they do unless told) or "TVTensor"; in a `with` block, until its end.

    Of any shape and dtype; transforms always keep the class.  The setting is the thread's own.

    Raises ArgumentError for another word.
    Source: torchvision 0.29's tv_tensors.set_return_type.

        with tv_tensors.set_return_type("TVTensor"):
            brighter = image + 1
    """

    def __init__(self, return_type: str) -> None:
        if str(return_type).lower() not in ("tensor", "tvtensor"):
            raise ArgumentError(f"return_type must be 'TVTensor' or 'Tensor', got {return_type}")
        self.before, _return_type.keeps = _return_type.keeps, str(return_type).lower() == "tvtensor"

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exc: object) -> None:
        _return_type.keeps = self.before


def from_any(data: Any) -> Any:
    """A Pillow image as a (C, H, W) array, anything else as it is."""
    return pixels(data) if is_pillow(data) else data
