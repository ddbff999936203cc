"""Comparing: a model's results in onnxruntime beside the program's own."""

import importlib.util
import warnings

import numpy as np

from ...base import dtypes
from ...base.errors import CLTensorError

RTOL, ATOL = 1e-3, 1e-4  # for float32; onnxruntime sums in another order
_RANDOM = ("RandomNormal", "RandomUniform", "Bernoulli", "Multinomial")


class DifferentError(CLTensorError):
    """The model gives other results than the program that it was made of."""


def is_there():
    """Whether onnxruntime is installed."""
    return importlib.util.find_spec("onnxruntime") is not None


def compare(call, model, runs):
    """Run a model in onnxruntime and compare its results; runs: [(input arrays by name, results as tensors)]."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # it may lack an operator for a dtype, or be older than the opset
        warnings.warn(f"{call}: onnxruntime cannot run the model, which was not compared: {error}", stacklevel=4)
        return None
    taken = {i.name for i in session.get_inputs()}
    for feeds, wanted in runs:
        try:
            found = session.run(None, {n: v for n, v in feeds.items() if n in taken})
        except Exception as error:
            if "not support" not in str(error):
                raise DifferentError(f"{call}: onnxruntime fails to run the model: {error}") from error
            warnings.warn(f"{call}: onnxruntime cannot run the model, which was not compared: {error}", stacklevel=4)
            return None
        for output, f, w in zip(session.get_outputs(), found, wanted, strict=True):
            _same(call, output.name, f, array(w))
    return session


def _same(call, name, found, wanted):
    where = f"{call}: output {name!r} of the model"
    if found.shape != wanted.shape:
        raise DifferentError(f"{where} has shape {list(found.shape)} in onnxruntime, {list(wanted.shape)} here")
    if wanted.dtype.kind not in "fV":
        if not np.array_equal(found, wanted):
            raise DifferentError(f"{where} differs in {int((found != wanted).sum())} of {wanted.size} elements from what is "
                                 "computed here")
        return
    f, w = found.astype(np.float64), wanted.astype(np.float64)
    loose = 1 if wanted.dtype.itemsize >= 4 else 64
    finite = np.abs(w[np.isfinite(w)])
    atol = ATOL * loose * max(1.0, float(finite.max()) if finite.size else 1.0)
    if not np.allclose(f, w, rtol=RTOL * loose, atol=atol, equal_nan=True):
        with np.errstate(invalid="ignore"):
            worst = np.nanmax(np.abs(f - w))
        raise DifferentError(f"{where} is up to {worst:.3g} off what is computed here; {atol:.3g} would be well")


def array(tensor):
    """A tensor's values as an array; bfloat16 as float32."""
    tensor = tensor.detach()
    return tensor.to(dtypes.numpy_form(tensor.dtype)).numpy()


def is_random(nodes):
    """Whether nodes draw random numbers."""
    return any(n.operator.startswith(_RANDOM) for n in nodes)
