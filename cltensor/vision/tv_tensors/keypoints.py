"""KeyPoints: points in a picture, single or in groups such as polygons."""

from __future__ import annotations

from typing import Any

from ...base.dtypes import dtype as DType
from ...base.errors import MismatchError
from ...runtime.device import device as Device
from .base import TVTensor


class KeyPoints(TVTensor):
    """Points (..., 2), each (x, y); one point (2,) becomes (1, 2).

    data: a tensor, whose memory is shared, an array or nested numbers.  dtype: any; canvas_size: (height, width) of the picture.

    Raises ShapeError (a ValueError) where the last dimension is not 2.
    Source: torchvision 0.29's tv_tensors.KeyPoints.

        points = tv_tensors.KeyPoints([[2.0, 3.0], [20.0, 30.0]], canvas_size=(32, 32))
    """

    canvas_size: tuple[int, int]

    def __new__(cls, data: Any, *, canvas_size: tuple[int, int], dtype: DType | None = None,
                device: Device | str | int | None = None, requires_grad: bool | None = None) -> KeyPoints:
        tensor = cls._to_tensor(data, dtype, device, requires_grad)
        if tensor.ndim == 0 or tensor.shape[-1] != 2:
            raise MismatchError(f"KeyPoints: Expected a tensor of shape (..., 2), not {tuple(tensor.shape)}")
        return cls._wrapped(tensor.unsqueeze(0) if tensor.ndim == 1 else tensor, None, canvas_size=canvas_size)

    def _describe(self, like, facts):
        self.canvas_size = (facts or {"canvas_size": like.canvas_size})["canvas_size"]

    def __repr__(self) -> str:
        return self._shown(canvas_size=self.canvas_size)
