"""HostPlan: a Plan in a process that leaves OpenCL alone: tensors lie in host memory and NumPy computes."""

import numpy as np

from ..base import bfloat16, complex32, dtypes
from ..base.errors import DeviceError
from ..codegen import types


class HostPlan:
    """Replaces a Plan.

    compute: (arrays, values) -> one result per output; the arrays come from `loaded`, None for an input left out.
    """

    __slots__ = ("compute", "device", "fast_call", "inputs", "outputs", "steps")

    def __init__(self, device, inputs, outputs, compute):
        self.device, self.inputs, self.outputs, self.compute, self.fast_call = device, tuple(inputs), tuple(outputs), compute, None
        self.steps = (compute,) if any(o.numel for o in outputs) else ()

    def run(self, buffers, offsets, values=(), ticket=0):
        """Compute.  buffers: inputs then outputs; offsets: {slot: elements}, only where not 0; ticket: as in Plan, unused."""
        arrays = [s and loaded(shown(buffers[i], s, offsets.get(i, 0)), s.dtype) for i, s in enumerate(self.inputs)]
        with np.errstate(all="ignore"):
            results = self.compute(arrays, values)
            for i, (s, result) in enumerate(zip(self.outputs, results, strict=True), len(self.inputs)):
                shown(buffers[i], s, offsets.get(i, 0))[...] = stored(result, s.dtype)


def shown(buffer, spec, offset=0):
    """The elements of a tensor in host memory, as a NumPy array over the same bytes."""
    if not spec.numel:
        return np.empty(spec.shape, spec.dtype.numpy)
    size = spec.dtype.itemsize
    return np.ndarray(spec.shape, spec.dtype.numpy, buffer.bytes, offset * size, [s * size for s in spec.strides])


def loaded(array, dtype):
    """Stored elements converted for NumPy to compute with: 16-bit floats as float32, pairs of them as complex64."""
    if dtype is dtypes.complex32:
        return complex32.decode(array)
    if dtype is dtypes.bfloat16:
        return bfloat16.decode(array)
    return array.astype(np.float32) if dtype is dtypes.float16 else array


def stored(values, dtype):
    """Computed values converted to the stored dtype; of complex ones a real dtype keeps the real part."""
    if dtype is dtypes.complex32:
        return complex32.encode(values)
    if np.iscomplexobj(values) and not dtype.is_complex and dtype is not dtypes.bool_:
        values = np.real(values)
    if dtype is dtypes.bfloat16:
        return bfloat16.encode(values)
    return np.asarray(values) != 0 if dtype is dtypes.bool_ else np.asarray(values).astype(dtype.numpy, copy=False)


def computing(dtype):
    """The NumPy type for arithmetic on this dtype."""
    return np.dtype(types.NUMPY_OF[types.compute_type(dtype)])


def refused(op):
    """The error for an op without a NumPy form."""
    return DeviceError(f"{op.name}: this process leaves OpenCL alone, as a worker of a DataLoader or since it was forked; NumPy "
                       f"has no form of {op.name}. Apply it to the batches in the main program, or read with num_workers=0")
