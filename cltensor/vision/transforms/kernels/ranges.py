"""The range of pixels: 0 to 1 for floats, 0 to the largest number for integers; conversion between dtypes."""

from __future__ import annotations

from ....base import dtypes
from ....base.dtypes import dtype as DType
from ....base.errors import CLTensorError
from ....tensor import Tensor

_LARGE = {dtypes.float32: (dtypes.int32, dtypes.int64), dtypes.float64: (dtypes.int64,)}


def limit(dtype: DType) -> int:
    """The largest value of a pixel."""
    return 1 if dtype.is_floating_point or dtype is dtypes.bool_ else dtypes.iinfo(dtype).max


def bits(dtype: DType) -> int:
    """How many bits a pixel of an integer dtype has, its sign left out."""
    return limit(dtype).bit_length()


def to_dtype_image(image: Tensor, dtype: DType = dtypes.float32, scale: bool = False) -> Tensor:
    """image in another dtype; with scale, black stays black and white white."""
    if image.dtype is dtype:
        return image
    if not scale:
        return image.to(dtype)
    was_float = image.dtype.is_floating_point
    if was_float and dtype.is_floating_point:
        return image.to(dtype)
    if was_float:
        if dtype in _LARGE.get(image.dtype, ()):
            raise CLTensorError(f"The conversion from {image.dtype} to {dtype} cannot be performed safely.")
        return (image * (limit(dtype) + 1 - 1e-3)).to(dtype)
    if dtype.is_floating_point:
        return image.to(dtype) * (1.0 / limit(image.dtype))
    difference = bits(image.dtype) - bits(dtype)
    if difference > 0:
        return (image >> difference).to(dtype)
    return image.to(dtype) << -difference


def back(result: Tensor, dtype: DType) -> Tensor:
    """Computed pixels limited to the range of dtype, and cut to it."""
    return result.clamp(0, limit(dtype)).to(dtype)


def rounded(result: Tensor, dtype: DType) -> Tensor:
    """Computed pixels rounded to dtype."""
    return result.to(dtype) if dtype.is_floating_point else result.round().to(dtype)


def as_floats(image: Tensor) -> Tensor:
    """image in a floating dtype, its values unchanged."""
    return image if image.is_floating_point() else image.to(dtypes.float32)
