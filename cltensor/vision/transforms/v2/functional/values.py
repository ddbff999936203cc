"""dtypes, normalisation, erasing, frames and JPEG; what pictures are made of and how large they are."""

from __future__ import annotations

import warnings
from typing import Any

from .....base import dtypes
from .....base.dtypes import dtype as DType
from .....base.errors import ArgumentTypeError
from .....tensor import Tensor
from ....tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, Video
from ...kernels import conversion, pillow_pixels, values
from ...kernels.ranges import to_dtype_image
from ...kernels.values import erase_image, jpeg_image, normalize_image, uniform_temporal_subsample_video
from .color import rgb_to_grayscale
from .dispatch import KERNELS, PillowImage, functional, of_kind

to_dtype_video = of_kind(to_dtype_image, "to_dtype_video", "video")


def _cast(inpt: Tensor, dtype: DType = dtypes.float32, scale: bool = False) -> Tensor:
    """Masks, boxes and points in another dtype: their values are never scaled."""
    return inpt.to(dtype)


to_dtype = functional(
    "to_dtype", to_dtype_image, "Convert to a dtype; with scale, black stays black and white white (masks and boxes never scale).",
    "image, cltensor.float32, scale=True", video=to_dtype_video, mask=_cast, boxes=_cast, keypoints=_cast)

normalize_video = of_kind(normalize_image, "normalize_video", "video")
normalize = functional(
    "normalize", normalize_image, "(pixel - mean) / std, channel by channel, of floats.",
    "image, [0.5, 0.5, 0.5], [0.2, 0.2, 0.2]", video=normalize_video)

erase_video = of_kind(erase_image, "erase_video", "video")
erase = functional(
    "erase", erase_image, "Put v, which broadcasts, into the rectangle of height h and width w at row i and column j.",
    "image, 2, 3, 8, 8, cltensor.zeros(1)", pillow=pillow_pixels.erase, video=erase_video)

jpeg_video = of_kind(jpeg_image, "jpeg_video", "video")
jpeg = functional(
    "jpeg", jpeg_image, "What is left of bytes after JPEG has stored them at a quality from 1 to 100.",
    "(255 * image).to(cltensor.uint8), 50", pillow=values.jpeg_pillow, video=jpeg_video, first="image")

uniform_temporal_subsample = functional(
    "uniform_temporal_subsample", uniform_temporal_subsample_video,
    "num_samples frames (..., T, C, H, W) at even distances, the first and the last among them.", "video, 4",
    video=uniform_temporal_subsample_video)
del KERNELS[uniform_temporal_subsample][Image]


def to_image(inpt: Any) -> Image:
    """A Pillow image or an array (H, W) or (H, W, C) as an Image (C, H, W) of its dtype; a tensor (..., C, H, W) shares its memory.

    Raises ArgumentTypeError for anything else.
    Source: torchvision 0.29's transforms.v2.functional.to_image.

        image = functional.to_image(numpy.zeros((32, 32, 3), numpy.uint8))
    """
    return Image(conversion.to_image_tensor(inpt))


def to_tensor(inpt: Any) -> Tensor:
    """A Pillow image or an array (H, W, C) as floats (C, H, W) in [0, 1]; better: to_image, then to_dtype.

    Raises ArgumentTypeError for anything else.  Warns that it is deprecated.
    Source: torchvision 0.29's transforms.v2.functional.to_tensor.

        image = functional.to_tensor(picture)
    """
    warnings.warn("The function `to_tensor(...)` is deprecated: use `to_image(...)`, then "
                  "`to_dtype(..., dtype=cltensor.float32, scale=True)`", stacklevel=2)
    return conversion.to_tensor(inpt)


def convert_image_dtype(image: Tensor, dtype: DType = dtypes.float32) -> Tensor:
    """to_dtype(image, dtype, scale=True): pictures (..., C, H, W) in another dtype, black as black and white as white.

    Raises what to_dtype raises.  Source: torchvision 0.29's transforms.v2.functional.convert_image_dtype.

        floats = functional.convert_image_dtype(bytes)
    """
    return to_dtype(image, dtype=dtype, scale=True)


def to_grayscale(inpt: Any, num_output_channels: int = 1) -> Any:
    """rgb_to_grayscale, also of pictures (..., C, H, W) of any dtype that are grey already.

    Raises what rgb_to_grayscale raises.  Source: torchvision 0.29's transforms.v2.functional.to_grayscale.

        grey = functional.to_grayscale(image)
    """
    return rgb_to_grayscale(inpt, num_output_channels=num_output_channels)


# --- sizes -------------------------------------------------------------------------------------------------------------


def get_dimensions_image(image: Tensor) -> list[int]:
    """[channels, height, width]."""
    return [image.shape[-3] if image.ndim > 2 else 1, *get_size_image(image)]


def get_size_image(image: Tensor) -> list[int]:
    """[height, width].  Raises ArgumentTypeError for fewer than two dimensions."""
    if image.ndim < 2:
        raise ArgumentTypeError(f"Input tensor should have at least two dimensions, but got {image.ndim}")
    return list(image.shape[-2:])


def get_num_channels_image(image: Tensor) -> int:
    """The number of channels."""
    return get_dimensions_image(image)[0]


def get_size_bounding_boxes(bounding_box: BoundingBoxes) -> list[int]:
    """[height, width] of the canvas."""
    return list(bounding_box.canvas_size)


def get_size_keypoints(keypoints: KeyPoints) -> list[int]:
    """[height, width] of the canvas."""
    return list(keypoints.canvas_size)


def get_num_frames_video(video: Tensor) -> int:
    """The number of frames."""
    return video.shape[-4]


get_dimensions_video = of_kind(get_dimensions_image, "get_dimensions_video", "video")
get_size_video, get_size_mask = (of_kind(get_size_image, f"get_size_{kind}", kind) for kind in ("video", "mask"))
get_num_channels_video = of_kind(get_num_channels_image, "get_num_channels_video", "video")


def _asked(name, summary, image, **kernels):
    """A functional whose result is a number or a list of numbers."""
    made = functional(name, image, summary, "image")
    KERNELS[made].update({Image: image, **{cls: kernel for cls, kernel in kernels["of"].items() if kernel}})
    return made


def _pillow_size(image):
    return [image.height, image.width]


get_dimensions = _asked("get_dimensions", "[channels, height, width].", get_dimensions_image,
                        of={Video: get_dimensions_image, PillowImage: lambda x: [pillow_pixels.channels(x), x.height, x.width]})
get_num_channels = _asked("get_num_channels", "The number of channels.", get_num_channels_image,
                          of={Video: get_num_channels_image, PillowImage: pillow_pixels.channels})
get_size = _asked("get_size", "[height, width]; of boxes and keypoints, their canvas's.", get_size_image,
                  of={Video: get_size_image, Mask: get_size_image, PillowImage: _pillow_size,
                      BoundingBoxes: get_size_bounding_boxes, KeyPoints: get_size_keypoints})
get_num_frames = _asked("get_num_frames", "The number of frames of a video (..., T, C, H, W).", get_num_frames_video,
                        of={Video: get_num_frames_video})
del KERNELS[get_num_frames][Image]
get_image_num_channels = get_num_channels


def get_image_size(inpt: Any) -> list[int]:
    """[width, height] of a picture (..., C, H, W) of any dtype; better: get_size, which is [height, width].

    Raises ArgumentTypeError for what has no size.  Warns that it is deprecated.
    Source: torchvision 0.29's transforms.v2.functional.get_image_size.

        width, height = functional.get_image_size(image)
    """
    warnings.warn("The function `get_image_size(...)` is deprecated: use `get_size(...)`, which returns [height, width]",
                  stacklevel=2)
    return get_size(inpt)[::-1]

