"""Transforms made of transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ....base.errors import ArgumentError, ArgumentTypeError
from ....nn import ModuleList
from .. import draws
from ..setup_arguments import probability
from .transform import Transform


def check_transforms(transforms: Any) -> None:
    """Raise ArgumentTypeError for what is no sequence of callables, ArgumentError for an empty one."""
    if not isinstance(transforms, (Sequence, ModuleList)):
        raise ArgumentTypeError(f"Argument transforms should be a sequence of callables, got {type(transforms)}")
    if len(transforms) < 1:
        raise ArgumentError("Pass at least one transform")


def applied(transforms: Any, inputs: tuple[Any, ...]) -> Any:
    """A sample after some transforms."""
    outputs: Any = inputs if len(inputs) > 1 else inputs[0]
    for t in transforms:
        outputs = t(*inputs)
        inputs = outputs if len(inputs) > 1 else (outputs,)
    return outputs


class _Container(Transform):
    """A sequence of transforms."""

    def __init__(self, transforms: Sequence[Callable] | ModuleList) -> None:
        super().__init__()
        check_transforms(transforms)
        self.transforms = transforms


class Compose(_Container):
    """One transform after the other, on samples of any kind.

    Of pictures, masks, boxes and keypoints of any shape and dtype that the transforms take.

    Raises ArgumentTypeError, ArgumentError for what is no sequence of transforms.
    Source: torchvision 0.29's transforms.v2.Compose.

        transform = v2.Compose([v2.CenterCrop(16), v2.RandomHorizontalFlip()])
    """

    def forward(self, *inputs: Any) -> Any:
        """The sample, transformed."""
        return applied(self.transforms, inputs)

    def extra_repr(self) -> str:
        """The transforms."""
        return "\n".join(f"    {t}" for t in self.transforms)


class RandomApply(_Container):
    """All of some transforms with probability p, else none; on samples of any shape and dtype that they take.

    Raises ArgumentError for a p that is no probability, and what Compose raises.
    Source: torchvision 0.29's transforms.v2.RandomApply.

        transform = v2.RandomApply([v2.GaussianBlur(3)], p=0.3)
    """

    def __init__(self, transforms: Sequence[Callable] | ModuleList, p: float = 0.5) -> None:
        super().__init__(transforms)
        self.p = probability(p)

    def forward(self, *inputs: Any) -> Any:
        """The sample, transformed or not."""
        return (inputs if len(inputs) > 1 else inputs[0]) if draws.unit() >= self.p else applied(self.transforms, inputs)

    def extra_repr(self) -> str:
        """The transforms."""
        return "\n".join(f"    {t}" for t in self.transforms)


class RandomChoice(_Container):
    """One of some transforms, with the weights p; on samples of any shape and dtype that they take.

    Raises ArgumentError for another number of weights, and what Compose raises.
    Source: torchvision 0.29's transforms.v2.RandomChoice.

        transform = v2.RandomChoice([v2.CenterCrop(16), v2.RandomCrop(16)], p=[0.2, 0.8])
    """

    def __init__(self, transforms: Sequence[Callable], p: list[float] | None = None) -> None:
        super().__init__(transforms)
        p = [1] * len(transforms) if p is None else p
        if len(p) != len(transforms):
            raise ArgumentError(f"Length of p doesn't match the number of transforms: {len(p)} != {len(transforms)}")
        self.p = [weight / sum(p) for weight in p]

    def forward(self, *inputs: Any) -> Any:
        """The sample, transformed."""
        return self.transforms[draws.weighted(self.p)](*inputs)


class RandomOrder(_Container):
    """Some transforms in random order; on samples of any shape and dtype that they take.

    Raises what Compose raises.  Source: torchvision 0.29's transforms.v2.RandomOrder.

        transform = v2.RandomOrder([v2.RandomHorizontalFlip(), v2.RandomCrop(16)])
    """

    def forward(self, *inputs: Any) -> Any:
        """The sample, transformed."""
        return applied([self.transforms[i] for i in draws.permutation(len(self.transforms))], inputs)
