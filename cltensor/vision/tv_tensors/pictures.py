"""Image, Video and Mask: tensors of pixels."""

from __future__ import annotations

from typing import Any

from ...base.dtypes import dtype as DType
from ...base.errors import MismatchError
from ...runtime.device import device as Device
from .base import TVTensor, from_any


class Image(TVTensor):
    """A picture (..., C, H, W); a tensor (H, W) gets one channel.

    data: a tensor, whose memory is shared, a Pillow image, an array or nested numbers.  dtype: any; device and requires_grad as for
    tensor().  Operations on it give plain tensors, transforms an Image.

    Raises ShapeError (a ValueError) for fewer than two dimensions.
    Source: torchvision 0.29's tv_tensors.Image.

        image = tv_tensors.Image(cltensor.rand(3, 32, 32))
    """

    def __new__(cls, data: Any, *, dtype: DType | None = None, device: Device | str | int | None = None,
                requires_grad: bool | None = None) -> Image:
        tensor = cls._to_tensor(from_any(data), dtype, device, requires_grad)
        if tensor.ndim < 2:
            raise MismatchError(f"Image: Tensor must be 2D or higher, got {tensor.ndim}D tensor.")
        return cls._wrapped(tensor.unsqueeze(0) if tensor.ndim == 2 else tensor)


class Video(TVTensor):
    """Frames (..., T, C, H, W).

    data: a tensor, whose memory is shared, an array or nested numbers.  dtype: any; device and requires_grad as for tensor().

    Raises ShapeError (a ValueError) for fewer than four dimensions.
    Source: torchvision 0.29's tv_tensors.Video.

        video = tv_tensors.Video(cltensor.rand(8, 3, 32, 32))
    """

    def __new__(cls, data: Any, *, dtype: DType | None = None, device: Device | str | int | None = None,
                requires_grad: bool | None = None) -> Video:
        tensor = cls._to_tensor(data, dtype, device, requires_grad)
        if tensor.ndim < 4:
            raise MismatchError(f"Video: expected (..., T, C, H, W), got a tensor of {tensor.ndim} dimensions")
        return cls._wrapped(tensor)


class Mask(TVTensor):
    """Which class or object each pixel belongs to, (..., H, W).

    data: a tensor, whose memory is shared, a Pillow image, an array or nested numbers.  dtype: any; device and requires_grad as for
    tensor().  Resized and turned by nearest neighbours.

    Raises what tensor() raises.
    Source: torchvision 0.29's tv_tensors.Mask.

        mask = tv_tensors.Mask(cltensor.zeros(32, 32, dtype=cltensor.uint8))
    """

    def __new__(cls, data: Any, *, dtype: DType | None = None, device: Device | str | int | None = None,
                requires_grad: bool | None = None) -> Mask:
        return cls._wrapped(cls._to_tensor(from_any(data), dtype, device, requires_grad))
