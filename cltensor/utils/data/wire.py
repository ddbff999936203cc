"""Objects as bytes on their way to and from worker processes.

What crosses is plain host data.  A tensor lives on the device, which workers leave alone, so sending one is refused.
"""

import io
import pickle
from multiprocessing.reduction import ForkingPickler

from ...base.errors import ArgumentTypeError
from ...tensor import Tensor
from .worker_info import NO_TENSORS


class _HostPickler(ForkingPickler):
    def reducer_override(self, obj):
        if isinstance(obj, Tensor):
            raise ArgumentTypeError(NO_TENSORS)
        return NotImplemented


def encode(obj):
    """obj as bytes.  Raises ArgumentTypeError if it holds a tensor."""
    out = io.BytesIO()
    _HostPickler(out, pickle.HIGHEST_PROTOCOL).dump(obj)
    return out.getvalue()


def decode(data):
    """The object that encode was given."""
    return pickle.loads(data)
