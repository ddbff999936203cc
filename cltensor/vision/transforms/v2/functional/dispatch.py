"""Which kernel a functional calls: by the type of what it is given."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from .....base.errors import ArgumentError, ArgumentTypeError
from .....tensor import Tensor
from .... import pillow
from ....tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, TVTensor, Video
from ....tv_tensors.base import plain
from ...derived import chosen, named, taking

_FACTS = ("format", "canvas_size", "clamping_mode")
_BUILT_IN = (Image, Video, Mask, BoundingBoxes, KeyPoints, TVTensor)


class PillowImage:
    """Stands for Pillow's images in the tables, so that Pillow need not be imported."""


#: functional -> {type: kernel}
KERNELS: dict[Callable, dict[type, Callable]] = {}
_FOUND: dict[tuple[Callable, type], Callable] = {}


def is_pure_tensor(inpt: Any) -> bool:
    """Whether inpt is a tensor, of any shape and dtype, and no TVTensor.

    Never raises.  Source: torchvision 0.29's transforms.v2.functional.is_pure_tensor.

        functional.is_pure_tensor(cltensor.zeros(3))    # True
    """
    return isinstance(inpt, Tensor) and not isinstance(inpt, TVTensor)


def functional(name: str, image: Callable, summary: str, example: str, *, pillow: Callable | None = None,
               mask: Callable | None = None, boxes: Callable | None = None, keypoints: Callable | None = None,
               video: Callable | None = None, first: str = "inpt") -> Callable:
    """The public function `name`, with the signature of image, the kernel for tensors; it takes what there are kernels for."""

    def call(inpt, *args, **kwargs):
        return kernel_of(call, type(inpt))(inpt, *args, **kwargs)

    table = KERNELS[call] = {Tensor: image, Image: rewrapped(image)}
    rest = tuple(inspect.signature(image).parameters)[1:]
    if pillow is not None:
        table[PillowImage] = taking(pillow, name, rest)
    for cls, kernel in ((Video, video), (Mask, mask)):
        if kernel is not None:
            table[cls] = rewrapped(taking(kernel, name, rest))
    for cls, kernel in ((BoundingBoxes, boxes), (KeyPoints, keypoints)):
        if kernel is not None:
            table[cls] = described(kernel, name, rest)
    taken = ", ".join(f"{'a Pillow image' if cls is PillowImage else cls.__name__}" for cls in table if cls is not Tensor)
    named(call, image, name, first, __package__, _DOC.format(summary=summary, first=first, taken=taken, name=name, example=example))
    return call


_DOC = """{summary}

{first}: a tensor (..., C, H, W), of any size, of bytes or floats in [0, 1], {taken}; the result is of the same kind and dtype.

Raises ArgumentTypeError for anything else, ArgumentError for an argument that makes no sense.
Source: torchvision 0.29's transforms.v2.functional.{name}.

    functional.{name}({example})
"""


def of_kind(kernel: Callable, name: str, first: str) -> Callable:
    """A kernel for pictures under the name of another kind of data that it serves as well."""

    @functools.wraps(kernel)
    def call(*args, **kwargs):
        return kernel(kwargs.pop(first), *args, **kwargs) if first in kwargs else kernel(*args, **kwargs)

    named(call, kernel, name, first, __package__, kernel.__doc__)
    return call


def video_and_mask(kernel: Callable) -> tuple[Callable, Callable]:
    """The kernels for videos (..., T, C, H, W) and masks (..., H, W) that are one with that for pictures."""
    name = kernel.__name__.removesuffix("_image")
    return of_kind(kernel, f"{name}_video", "video"), of_kind(kernel, f"{name}_mask", "mask")


def rewrapped(kernel: Callable) -> Callable:
    """kernel for a TVTensor of pixels: it gets a plain tensor, and what it returns gets the class back."""

    def call(inpt, *args, **kwargs):
        result = kernel(plain(inpt), *args, **kwargs)
        if isinstance(result, Tensor):
            return type(inpt)._wrapped(result, inpt)
        return tuple(type(inpt)._wrapped(r, inpt) for r in result)

    return call


def described(kernel: Callable, name: str, rest: tuple[str, ...]) -> Callable:
    """kernel for boxes or points: it gets a plain tensor and the facts that it asks for; it may return a new canvas too."""
    known = tuple(inspect.signature(kernel).parameters)[1:]
    wanted = tuple(fact for fact in _FACTS if fact in known)

    def call(inpt, *args, **kwargs):
        facts = {fact: getattr(inpt, fact) for fact in wanted}
        result = kernel(plain(inpt), **chosen(name, rest, known, args, kwargs), **facts)
        if isinstance(result, Tensor):
            return type(inpt)._wrapped(result, inpt)
        return type(inpt)._wrapped(result[0], inpt, canvas_size=tuple(result[1]))

    return call


def kernel_of(call: Callable, cls: type, passthrough: bool = False) -> Callable:
    """The kernel of a functional for a type; with passthrough the identity for what it does not take.  Raises ArgumentTypeError."""
    found = _FOUND.get((call, cls))
    if found is None:
        found = _search(KERNELS[call], cls)
        if found is None:
            if passthrough:
                return _unchanged
            names = ", ".join(f"{t.__module__.replace('.base', '')}.{t.__name__}" for t in KERNELS[call])
            raise ArgumentTypeError(f"Functional F.{call.__name__} supports inputs of type {names}, but got {cls} instead.")
        _FOUND[call, cls] = found
    return found


def _search(table, cls):
    """The kernel of the nearest base; a TVTensor never falls back to the kernel of plain tensors."""
    if issubclass(cls, TVTensor):
        return next((table[base] for base in cls.__mro__ if base in table and issubclass(base, TVTensor)), None)
    if issubclass(cls, Tensor):
        return table.get(Tensor)
    if pillow.is_pillow_class(cls):
        return table.get(PillowImage)
    return None


def _unchanged(inpt, *args, **kwargs):
    return inpt


def register_kernel(functional: Callable, tv_tensor_cls: type) -> Callable:
    """A decorator that makes a function the kernel of a functional for a subclass of TVTensor of one's own.

    The kernel gets the object as it is, of whatever shape and dtype, and returns the result.

    Raises ArgumentError for a function that is no functional of this module, for a class that is no subclass of TVTensor and for
    the classes that have kernels of their own.
    Source: torchvision 0.29's transforms.v2.functional.register_kernel.

        @functional.register_kernel(functional.horizontal_flip, MyTensor)
        def flipped(inpt):
            return tv_tensors.wrap(inpt.flip(-1), like=inpt)
    """
    if functional not in KERNELS:
        raise ArgumentError("Kernels can only be registered on functionals from cltensor.vision.transforms.v2.functional, "
                            f"but got {functional}.")
    if not (isinstance(tv_tensor_cls, type) and issubclass(tv_tensor_cls, TVTensor)):
        raise ArgumentError(f"Kernels can only be registered for subclasses of tv_tensors.TVTensor, but got {tv_tensor_cls}.")
    if tv_tensor_cls in _BUILT_IN:
        raise ArgumentError(f"Kernels cannot be registered for the builtin tv_tensor classes, but got {tv_tensor_cls}")

    def register(kernel):
        KERNELS[functional][tv_tensor_cls] = kernel
        for key in [key for key in _FOUND if key[0] is functional]:
            del _FOUND[key]
        return kernel

    return register
