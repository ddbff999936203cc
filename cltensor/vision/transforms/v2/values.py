"""Kinds of data and their dtypes: conversions, normalisation, erasing, frames."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....base import dtypes
from ....base.dtypes import dtype as DType
from ....base.errors import ArgumentError, ArgumentTypeError
from ....tensor import Tensor
from ... import pillow
from ...tv_tensors import Image, TVTensor, Video
from ...tv_tensors.base import plain
from .. import conversions, parameters
from ..setup_arguments import check_erasing
from . import functional as F
from .functional import is_pure_tensor
from .samples import has_any, query_chw
from .transform import RandomApplyTransform, Transform


class Identity(Transform):
    """The sample as it is, of any shape and dtype.

    Never raises.  Source: torchvision 0.29's transforms.v2.Identity.

        same = v2.Identity()(image)
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf as it is."""
        return inpt


class Lambda(Transform):
    """Any function as a transform, of the leaves of a sample that are of some types; of any shape and dtype.

    Raises ArgumentTypeError for what cannot be called.  Source: torchvision 0.29's transforms.v2.Lambda.

        double = v2.Lambda(lambda image: 2 * image, tv_tensors.Image)
    """

    _transformed_types = (object,)

    def __init__(self, lambd: Callable[[Any], Any], *types: type) -> None:
        super().__init__()
        if not callable(lambd):
            raise ArgumentTypeError(f"Argument lambd should be callable, got {type(lambd)}")
        self.lambd, self.types = lambd, types or self._transformed_types

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf after the function."""
        return self.lambd(inpt) if isinstance(inpt, self.types) else inpt

    def extra_repr(self) -> str:
        """The function and the types."""
        name = getattr(self.lambd, "__name__", "")
        return f"{name}, types={[t.__name__ for t in self.types]}" if name else f"types={[t.__name__ for t in self.types]}"


class PILToTensor(Transform):
    """Pillow images as tensors (C, H, W) of their own dtype, bytes as uint8; the rest stays.

    Never raises.  Source: torchvision 0.29's transforms.v2.PILToTensor.

        bytes = v2.PILToTensor()(picture)
    """

    _transformed_types = (pillow.is_pillow,)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Tensor:
        """One picture as a tensor."""
        return F.pil_to_tensor(inpt)


class ToImage(Transform):
    """Pillow images, arrays (H, W) or (H, W, C) and plain tensors (..., C, H, W) as Images, of their dtype; the rest stays.

    Never raises.  Source: torchvision 0.29's transforms.v2.ToImage.

        image = v2.ToImage()(picture)
    """

    _transformed_types = (is_pure_tensor, pillow.is_pillow, np.ndarray)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Image:
        """One picture as an Image."""
        return F.to_image(inpt)


class ToTensor(Transform):
    """Pillow images and arrays (H, W, C) as floats (C, H, W) in [0, 1]; better: ToImage, then ToDtype with scale.

    Warns that it is deprecated; raises what functional.to_tensor raises.  Source: torchvision 0.29's transforms.v2.ToTensor.

        image = v2.ToTensor()(picture)
    """

    _transformed_types = (pillow.is_pillow, np.ndarray)

    def __init__(self) -> None:
        warnings.warn("The transform `ToTensor()` is deprecated: use `v2.Compose([v2.ToImage(), v2.ToDtype(cltensor.float32, "
                      "scale=True)])`", stacklevel=2)
        super().__init__()

    def transform(self, inpt: Any, params: dict[str, Any]) -> Tensor:
        """One picture as a tensor."""
        return conversions.F.to_tensor(inpt)


class ToPILImage(Transform):
    """Pictures (C, H, W) or arrays (H, W, C) as Pillow images; floats in [0, 1] become bytes.

    mode: how Pillow is to understand the channels, by default from their number and the dtype.

    Raises what functional.to_pil_image raises.  Source: torchvision 0.29's transforms.v2.ToPILImage.

        picture = v2.ToPILImage()(image)
    """

    _transformed_types = (is_pure_tensor, Image, np.ndarray)

    def __init__(self, mode: str | None = None) -> None:
        super().__init__()
        self.mode = mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One picture as a Pillow image."""
        return F.to_pil_image(inpt, mode=self.mode)


class ToPureTensor(Transform):
    """TVTensors of any shape and dtype as plain tensors over the same memory; the rest stays.

    Never raises.  Source: torchvision 0.29's transforms.v2.ToPureTensor.

        tensor = v2.ToPureTensor()(image)
    """

    _transformed_types = (TVTensor,)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Tensor:
        """One TVTensor as a tensor."""
        return plain(inpt)


class ToDtype(Transform):
    """Convert to a dtype: pictures and videos to the one given, or each class (or "others") to its own in a dict, None for none.

    scale: black stays black and white white; shapes stay.

    Raises ArgumentError for a dict that says nothing of a class found.  Source: torchvision 0.29's transforms.v2.ToDtype.

        floats = v2.ToDtype(cltensor.float32, scale=True)(image)
    """

    _transformed_types = (Tensor,)

    def __init__(self, dtype: DType | dict[type | str, DType | None], scale: bool = False) -> None:
        super().__init__()
        if not isinstance(dtype, (dict, dtypes.dtype)):
            raise ArgumentError(f"dtype must be a dict or a dtype, got {type(dtype)} instead")
        if isinstance(dtype, dict) and Tensor in dtype and any(cls in dtype for cls in (Image, Video)):
            warnings.warn("Got `dtype` values for `Tensor` and either `Image` or `Video`. Note that a plain `Tensor` will *not* be "
                          "transformed by this (or any other transformation) in case an `Image` or `Video` is present in the "
                          "input.", stacklevel=2)
        self.dtype, self.scale = dtype, scale

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf in its dtype."""
        dtype = self._of(inpt)
        return inpt if dtype is None else self._call_kernel(F.to_dtype, inpt, dtype=dtype, scale=self.scale)

    def _of(self, inpt):
        """The dtype that a leaf is to have, None for the one it has."""
        if not isinstance(self.dtype, dict):
            return self.dtype if is_pure_tensor(inpt) or isinstance(inpt, (Image, Video)) else None
        if type(inpt) in self.dtype:
            return self.dtype[type(inpt)]
        if "others" in self.dtype:
            return self.dtype["others"]
        raise ArgumentError(f"No dtype was specified for type {type(inpt)}. If you only need to convert the dtype of images or "
                            "videos, you can just pass e.g. dtype=cltensor.float32. If you're passing a dict as dtype, you can use "
                            "\"others\" as a catch-all key, e.g. dtype={tv_tensors.Mask: cltensor.int64, \"others\": None} to "
                            "pass-through the rest of the inputs.")


class ConvertImageDtype(Transform):
    """Pictures (..., C, H, W) in another dtype, black as black and white as white; better: ToDtype with scale.

    Raises what functional.to_dtype raises.  Source: torchvision 0.29's transforms.v2.ConvertImageDtype.

        floats = v2.ConvertImageDtype(cltensor.float32)(image)
    """

    def __init__(self, dtype: DType = dtypes.float32) -> None:
        super().__init__()
        self.dtype = dtype

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf in the dtype."""
        if not (is_pure_tensor(inpt) or isinstance(inpt, (Image, Video))):
            return inpt
        return self._call_kernel(F.to_dtype, inpt, dtype=self.dtype, scale=True)


class _OfTensors(Transform):
    """A transform that takes no Pillow images."""

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise ArgumentTypeError for Pillow images."""
        if has_any(flat_inputs, pillow.is_pillow):
            raise ArgumentTypeError(f"{type(self).__name__}() does not support PIL images.")


class Normalize(_OfTensors):
    """(pixel - mean) / std, channel by channel, of pictures and videos (..., C, H, W) of a floating dtype.

    Raises ArgumentTypeError for Pillow images and integers, ArgumentError for a std of 0.
    Source: torchvision 0.29's transforms.v2.Normalize.

        standardised = v2.Normalize([0.5, 0.5, 0.5], [0.2, 0.2, 0.2])(image)
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean, self.std, self.inplace = list(mean), list(std), inplace

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, standardised."""
        return self._call_kernel(F.normalize, inpt, mean=self.mean, std=self.std, inplace=self.inplace)


class LinearTransformation(_OfTensors):
    """(x - mean_vector) @ transformation_matrix of pictures (..., C, H, W) taken as rows of D = C H W floats: whitening.

    transformation_matrix (D, D), mean_vector (D,): tensors.

    Raises ShapeError (a ValueError) for sizes that do not fit, ArgumentTypeError for Pillow images.
    Source: torchvision 0.29's transforms.v2.LinearTransformation.

        whitened = v2.LinearTransformation(cltensor.eye(12), cltensor.zeros(12))(cltensor.rand(3, 2, 2))
    """

    _transformed_types = (is_pure_tensor, Image, Video)

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        super().__init__()
        conversions.check_whitening(transformation_matrix, mean_vector)
        self.transformation_matrix, self.mean_vector = transformation_matrix, mean_vector

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, transformed."""
        done = conversions.whitened(plain(inpt), self.transformation_matrix, self.mean_vector)
        return type(inpt)._wrapped(done, inpt) if isinstance(inpt, TVTensor) else done


class RandomErasing(RandomApplyTransform):
    """With probability p, put something into a random rectangle of pictures of any size and dtype.

    scale: the range of its share of the area; ratio: of its aspect ratio; value: a number, one for each channel, or "random" for
    normal noise.

    Raises ArgumentError, ArgumentTypeError for arguments that make no sense, and for a value of another number of channels.
    Source: Zhong et al. 2017; torchvision 0.29's transforms.v2.RandomErasing.

        holed = v2.RandomErasing(p=1)(cltensor.rand(3, 32, 32))
    """

    get_params = staticmethod(conversions.RandomErasing.get_params)

    def __init__(self, p: float = 0.5, scale: Sequence[float] = (0.02, 0.33), ratio: Sequence[float] = (0.3, 3.3),
                 value: Any = 0.0, inplace: bool = False) -> None:
        super().__init__(p=p)
        check_erasing(p, scale, ratio, value)
        self.scale, self.ratio, self.inplace = scale, ratio, inplace
        self.value = None if isinstance(value, str) else [float(v) for v in value] if isinstance(value, (tuple, list)) else [
            float(value)]

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The rectangle and what goes into it, or nothing."""
        channels, height, width = query_chw(flat_inputs)
        if self.value is not None and len(self.value) not in (1, channels):
            raise ArgumentError("If value is a sequence, it should have either a single value or "
                                f"{channels} (number of inpt channels), got {self.value}")
        found = parameters.erasing(channels, height, width, self.scale, self.ratio, self.value)
        return {} if found is None else dict(zip("ijhwv", found, strict=True))

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf with a hole."""
        return self._call_kernel(F.erase, inpt, **params, inplace=self.inplace) if params else inpt


class UniformTemporalSubsample(Transform):
    """num_samples frames of videos (..., T, C, H, W) of any size and dtype, at even distances, the first and the last among them.

    Never raises.  Source: torchvision 0.29's transforms.v2.UniformTemporalSubsample.

        video = v2.UniformTemporalSubsample(4)(tv_tensors.Video(cltensor.rand(8, 3, 16, 16)))
    """

    _transformed_types = (is_pure_tensor, Video)

    def __init__(self, num_samples: int) -> None:
        super().__init__()
        self.num_samples = num_samples

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Some frames of one video."""
        return self._call_kernel(F.uniform_temporal_subsample, inpt, self.num_samples)
