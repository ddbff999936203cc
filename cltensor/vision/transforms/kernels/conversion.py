"""Pillow images and arrays to tensors and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....base import dtypes
from ....base.errors import ArgumentError, ArgumentTypeError, DTypeError
from ....dispatch.spec import dense
from ....dispatch.storage import Storage
from ....runtime.device import real_default
from ....runtime.host_buffers import HostBuffer
from ....tensor import Tensor
from ....tensor.api.creation import from_array
from ... import pillow


def tensor_of(array: np.ndarray) -> Tensor:
    """A tensor of the default device with the values of an array; a process without OpenCL keeps the array's memory."""
    array = np.ascontiguousarray(array)
    dtype = dtypes.as_dtype(array.dtype)
    device = real_default()
    if not device.host or not array.flags.writeable:
        return from_array(array, dtype, device)
    storage = Storage(device, array.nbytes)
    storage.buffer = HostBuffer(array.reshape(-1).view(np.uint8))
    return Tensor._make(storage, dense(array.shape, dtype, device))


def _planes(pic):
    """An array (H, W) or (H, W, C) as (C, H, W).  Raises ArgumentError for another number of dimensions."""
    if pic.ndim not in (2, 3):
        raise ArgumentError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
    return pic[None] if pic.ndim == 2 else pic.transpose(2, 0, 1)


def to_tensor(pic: Any) -> Tensor:
    """A Pillow image or an array (H, W, C) as (C, H, W): bytes become floats in [0, 1], other numbers stay."""
    if pillow.is_pillow(pic):
        a = pillow.pixels(pic)
        if pic.mode == "1":
            a = a.astype(np.uint8) * np.uint8(255)
        elif a.dtype == np.uint16:
            a = a.view(np.int16)
    elif isinstance(pic, np.ndarray):
        a = _planes(pic)
    else:
        raise ArgumentTypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    if a.dtype != np.uint8:
        return tensor_of(a.copy())
    dtype = dtypes.get_default_dtype()
    if dtype not in (dtypes.float32, dtypes.float64):
        return tensor_of(a.copy()).to(dtype).div(255)
    scaled = np.empty(a.shape, dtype.numpy)
    np.divide(a, dtype.numpy(255) if callable(dtype.numpy) else np.asarray(255, dtype.numpy), out=scaled)
    return tensor_of(scaled)


def pil_to_tensor(pic: Any) -> Tensor:
    """A Pillow image as (C, H, W), in its own type."""
    if not pillow.is_pillow(pic):
        raise ArgumentTypeError(f"pic should be PIL Image. Got {type(pic)}")
    return tensor_of(pillow.pixels(pic).copy())


def to_image_tensor(inpt: Any) -> Tensor:
    """A Pillow image, an array (H, W) or (H, W, C), or a tensor, as (C, H, W).  Raises ArgumentTypeError for anything else."""
    if isinstance(inpt, Tensor):
        return inpt
    if isinstance(inpt, np.ndarray):
        return tensor_of((inpt[None] if inpt.ndim == 2 else np.moveaxis(inpt, -1, -3)).copy())
    if pillow.is_pillow(inpt):
        return pil_to_tensor(inpt)
    raise ArgumentTypeError("Input can either be a pure Tensor, a numpy array, or a PIL image, "
                            f"but got {type(inpt)} instead.")


#: (channels, array type) -> (the mode, other modes that the pixels may be said to have)
_MODES = {(1, "uint8"): ("L", ()), (1, "int16"): ("I;16", ()), (1, "int32"): ("I", ()), (1, "float32"): ("F", ()),
          (2, "uint8"): ("LA", ()), (3, "uint8"): ("RGB", ("YCbCr", "HSV")), (4, "uint8"): ("RGBA", ("CMYK", "RGBX"))}


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A tensor (C, H, W) or (H, W), or an array (H, W, C) or (H, W), as a Pillow image; floats in [0, 1] become bytes."""
    a = _channels_last(pic)
    if a.dtype.kind == "f" and mode != "F":
        a = (a * a.dtype.type(255)).astype(np.int64).astype(np.uint8)
    channels = a.shape[2]
    a = a[:, :, 0] if channels == 1 else a
    found, others = _MODES.get((channels, a.dtype.name), (None, ()))
    if found is None:
        raise DTypeError(f"Input type {a.dtype.name} of {channels} channels is not supported")
    if mode is not None and mode != found and mode not in others:
        raise ArgumentError(f"Incorrect mode ({mode}) supplied for {channels} channels of {a.dtype.name}. "
                            f"Should be one of {[found, *others]}")
    return image_of(a, mode or found)


def image_of(a: np.ndarray, mode: str) -> Any:
    """An array (H, W) or (H, W, C) as a Pillow image of a mode that has its dtype and channels."""
    image = pillow.module()
    made = image.fromarray(a)
    return made if made.mode == mode else image.frombytes(mode, made.size, a.tobytes())


def _channels_last(pic):
    """pic as an array (H, W, C)."""
    if isinstance(pic, Tensor):
        if pic.ndim not in (2, 3):
            raise ArgumentError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        a = pic.detach().float().numpy() if pic.dtype in (dtypes.float16, dtypes.bfloat16) else pic.detach().numpy()
        a = a[None] if a.ndim == 2 else a
        a = np.ascontiguousarray(a.transpose(1, 2, 0))
    elif isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ArgumentError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        a = pic[:, :, None] if pic.ndim == 2 else pic
    else:
        raise ArgumentTypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    if a.shape[2] > 4:
        raise ArgumentError(f"pic should not have > 4 channels. Got {a.shape[2]} channels.")
    return a
