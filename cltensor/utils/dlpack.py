"""DLPack with torch.utils.dlpack's names: capsules to and from other libraries, always of a copy in the host's memory."""

from __future__ import annotations

import enum
from typing import Any

from ..base import calls
from ..base.errors import ArgumentTypeError
from ..tensor import Tensor
from ..tensor.api.exchange import from_dlpack as _from_dlpack

__all__ = ["DLDeviceType", "from_dlpack", "to_dlpack"]


class DLDeviceType(enum.IntEnum):
    """The kinds of memory that DLPack numbers; of these tensors, of any shape and dtype, kDLCPU, since a copy is given away.

    Never raises.  Source: the DLPack specification 1.0, DLDeviceType.

        DLDeviceType.kDLOpenCL
    """

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14
    kDLWebGPU = 15
    kDLHexagon = 16
    kDLMAIA = 17


class _Capsule:
    """A capsule as an object that NumPy takes: what it holds lies in the host's memory."""

    def __init__(self, capsule):
        self.capsule = capsule

    def __dlpack__(self, **options):
        return self.capsule

    def __dlpack_device__(self):
        return (DLDeviceType.kDLCPU, 0)


def to_dlpack(tensor: Tensor) -> Any:
    """A DLPack capsule of a copy of a tensor, of any shape and of a dtype that NumPy has.

    Raises BufferError for bfloat16, and for a tensor that requires grad or has no values.
    Source: the DLPack specification 1.0.

        capsule = utils.dlpack.to_dlpack(cltensor.ones(3))
    """
    return tensor.__dlpack__()


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A copy, as a tensor, of a DLPack capsule, which can be taken once, or of an object that makes one; of any shape.

    What is exchanged lies in the host's memory and is of a dtype that NumPy has.
    Raises BufferError for copy=False and for what cannot be taken, ArgumentTypeError for other objects.
    Source: the DLPack specification 1.0.

        x = utils.dlpack.from_dlpack(numpy.ones(3))
    """
    if hasattr(ext_tensor, "__dlpack__"):
        return _from_dlpack(ext_tensor, device=device, copy=copy)
    if type(ext_tensor).__name__ != "PyCapsule":
        raise ArgumentTypeError("from_dlpack: expected a DLPack capsule or an object with __dlpack__, got "
                                f"{calls.kind(ext_tensor)}")
    try:
        return _from_dlpack(_Capsule(ext_tensor), device=device, copy=copy)
    except ValueError:  # from NumPy, which looks for another name than a capsule has that was taken
        raise BufferError(f"from_dlpack: {ext_tensor!r} was taken already, or holds no tensor; make a new one") from None


calls.named(to_dlpack, "to_dlpack")
calls.named(from_dlpack, "from_dlpack")


def __dir__():
    return sorted(__all__)
