"""What is done to values without regard to colour: normalisation, erasing, frames, JPEG."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....autograd.modes import inference_mode
from ....base import dtypes
from ....base.errors import ArgumentError, ArgumentTypeError, CLTensorError, ShapeError
from ....dispatch.host_plan import shown
from ....tensor import Tensor
from ....tensor.api.creation import from_array, from_values
from ... import pillow
from .conversion import tensor_of


def normalize_image(image: Tensor, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Tensor:
    """(image - mean) / std, channel by channel.

    Raises ArgumentTypeError for integers, ArgumentError for a std of 0, ShapeError for other numbers of channels.
    """
    if not image.is_floating_point():
        raise ArgumentTypeError(f"Input tensor should be a float tensor. Got {image.dtype}.")
    if image.ndim < 3:
        raise ArgumentError(f"Expected tensor to be a tensor image of size (..., C, H, W). Got {tuple(image.shape)}.")
    scale = np.asarray(std.tolist() if isinstance(std, Tensor) else std, np.float64)
    if not np.all(scale.astype(np.float32) if image.dtype is not dtypes.float64 else scale):
        raise ArgumentError("std evaluated to zero, leading to division by zero.")
    if image.shape[-3] != 1:
        check_counts(image, mean, std)
    if image.device.host and not inplace and image.dtype in (dtypes.float32, dtypes.float64) and not image.requires_grad:
        return _normalized_on_host(image, mean, std)
    shift, scale = _channels(mean, image), _channels(std, image)
    if inplace:
        return image.sub_(shift).div_(scale)
    return (image - shift) / scale


def check_counts(image: Tensor, mean: Any, std: Any) -> None:
    """Raise ShapeError unless mean and std have one value, or one for each channel of image."""
    for name, values in (("mean", mean), ("std", std)):
        count = values.numel() if isinstance(values, Tensor) else np.size(values)
        if count not in (1, image.shape[-3]):
            raise ShapeError(f"normalize: {name} has {count} values, and the picture {image.shape[-3]} channels "
                             f"(shape {tuple(image.shape)}); give one value, or one for each channel")


def _normalized_on_host(image, mean, std):
    """The same numbers in a worker, without a plan and a result for each of the two ops."""
    lists = [v.tolist() if isinstance(v, Tensor) else v for v in (mean, std)]
    shift, scale = (np.asarray(v, image.dtype.numpy).reshape(-1, 1, 1) for v in lists)
    made = np.subtract(shown(image._storage.buffer, image._spec, image._offset), shift)
    return tensor_of(np.divide(made, scale, out=made))


def _channels(values, like):
    """Numbers as a tensor (C, 1, 1) in like's dtype, on its device."""
    if isinstance(values, Tensor):
        return values.to(like.device, like.dtype).reshape(-1, 1, 1)
    return _kept(tuple(np.asarray(values, np.float64).reshape(-1).tolist()), like.dtype, like.device)


@functools.lru_cache(maxsize=64)
def _kept(values, dtype, device):
    """The same numbers come with every picture: upload them once."""
    with inference_mode(False):
        return from_values(np.asarray(values).reshape(-1, 1, 1), dtype, device)


def erase_image(image: Tensor, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False) -> Tensor:
    """Put v, which broadcasts, into the rectangle of height h and width w at row i and column j."""
    image = image if inplace else image.clone()
    image[..., i:i + h, j:j + w] = v
    return image


def uniform_temporal_subsample_video(video: Tensor, num_samples: int) -> Tensor:
    """num_samples frames (..., T, C, H, W) at even distances, the first and the last among them."""
    places = np.linspace(0, video.shape[-4] - 1, num_samples, dtype=np.float32).astype(np.int64)
    return video.index_select(-4, from_array(places, dtypes.int64, video.device))


def check_quality(quality: int) -> int:
    """quality.  Raises ArgumentError outside [1, 100]."""
    if not 1 <= quality <= 100:
        raise ArgumentError(f"Image quality should be a positive number between 1 and 100, got {quality}")
    return quality


def jpeg_pillow(image: Any, quality: int) -> Any:
    """A Pillow image as JPEG stores it."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=check_quality(quality))
    file.seek(0)
    made = pillow.module().open(file)
    made.load()
    return made


def jpeg_image(image: Tensor, quality: int) -> Tensor:
    """Pictures (..., C, H, W) of bytes, C = 1 or 3, as JPEG stores them; Pillow does it on the host."""
    check_quality(quality)
    if image.dtype is not dtypes.uint8:
        raise CLTensorError(f"jpeg: Input tensor dtype should be uint8, got {image.dtype}")
    if image.ndim < 3 or image.shape[-3] not in (1, 3):
        raise CLTensorError(f"jpeg: The number of channels should be 1 or 3, got a tensor of shape {tuple(image.shape)}")
    a = image.detach().numpy().reshape(-1, *image.shape[-3:])
    done = [pillow.pixels(jpeg_pillow(_pillow(picture), quality)) for picture in a]
    return from_array(np.stack(done) if len(done) else a, dtypes.uint8, image.device).reshape(image.shape)


def _pillow(a):
    """An array (C, H, W) of bytes as a Pillow image."""
    return pillow.module().fromarray(np.ascontiguousarray(a.transpose(1, 2, 0) if len(a) > 1 else a[0]))

