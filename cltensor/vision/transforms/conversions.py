"""Pictures to tensors and back, and what is done to values without regard to pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...base.dtypes import dtype as DType
from ...base.errors import ArgumentError, ArgumentTypeError, ShapeError
from ...nn import Module
from ...tensor import Tensor
from . import draws, parameters
from . import functional as F
from .setup_arguments import check_erasing


class _Plain:
    """A transform without arguments."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToTensor(_Plain):
    """A Pillow image or an array (H, W, C) as a tensor (C, H, W): uint8 becomes floats in [0, 1], other dtypes stay.

    Raises what functional.to_tensor raises.  Source: torchvision 0.29's transforms.ToTensor.

        image = transforms.ToTensor()(picture)
    """

    def __call__(self, pic: Any) -> Tensor:
        return F.to_tensor(pic)


class PILToTensor(_Plain):
    """A Pillow image as a tensor (C, H, W) of its own dtype, bytes as uint8.

    Raises ArgumentTypeError for anything else.  Source: torchvision 0.29's transforms.PILToTensor.

        bytes = transforms.PILToTensor()(picture)
    """

    def __call__(self, pic: Any) -> Tensor:
        return F.pil_to_tensor(pic)


class ToPILImage:
    """A tensor (C, H, W) or an array (H, W, C) as a Pillow image; floats in [0, 1] become bytes.

    mode: how Pillow is to understand the channels, by default from their number and the dtype.

    Raises what functional.to_pil_image raises.  Source: torchvision 0.29's transforms.ToPILImage.

        picture = transforms.ToPILImage()(cltensor.rand(3, 32, 32))
    """

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        return F.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.mode is None else f'mode={self.mode}'})"


class ConvertImageDtype(Module):
    """A tensor (..., C, H, W) in another dtype, black as black and white as white.

    Raises what functional.convert_image_dtype raises.  Source: torchvision 0.29's transforms.ConvertImageDtype.

        floats = transforms.ConvertImageDtype(cltensor.float32)(bytes)
    """

    def __init__(self, dtype: DType) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        """image in the dtype."""
        return F.convert_image_dtype(image, self.dtype)


class Normalize(Module):
    """(tensor - mean) / std, channel by channel, of a tensor (..., C, H, W) of a floating dtype.

    Raises what functional.normalize raises.  Source: torchvision 0.29's transforms.Normalize.

        standardised = transforms.Normalize([0.5, 0.5, 0.5], [0.2, 0.2, 0.2])(image)
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean, self.std, self.inplace = mean, std, inplace

    def forward(self, tensor: Tensor) -> Tensor:
        """tensor, standardised."""
        return F.normalize(tensor, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"


class LinearTransformation(Module):
    """(x - mean_vector) @ transformation_matrix of pictures (..., C, H, W) taken as rows of D = C H W floats: whitening.

    transformation_matrix (D, D), mean_vector (D,): tensors.

    Raises ShapeError (a ValueError) for sizes that do not fit, ArgumentError for tensors of two devices or dtypes.
    Source: torchvision 0.29's transforms.LinearTransformation.

        whitened = transforms.LinearTransformation(cltensor.eye(12), cltensor.zeros(12))(cltensor.rand(3, 2, 2))
    """

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        super().__init__()
        check_whitening(transformation_matrix, mean_vector)
        self.transformation_matrix, self.mean_vector = transformation_matrix, mean_vector

    def forward(self, tensor: Tensor) -> Tensor:
        """tensor, transformed."""
        return whitened(tensor, self.transformation_matrix, self.mean_vector)

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(transformation_matrix={self.transformation_matrix.tolist()}, "
                f"mean_vector={self.mean_vector.tolist()})")


class _Fit(ShapeError, ValueError):
    """Sizes that do not fit each other."""


def check_whitening(matrix: Tensor, mean: Tensor) -> None:
    """Raise ShapeError, ArgumentError for what is no whitening."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise _Fit(f"transformation_matrix should be square. Got {tuple(matrix.shape)} rectangular matrix.")
    if mean.shape[0] != matrix.shape[0]:
        raise _Fit(f"mean_vector should have the same length {mean.shape[0]} as any one of the dimensions of the "
                   f"transformation_matrix {tuple(matrix.shape)}")
    if matrix.device != mean.device:
        raise ArgumentError(f"Input tensors should be on the same device. Got {matrix.device} and {mean.device}")
    if matrix.dtype is not mean.dtype:
        raise ArgumentError(f"Input tensors should have the same dtype. Got {matrix.dtype} and {mean.dtype}")


def whitened(tensor: Tensor, matrix: Tensor, mean: Tensor) -> Tensor:
    """(tensor - mean) @ matrix.  Raises ShapeError."""
    size = tensor.shape[-3] * tensor.shape[-2] * tensor.shape[-1]
    if size != matrix.shape[0]:
        raise _Fit("Input tensor and transformation matrix have incompatible shape: "
                   f"[{tensor.shape[-3]} x {tensor.shape[-2]} x {tensor.shape[-1]}] != {matrix.shape[0]}")
    return ((tensor.reshape(-1, size) - mean) @ matrix).reshape(tensor.shape)


class RandomErasing(Module):
    """With probability p, put something into a random rectangle of a tensor (..., C, H, W) of any size and dtype.

    scale: the range of its share of the area; ratio: of its aspect ratio; value: a number, one for each channel, or "random" for
    normal noise.

    Raises ArgumentError, ArgumentTypeError for arguments that make no sense, and for a value of another number of channels.
    Source: Zhong et al. 2017; torchvision 0.29's transforms.RandomErasing.

        holed = transforms.RandomErasing(p=1)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, p: float = 0.5, scale: Sequence[float] = (0.02, 0.33), ratio: Sequence[float] = (0.3, 3.3), value: Any = 0,
                 inplace: bool = False) -> None:
        super().__init__()
        check_erasing(p, scale, ratio, value)
        self.p, self.scale, self.ratio, self.value, self.inplace = p, scale, ratio, value, inplace

    @staticmethod
    def get_params(img: Tensor, scale: Sequence[float], ratio: Sequence[float],
                   value: Sequence[float] | None = None) -> tuple[int, int, int, int, Tensor]:
        """(top, left, height, width, what to put there)."""
        found = parameters.erasing(*img.shape[-3:], scale, ratio, value)
        return found or (0, 0, *img.shape[-2:], img)

    def forward(self, img: Tensor) -> Tensor:
        """img, with a hole or without."""
        if draws.unit() >= self.p:
            return img
        if not isinstance(img, Tensor):
            raise ArgumentTypeError(f"RandomErasing: img should be Tensor Image. Got {type(img)}")
        value = None if isinstance(self.value, str) else list(self.value) if isinstance(self.value, (tuple, list)) else [self.value]
        if value is not None and len(value) not in (1, img.shape[-3]):
            raise ArgumentError("If value is a sequence, it should have either a single value or "
                                f"{img.shape[-3]} (number of input channels), got {value}")
        return F.erase(img, *self.get_params(img, self.scale, self.ratio, value), self.inplace)

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value}, "
                f"inplace={self.inplace})")
