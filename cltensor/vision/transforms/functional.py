"""transforms.functional: what transforms do, with the parameters given; on Pillow images and on tensors (..., C, H, W)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ...base import dtypes
from ...base.dtypes import dtype as DType
from ...base.errors import ArgumentError, ArgumentTypeError
from ...tensor import Tensor
from .. import pillow
from .derived import named, taking
from .interpolation import InterpolationMode, as_mode
from .kernels import conversion, filters, image_color, image_geometry, pillow_color, pillow_geometry, pillow_pixels, values, warps
from .kernels.ranges import to_dtype_image

__all__ = [
    "InterpolationMode", "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue", "adjust_saturation",
    "adjust_sharpness", "affine", "autocontrast", "center_crop", "convert_image_dtype", "crop", "elastic_transform", "equalize",
    "erase", "five_crop", "gaussian_blur", "get_dimensions", "get_image_num_channels", "get_image_size", "hflip", "invert",
    "normalize", "pad", "perspective", "pil_to_tensor", "posterize", "resize", "resized_crop", "rgb_to_grayscale", "rotate",
    "solarize", "ten_crop", "to_grayscale", "to_pil_image", "to_tensor", "vflip",
]

_DOC = """{summary}

{first}: a Pillow image or a tensor (..., C, H, W), of any size, of bytes or floats in [0, 1]; the result is of the
same kind and dtype.

Raises ArgumentTypeError for anything else, ArgumentError for an argument that makes no sense.
Source: torchvision 0.29's transforms.functional.{name}.

    functional.{name}({example})
"""


def _pictures(name: str, kernel: Callable, pil: Callable, summary: str, example: str) -> Callable:
    """The public function `name`: kernel does it to tensors, pil to Pillow images."""
    of_pillow = taking(pil, name, tuple(inspect.signature(kernel).parameters)[1:])

    def call(img, *args, **kwargs):
        if isinstance(img, Tensor):
            return kernel(img, *args, **kwargs)
        return of_pillow(pillow.check_pillow(img), *args, **kwargs)

    return named(call, kernel, name, "img", __name__, _DOC.format(summary=summary, first="img", name=name, example=example))


def _of_tensors(name: str, img: Any) -> Tensor:
    """img, if it is a tensor.  Raises ArgumentTypeError."""
    if not isinstance(img, Tensor):
        raise ArgumentTypeError(f"{name}: img should be Tensor Image. Got {type(img)}")
    return img


# --- geometry ----------------------------------------------------------------------------------------------------------


def _resized(image: Tensor, size: int | Sequence[int], interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
             max_size: int | None = None, antialias: bool | None = True) -> Tensor:
    mode = as_mode(interpolation)
    if mode is InterpolationMode.LANCZOS:
        raise ArgumentError("resize: lanczos is for Pillow images; tensors take nearest, nearest-exact, bilinear and bicubic")
    return image_geometry.resized_image(image, size, mode, max_size, antialias, False)


def _resized_crop(image: Tensor, top: int, left: int, height: int, width: int, size: int | Sequence[int],
                  interpolation: InterpolationMode | int = InterpolationMode.BILINEAR, antialias: bool | None = True) -> Tensor:
    return _resized(image_geometry.crop_image(image, top, left, height, width), size, interpolation, None, antialias)


def _padded(image: Tensor, padding: int | Sequence[int], fill: float | Sequence[float] = 0,
            padding_mode: str = "constant") -> Tensor:
    return image_geometry.pad_image(image, padding, fill, padding_mode)


def _perspective(image: Tensor, startpoints: Sequence[Sequence[int]], endpoints: Sequence[Sequence[int]],
                 interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
                 fill: float | Sequence[float] | None = None) -> Tensor:
    return warps.perspective_image(image, startpoints, endpoints, interpolation, fill)


hflip = _pictures("hflip", image_geometry.horizontal_flip_image, pillow_geometry.hflip, "Mirror left and right.", "image")
vflip = _pictures("vflip", image_geometry.vertical_flip_image, pillow_geometry.vflip, "Mirror top and bottom.", "image")
crop = _pictures("crop", image_geometry.crop_image, pillow_geometry.crop,
                 "Cut out a rectangle (top, left, height, width); what lies outside of the picture is 0.", "image, 2, 3, 16, 16")
center_crop = _pictures("center_crop", image_geometry.center_crop_image, pillow_geometry.center_crop,
                        "Cut out the middle, padded with 0 where the picture is too small.", "image, [16, 16]")
resize = _pictures("resize", _resized, pillow_geometry.resize,
                   "Resize to [height, width] or to a shorter edge; smaller ones antialiased.", "image, [16, 16]")
resized_crop = _pictures("resized_crop", _resized_crop, pillow_geometry.resized_crop, "Cut out a rectangle and resize it.",
                         "image, 2, 3, 16, 16, [8, 8]")
pad = _pictures("pad", _padded, pillow_geometry.pad, "Add borders, of one colour or of what is near (padding_mode: constant, edge, "
                "reflect, symmetric); negative ones cut.", "image, [2, 3], fill=0")
affine = _pictures("affine", warps.affine_image, pillow_geometry.affine, "Turn by angle degrees (clockwise), move, scale and shear "
                   "about a centre, by default the middle.", "image, 10, [2, 0], 1.1, [0, 0]")
rotate = _pictures("rotate", warps.rotated_image, pillow_geometry.rotate, "Turn by angle degrees, counter-clockwise; expand grows "
                   "the canvas to hold all of it.", "image, 30, expand=True")
perspective = _pictures("perspective", _perspective, pillow_geometry.perspective, "Look at the picture from another point: the "
                        "four endpoints show what was at the startpoints.",
                        "image, [[0, 0], [31, 0], [31, 31], [0, 31]], [[2, 1], [30, 0], [31, 29], [1, 31]]")
elastic_transform = _pictures("elastic_transform", warps.elastic_image, pillow_pixels.elastic, "Read each pixel somewhere else: "
                              "displacement (1, H, W, 2) is added to its place in [-1, 1].",
                              "image, 0.1 * cltensor.randn(1, 32, 32, 2)")
five_crop = _pictures("five_crop", image_geometry.five_crop_image, pillow_geometry.five_crop,
                      "Cut out the four corners and the middle: a tuple of five.", "image, [16, 16]")
ten_crop = _pictures("ten_crop", image_geometry.ten_crop_image, pillow_geometry.ten_crop,
                     "five_crop of the picture and of its mirror image: a tuple of ten.", "image, [16, 16]")


# --- colours -----------------------------------------------------------------------------------------------------------


def _bytes_only(kernel: Callable) -> Callable:
    """kernel, for bytes alone, as torchvision's has it."""

    def call(image, *args, **kwargs):
        if image.dtype is not dtypes.uint8:
            raise ArgumentTypeError(f"Only uint8 image tensors are supported, but found {image.dtype}")
        return kernel(image, *args, **kwargs)

    return named(call, kernel, kernel.__name__, "image", __name__, kernel.__doc__)


adjust_brightness = _pictures("adjust_brightness", image_color.adjust_brightness_image, pillow_color.brightness,
                              "Blend with black: pixels times brightness_factor.", "image, 1.2")
adjust_contrast = _pictures("adjust_contrast", image_color.adjust_contrast_image, pillow_color.contrast,
                            "Blend with the mean grey of each picture.", "image, 1.2")
adjust_saturation = _pictures("adjust_saturation", image_color.adjust_saturation_image, pillow_color.saturation,
                              "Blend with the grey picture.", "image, 1.2")
adjust_hue = _pictures("adjust_hue", image_color.adjust_hue_image, pillow_color.hue,
                       "Turn the hue by hue_factor, a fraction of the circle in [-0.5, 0.5].", "image, 0.1")
adjust_gamma = _pictures("adjust_gamma", image_color.adjust_gamma_image, pillow_color.gamma,
                         "gain * pixel ** gamma, of pixels in [0, 1].", "image, 0.8")
adjust_sharpness = _pictures("adjust_sharpness", filters.adjust_sharpness_image, pillow_color.sharpness,
                             "Blend with the smoothed picture; the border of one pixel stays.", "image, 1.5")
invert = _pictures("invert", image_color.invert_image, pillow_color.invert, "The largest value minus each pixel.", "image")
posterize = _pictures("posterize", _bytes_only(image_color.posterize_image), pillow_color.posterize,
                      "Keep the upper bits of each pixel, of bytes.", "(255 * image).to(cltensor.uint8), 4")
solarize = _pictures("solarize", image_color.solarize_image, pillow_color.solarize, "Invert the pixels from a threshold on.",
                     "image, 0.5")
autocontrast = _pictures("autocontrast", image_color.autocontrast_image, pillow_color.autocontrast,
                         "Stretch each channel to the full range.", "image")
equalize = _pictures("equalize", _bytes_only(image_color.equalize_image), pillow_color.equalize,
                     "Spread each channel's histogram of 256 bins evenly, of bytes.", "(255 * image).to(cltensor.uint8)")
gaussian_blur = _pictures("gaussian_blur", filters.gaussian_blur_image, pillow_pixels.gaussian_blur, "Smooth with a Gaussian of "
                          "[width, height] and sigma; borders are reflected.  Rows and columns are smoothed in turn.",
                          "image, [5, 5], [1.5, 1.5]")
rgb_to_grayscale = _pictures("rgb_to_grayscale", image_color.rgb_to_grayscale_image, pillow_color.grayscale,
                             "Luma (ITU-R BT.601), in one channel or three equal ones.", "image, 3")


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """A Pillow image (H, W) of any mode as luma, in one band or in three equal ones, of uint8.

    Raises ArgumentTypeError for anything but a Pillow image, ArgumentError for another number of bands.
    Source: torchvision 0.29's transforms.functional.to_grayscale.

        grey = functional.to_grayscale(picture)
    """
    return pillow_color.grayscale(pillow.check_pillow(img), num_output_channels)


# --- values ------------------------------------------------------------------------------------------------------------


def normalize(tensor: Tensor, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Tensor:
    """(tensor - mean) / std, channel by channel, of a tensor (..., C, H, W) of a floating dtype.

    Raises ArgumentTypeError for integers and for anything but a tensor, ArgumentError for fewer than three dimensions and a
    std of 0.
    Source: torchvision 0.29's transforms.functional.normalize.

        standardised = functional.normalize(image, [0.5, 0.5, 0.5], [0.2, 0.2, 0.2])
    """
    image = _of_tensors("normalize", tensor)
    if image.ndim >= 3:
        values.check_counts(image, mean, std)
    return values.normalize_image(image, mean, std, inplace)


def erase(img: Tensor, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False) -> Tensor:
    """Put v, which broadcasts, into the rectangle of height h and width w at row i and column j of a tensor (..., C, H, W).

    Of any size and dtype.  Raises ArgumentTypeError for anything but a tensor.
    Source: torchvision 0.29's transforms.functional.erase.

        holed = functional.erase(image, 2, 3, 8, 8, cltensor.zeros(1))
    """
    return values.erase_image(_of_tensors("erase", img), i, j, h, w, v, inplace)


def convert_image_dtype(image: Tensor, dtype: DType = dtypes.float32) -> Tensor:
    """A tensor (..., C, H, W) in another dtype, black as black and white as white.

    Raises ArgumentTypeError for anything but a tensor, CLTensorError from floats to integers that they cannot tell apart.
    Source: torchvision 0.29's transforms.functional.convert_image_dtype.

        floats = functional.convert_image_dtype(bytes)
    """
    return to_dtype_image(_of_tensors("convert_image_dtype", image), dtype, scale=True)


def to_tensor(pic: Any) -> Tensor:
    """A Pillow image or an array (H, W, C) as a tensor (C, H, W): uint8 becomes floats in [0, 1], other dtypes stay.

    Raises ArgumentTypeError for anything else, ArgumentError for an array of another number of dimensions.
    Numerics: bytes are divided by 255 in the default dtype.
    Source: torchvision 0.29's transforms.functional.to_tensor.

        image = functional.to_tensor(picture)
    """
    return conversion.to_tensor(pic)


def pil_to_tensor(pic: Any) -> Tensor:
    """A Pillow image as a tensor (C, H, W) of its own dtype, bytes as uint8.

    Raises ArgumentTypeError for anything but a Pillow image.
    Source: torchvision 0.29's transforms.functional.pil_to_tensor.

        bytes = functional.pil_to_tensor(picture)
    """
    return conversion.pil_to_tensor(pic)


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A tensor (C, H, W) or (H, W), or an array (H, W, C) or (H, W), as a Pillow image; floats in [0, 1] become bytes.

    mode: how Pillow is to understand the channels, by default from their number and the dtype.

    Raises ArgumentTypeError for anything else, ArgumentError for a mode that does not fit, DTypeError for a dtype Pillow has not.
    Source: torchvision 0.29's transforms.functional.to_pil_image.

        picture = functional.to_pil_image(cltensor.rand(3, 32, 32))
    """
    return conversion.to_pil_image(pic, mode)


def get_dimensions(img: Any) -> list[int]:
    """[channels, height, width] of a Pillow image or a tensor (..., C, H, W) of any dtype.

    Raises ArgumentTypeError for anything else.  Source: torchvision 0.29's transforms.functional.get_dimensions.

        channels, height, width = functional.get_dimensions(image)
    """
    if isinstance(img, Tensor):
        if img.ndim < 2:
            raise ArgumentTypeError(f"Tensor is not a torch image: it has {img.ndim} dimensions, and needs two or more")
        return [img.shape[-3] if img.ndim > 2 else 1, *img.shape[-2:]]
    if not pillow.is_pillow(img):
        raise ArgumentTypeError(f"Unexpected type {type(img)}; expected a Pillow image or a tensor")
    return [pillow_pixels.channels(img), img.height, img.width]


def get_image_size(img: Any) -> list[int]:
    """[width, height] of a Pillow image or a tensor (..., C, H, W) of any dtype.

    Raises ArgumentTypeError for anything else.  Source: torchvision 0.29's transforms.functional.get_image_size.

        width, height = functional.get_image_size(image)
    """
    return get_dimensions(img)[:0:-1]


def get_image_num_channels(img: Any) -> int:
    """The number of channels of a Pillow image or a tensor (..., C, H, W) of any dtype.

    Raises ArgumentTypeError for anything else.  Source: torchvision 0.29's transforms.functional.get_image_num_channels.

        channels = functional.get_image_num_channels(image)
    """
    return get_dimensions(img)[0]


def __dir__():
    return sorted(__all__)
