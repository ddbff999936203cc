"""Names of PyTorch's that cltensor lacks: asking for one raises an error that says so and names an alternative."""

from .errors import AbsentError

SPARSE = "sparse tensors are COO or CSR; use sparse_coo_tensor, sparse_csr_tensor or to_sparse, and cltensor.sparse.mm for products"
DENSE_ONLY = "this works on dense tensors; use to_dense(), or the sparse tensor's own methods, @ and cltensor.sparse"
LAYOUTS = "this makes dense tensors only; call to_sparse() or to_sparse_csr() on the result"
_NESTED = "there are no nested tensors; pad the parts with nn.utils.rnn.pad_sequence and keep their lengths"
_QUANTIZED = "there are no quantized dtypes; cltensor.quantize.weight_only keeps the weights of Linear layers as int8"
_CUDA = "every device here is an OpenCL one; use .to('gpu')"
_SHARED = "a device's memory belongs to one process; send tensor.numpy()"

#: reason -> names in the namespace `cltensor`
_NAMES = {
    SPARSE: "sparse_csc sparse_bsr sparse_bsc sparse_csc_tensor sparse_bsr_tensor sparse_bsc_tensor sparse_compressed_tensor hspmm "
            "smm sspaddmm",
    _NESTED: "nested jagged",
    _QUANTIZED: "quantize_per_tensor quantize_per_channel quantize_per_tensor_dynamic dequantize qint8 quint8 qint32 quint4x2",
}
REASONS = {name: reason for reason, names in _NAMES.items() for name in names.split()}

#: names of Tensor
METHODS = {**dict.fromkeys(("to_sparse_csc", "to_sparse_bsr", "to_sparse_bsc"), SPARSE), "to_padded_tensor": _NESTED,
           "dequantize": _QUANTIZED, "cuda": _CUDA, "xpu": _CUDA, "share_memory_": _SHARED}


def refuse(owner, name, reasons):
    """Raise AbsentError if `name` is known to be absent, with its reason."""
    if name in reasons:
        raise AbsentError(f"{owner} has no {name!r}: {reasons[name]}")
