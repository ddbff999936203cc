"""NumPy arrays of what a log or a plot is given: tensors on any device, arrays, numbers, lists."""

import numpy as np

from ..base.errors import ArgumentTypeError, AssertedError
from ..dispatch.tensor_base import TensorBase


def array_of(value, call):
    """value as a NumPy array; reading a tensor waits for its device.  Raises ArgumentTypeError for what holds no numbers."""
    if isinstance(value, TensorBase):
        return value.detach().numpy(force=True)
    if hasattr(value, "detach"):  # a tensor of another library's
        value = value.detach().cpu()
    if isinstance(value, (list, tuple)) and any(isinstance(x, TensorBase) for x in value):
        value = [array_of(x, call) for x in value]
    found = np.asarray(value)
    if found.dtype.kind not in "biufc":
        raise ArgumentTypeError(f"{call}: expected a tensor, an array or numbers, got {type(value).__name__}")
    return found


def number_of(value, call):
    """The one number in value."""
    found = array_of(value, call)
    if found.size != 1:
        raise AssertedError(f"{call}: expected one number, got an array of shape {list(found.shape)}; log it with add_tensor")
    return found.reshape(()).item()
