"""Summaries of numbers, text and tensors.  Source: the messages of TensorBoard's plugins, version 2.21."""

import numpy as np

from ...base.errors import ArgumentError, ArgumentTypeError
from ..host_arrays import array_of, number_of
from .protocol import protocol

_KINDS = {"float32": ("DT_FLOAT", "float_val"), "float64": ("DT_DOUBLE", "double_val"), "float16": ("DT_HALF", "half_val"),
          "int32": ("DT_INT32", "int_val"), "int64": ("DT_INT64", "int64_val"), "int16": ("DT_INT16", "int_val"),
          "int8": ("DT_INT8", "int_val"), "uint8": ("DT_UINT8", "int_val"), "bool": ("DT_BOOL", "bool_val"),
          "uint16": ("DT_UINT16", "int_val"), "uint32": ("DT_UINT32", "uint32_val"), "uint64": ("DT_UINT64", "uint64_val"),
          "complex64": ("DT_COMPLEX64", "scomplex_val"), "complex128": ("DT_COMPLEX128", "dcomplex_val")}
_SMALLEST = 1e-7  # of a denominator


def metadata(plugin, content=b""):
    """The SummaryMetadata that hands a value to a plugin."""
    p = protocol("SummaryWriter")
    return p.SummaryMetadata(plugin_data=p.SummaryMetadata.PluginData(plugin_name=plugin, content=content))


def one_value(tag, **fields):
    """A Summary of one value."""
    p = protocol("SummaryWriter")
    return p.Summary(value=[p.Summary.Value(tag=tag, **fields)])


def tensor_message(values):
    """The TensorProto of an array."""
    p = protocol("SummaryWriter")
    kind, field = _KINDS[values.dtype.name]
    flat = values.reshape(-1)
    if field == "half_val":
        flat = flat.view(np.uint16)
    elif values.dtype.kind == "c":
        flat = flat.view(flat.real.dtype)
    shape = p.TensorShapeProto(dim=[p.TensorShapeProto.Dim(size=n) for n in values.shape])
    return p.TensorProto(dtype=kind, tensor_shape=shape, **{field: flat.tolist()})


def strings_message(*texts, shape=()):
    """The TensorProto of texts or bytes."""
    p = protocol("SummaryWriter")
    dims = p.TensorShapeProto(dim=[p.TensorShapeProto.Dim(size=n) for n in shape])
    encoded = [t.encode() if isinstance(t, str) else t for t in texts]
    return p.TensorProto(dtype="DT_STRING", tensor_shape=dims, string_val=encoded)


def scalar(tag, value, new_style, double_precision):
    """The Summary of a number: as the plain field of old files, or as a tensor."""
    value = float(number_of(value, "add_scalar"))
    if not new_style:
        return one_value(tag, simple_value=value)
    p = protocol("SummaryWriter")
    words = {"dtype": "DT_DOUBLE", "double_val": [value]} if double_precision else {"dtype": "DT_FLOAT", "float_val": [value]}
    return one_value(tag, tensor=p.TensorProto(**words), metadata=metadata("scalars"))


def tensor(tag, value):
    """The Summary of a tensor."""
    return one_value(tag, tensor=tensor_message(array_of(value, "add_tensor")), metadata=metadata("tensor"))


def text(tag, value):
    """The Summary of a text, which TensorBoard reads as Markdown."""
    if not isinstance(value, str):
        raise ArgumentTypeError(f"add_text: expected a str, got {type(value).__name__}")
    return one_value(f"{tag}/text_summary", tensor=strings_message(value, shape=(1,)), metadata=metadata("text"))


def pr_curve(tag, labels, predictions, count, weights):
    """The Summary of precision and recall at `count` thresholds, from truths in {0, 1} and predictions in [0, 1]."""
    labels, predictions = array_of(labels, "add_pr_curve").reshape(-1), array_of(predictions, "add_pr_curve").reshape(-1)
    if labels.shape != predictions.shape:
        raise ArgumentError(f"add_pr_curve: expected a prediction for each of the {labels.size} labels, got {predictions.size}")
    weights = np.ones(labels.size) if weights is None else np.broadcast_to(array_of(weights, "add_pr_curve"), labels.shape)
    if predictions.size and (predictions.min() < 0 or predictions.max() > 1):
        raise ArgumentError("add_pr_curve: predictions must lie in [0, 1], they go from "
                            f"{predictions.min()} to {predictions.max()}")
    places = np.int64(np.floor(predictions.astype(np.float64) * (count - 1)))
    truth = labels.astype(np.float64) * weights
    tp, fp = (np.bincount(places, w, count)[::-1].cumsum()[::-1] for w in (truth, (1.0 - labels) * weights))
    precision = tp / np.maximum(tp + fp, _SMALLEST)
    recall = tp / np.maximum(tp[0], _SMALLEST)
    return pr_curve_raw(tag, (tp, fp, fp[0] - fp, tp[0] - tp, precision, recall), count)


def pr_curve_raw(tag, rows, count):
    """The Summary of rows of counts, precision and recall at thresholds."""
    p = protocol("SummaryWriter")
    values = np.stack([array_of(row, "add_pr_curve_raw").astype(np.float32) for row in rows])
    content = p.PrCurvePluginData(version=0, num_thresholds=count).SerializeToString()
    return one_value(tag, tensor=tensor_message(values), metadata=metadata("pr_curves", content))
