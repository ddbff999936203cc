"""A batch of images of different sizes."""

from __future__ import annotations

from ....tensor.core.tensor import Tensor


class ImageList:
    """Images in one tensor (N, C, H, W), each at the top left, and their own sizes (height, width).

    Any dtype.  Never raises.  Source: the interface of torchvision 0.3.

        >>> from cltensor.vision.models.detection.image_list import ImageList
        >>> ImageList(ct.zeros(1, 3, 8, 8), [(5, 7)]).image_sizes
        [(5, 7)]
    """

    def __init__(self, tensors: Tensor, image_sizes: list[tuple[int, int]]) -> None:
        self.tensors, self.image_sizes = tensors, image_sizes

    def to(self, device) -> ImageList:
        """The same on another device."""
        return ImageList(self.tensors.to(device), self.image_sizes)
