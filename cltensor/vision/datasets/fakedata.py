"""Pictures of noise, for trying programs out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...base.errors import DimensionError
from .. import pillow
from .vision import VisionDataset


class FakeData(VisionDataset):
    """Pictures of noise with targets at random, the same ones every time.

    Pictures are Pillow images made of normal numbers, as bytes (uint8); targets are ints.

    Args: size, how many; image_size, (channels, height, width), with 1 or 3 channels; num_classes; transform and target_transform,
        functions of a picture and of a target; random_offset, what is added to the index to make the seed.
    Raises DimensionError, an IndexError, for an index past the end.
    Source: as torchvision 0.29 has it; the numbers come from NumPy's PCG64, so they are others.

    Example::

        picture, target = cltensor.vision.datasets.FakeData(10)[0]
    """

    def __init__(self, size: int = 1000, image_size: tuple[int, int, int] = (3, 224, 224), num_classes: int = 10,
                 transform: Callable[..., Any] | None = None, target_transform: Callable[..., Any] | None = None,
                 random_offset: int = 0):
        super().__init__(transform=transform, target_transform=target_transform)
        self.size, self.num_classes, self.image_size, self.random_offset = size, num_classes, image_size, random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if index >= len(self):
            raise DimensionError(f"{type(self).__name__} index out of range: {index} with {len(self)} pictures")
        drawn = np.random.default_rng((self.random_offset + index) % 2**64)
        values = drawn.standard_normal(self.image_size, np.float32)
        target = int(drawn.integers(self.num_classes))
        pixels = (values * 255).astype(np.int64).astype(np.uint8).transpose(1, 2, 0)
        return self._changed(pillow.module().fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels), target)

    def __len__(self) -> int:
        return self.size
