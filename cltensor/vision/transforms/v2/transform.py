"""Transform: what all transforms of version 2 share."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from ....base.errors import ArgumentTypeError, MissingError
from ....nn import Module
from ....tensor import Tensor
from ... import pillow
from ...tv_tensors import Image, Video
from .. import draws
from ..setup_arguments import is_fill, probability
from .functional import is_pure_tensor
from .functional.dispatch import kernel_of
from .samples import check_type, flatten, has_any

_SHOWN = (bool, int, float, str, tuple, list, enum.Enum)


class Transform(Module):
    """The base of transforms of version 2: a subclass defines transform(inpt, params), and make_params(flat_inputs) if random.

    Called with a sample, of any nesting of dicts, lists and tuples, it transforms the pictures, videos, masks, boxes and keypoints
    in it, all with the same parameters, and returns the rest as it is.  Of plain tensors (C, H, W), of any dtype, the first is
    taken for the picture, where there is no other.

    Raises MissingError where a subclass has no transform.  Source: torchvision 0.29's transforms.v2.Transform.

        class Halve(v2.Transform):
            def transform(self, inpt, params):
                return inpt / 2
    """

    _transformed_types: tuple[Any, ...] = (Tensor, pillow.is_pillow)

    def __init__(self) -> None:
        super().__init__()

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise an error for a sample that the transform cannot do."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The parameters for a sample, drawn once."""
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf of a sample, transformed."""
        raise MissingError(f"{type(self).__name__} must define transform(self, inpt, params)")

    def _call_kernel(self, functional: Callable, inpt: Any, *args: Any, **kwargs: Any) -> Any:
        """functional(inpt, ...), or inpt as it is where functional does not take its type."""
        return kernel_of(functional, type(inpt), passthrough=True)(inpt, *args, **kwargs)

    def forward(self, *inputs: Any) -> Any:
        """The sample, transformed: one argument gives one result, several a tuple."""
        leaves, rebuilt = flatten(inputs if len(inputs) > 1 else inputs[0])
        self.check_inputs(leaves)
        return rebuilt(self._transformed(leaves))

    def _transformed(self, leaves):
        needed = self._needs_transform_list(leaves)
        params = self.make_params([x for x, wanted in zip(leaves, needed, strict=True) if wanted])
        return [self.transform(x, params) if wanted else x for x, wanted in zip(leaves, needed, strict=True)]

    def _needs_transform_list(self, flat_inputs: list[Any]) -> list[bool]:
        """Which leaves are transformed: of plain tensors only the first, and none beside an Image, a Video or a Pillow image."""
        pure = not has_any(flat_inputs, Image, Video, pillow.is_pillow)
        needed = []
        for x in flat_inputs:
            wanted = check_type(x, self._transformed_types)
            if wanted and is_pure_tensor(x):
                wanted, pure = pure, False
            needed.append(wanted)
        return needed

    def extra_repr(self) -> str:
        """The settings."""
        shown = []
        for name, value in self.__dict__.items():
            if not name.startswith("_") and name != "training" and isinstance(value, _SHOWN):
                shown.append(f"{name}={value.value if type(value).__name__ == 'InterpolationMode' else value}")
        return ", ".join(shown)


class RandomApplyTransform(Transform):
    """A transform that happens with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = probability(p)

    def forward(self, *inputs: Any) -> Any:
        """The sample, transformed or not."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        leaves, rebuilt = flatten(sample)
        self.check_inputs(leaves)
        return sample if draws.unit() >= self.p else rebuilt(self._transformed(leaves))


class Fill:
    """A colour, or one for each kind of data."""

    def __init__(self, fill: Any) -> None:
        given = fill if isinstance(fill, dict) else {"others": fill}
        self.of = {cls: _checked(value) for cls, value in given.items()}

    def __getitem__(self, cls: type) -> Any:
        if cls in self.of:
            return self.of[cls]
        for key, value in self.of.items():
            if key == "others" or (is_pure_image(key) and is_pure_image(cls)):
                return value
        return 0


def is_pure_image(cls: Any) -> bool:
    """Whether a class is that of Pillow images or a subclass of it."""
    return isinstance(cls, type) and pillow.is_pillow_class(cls)


def _checked(value):
    """A colour as a number, a list of floats or None.  Raises ArgumentTypeError."""
    if value is not None and not is_fill(value):
        raise ArgumentTypeError(f"Got inappropriate fill arg, only Numbers, tuples, lists and dicts are allowed: {value!r}")
    return [float(v) for v in value] if isinstance(value, (tuple, list)) else value
