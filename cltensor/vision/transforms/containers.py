"""Transforms made of transforms."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from ...base.errors import ArgumentTypeError
from ...nn import Module, ModuleList
from . import draws


def _listed(transforms):
    return "".join(f"\n    {t}" for t in transforms) + "\n"


class Compose:
    """One transform after the other, on pictures of any shape, dtype or kind that they take.

    Raises what the transforms raise.  Source: torchvision 0.29's transforms.Compose.

        transform = transforms.Compose([transforms.CenterCrop(16), transforms.ToTensor()])
    """

    def __init__(self, transforms: Sequence[Callable]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for t in self.transforms:
            img = t(img)
        return img

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_listed(self.transforms)})"


class Lambda:
    """Any function as a transform, of pictures of any shape and dtype.

    Raises ArgumentTypeError for what cannot be called.  Source: torchvision 0.29's transforms.Lambda.

        double = transforms.Lambda(lambda image: 2 * image)
    """

    def __init__(self, lambd: Callable) -> None:
        if not callable(lambd):
            raise ArgumentTypeError(f"Argument lambd should be callable, got {type(lambd)}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _RandomTransforms:
    """A sequence of transforms, some or all of which are applied."""

    def __init__(self, transforms: Sequence[Callable]) -> None:
        if not isinstance(transforms, Sequence):
            raise ArgumentTypeError(f"Argument transforms should be a sequence, got {type(transforms)}")
        self.transforms = transforms

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_listed(self.transforms)})"


class RandomApply(Module):
    """All of some transforms with probability p, else none; on pictures of any shape and dtype that they take.

    Raises what the transforms raise.  Source: torchvision 0.29's transforms.RandomApply.

        transform = transforms.RandomApply([transforms.GaussianBlur(3)], p=0.3)
    """

    def __init__(self, transforms: Sequence[Callable] | ModuleList, p: float = 0.5) -> None:
        super().__init__()
        self.transforms, self.p = transforms, p

    def forward(self, img: Any) -> Any:
        """img, transformed or not."""
        if self.p < draws.unit():
            return img
        for t in self.transforms:
            img = t(img)
        return img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(\n    p={self.p}{_listed(self.transforms)})"


class RandomOrder(_RandomTransforms):
    """Some transforms in random order (of Python's module random), on pictures of any shape and dtype that they take.

    Raises ArgumentTypeError for what is no sequence.  Source: torchvision 0.29's transforms.RandomOrder.

        transform = transforms.RandomOrder([transforms.RandomHorizontalFlip(), transforms.RandomCrop(16)])
    """

    def __call__(self, img: Any) -> Any:
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for i in order:
            img = self.transforms[i](img)
        return img


class RandomChoice(_RandomTransforms):
    """One of some transforms (by Python's module random), with the weights p, on pictures of any shape and dtype that they take.

    Raises ArgumentTypeError for what is no sequence.  Source: torchvision 0.29's transforms.RandomChoice.

        transform = transforms.RandomChoice([transforms.CenterCrop(16), transforms.RandomCrop(16)], p=[0.2, 0.8])
    """

    def __init__(self, transforms: Sequence[Callable], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise ArgumentTypeError(f"Argument p should be a sequence, got {type(p)}")
        self.p = p

    def __call__(self, *args: Any) -> Any:
        return random.choices(self.transforms, weights=self.p)[0](*args)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"
