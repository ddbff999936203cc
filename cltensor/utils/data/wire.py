"""Transfer objects between processes: arrays and tensors through shared memory, everything else pickled.

In transit, a tensor is host data.  It is read from its device, or from a worker's host memory, and created again on the
device of the same index at the other end.
"""

import io
import pickle
from multiprocessing.reduction import ForkingPickler

import numpy as np

from ...base import dtypes
from ...base.errors import AutogradError
from ...dispatch.host_plan import shown
from ...runtime import device as devices
from ...tensor import Tensor
from ...tensor.api.creation import from_array


class _Packer(ForkingPickler):
    """Pickles everything but arrays and tensors; `region` takes those, or is None."""

    def __init__(self, out, region):
        super().__init__(out, pickle.HIGHEST_PROTOCOL)
        self.region, self.sent = region, {}

    def persistent_id(self, obj):
        kind = type(obj)
        if (kind is not np.ndarray and kind is not Tensor) or self.region is None:
            return None
        if id(obj) not in self.sent:
            self.sent[id(obj)] = (self._tensor if kind is Tensor else self._array)(obj), obj
        return self.sent[id(obj)][0]

    def _array(self, a):
        if a.dtype.hasobject or a.dtype.kind == "V":
            return None
        turned = a.flags.f_contiguous and not a.flags.c_contiguous
        offset = self.region.put(a.T if turned else a)
        return None if offset is None else ("array", offset, a.T.shape if turned else a.shape, a.dtype.str, turned)

    def _tensor(self, t):
        if not t.is_leaf:
            raise AutogradError("DataLoader: a tensor with a grad_fn cannot go to another process; send tensor.detach()")
        offset = self.region.put(_values(t))
        return None if offset is None else ("tensor", offset, tuple(t.shape), t.dtype.name, t.device.index, t.requires_grad)


def _values(t):
    """A tensor's stored elements as an array; for a tensor in a Region, the Region's own array."""
    storage, s = t._storage, t._spec
    if not storage.device.host:
        return t.detach()._read()
    whole = s.contiguous and not t._offset and storage.extent == s.nbytes
    return storage.buffer.bytes if whole else shown(storage.buffer, s, t._offset)


class _Unpacker(pickle.Unpickler):
    """Reads what _Packer wrote; copy: whether to copy arrays out of the region."""

    def __init__(self, file, region, copy):
        super().__init__(file)
        self.region, self.copy, self.met = region, copy, {}

    def persistent_load(self, pid):
        if pid not in self.met:
            self.met[pid] = self._made(*pid)
        return self.met[pid]

    def _made(self, kind, offset, shape, dtype, *rest):
        if kind == "array":
            a = self.region.get(offset, shape, np.dtype(dtype))
            a = a.copy() if self.copy else a
            return a.T if rest[0] else a
        index, requires_grad = rest
        d = dtypes.BY_NAME[dtype]
        values = self.region.get(offset, shape, d.numpy)
        return from_array(values, d, devices.get(index)).requires_grad_(requires_grad)


def pack(obj, region=None):
    """obj as bytes, with its arrays and tensors in a Region if one is given.  Raises what pickling raises."""
    out = io.BytesIO()
    _Packer(out, region).dump(obj)
    return out.getvalue()


def unpack(data, region=None, copy=True):
    """The object given to pack; with copy=False, arrays stay in the region, which must not change."""
    return _Unpacker(io.BytesIO(data), region, copy).load()
