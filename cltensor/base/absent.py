"""Names of PyTorch's that cltensor lacks: asking for one raises an error that says so and names an alternative."""

from .errors import AbsentError

SPARSE = "there are no sparse tensors; use dense ones, and index_add or scatter_add for sparse updates"
_QUANTIZED = "there are no quantized dtypes; use float16 or bfloat16 to save memory"
_UNSIGNED = "next to no arithmetic is defined for unsigned integers wider than 8 bits; use int32 or int64"
_CUDA = "every device here is an OpenCL one; use .to('gpu')"
_SHARED = "a device's memory belongs to one process; send tensor.numpy()"

#: reason -> names in the namespace `cltensor`
_NAMES = {
    SPARSE: "sparse sparse_coo sparse_csr sparse_csc sparse_bsr sparse_bsc sparse_coo_tensor sparse_csr_tensor "
            "sparse_csc_tensor sparse_bsr_tensor sparse_bsc_tensor sparse_compressed_tensor hspmm smm sspaddmm",
    _QUANTIZED: "quantize_per_tensor quantize_per_channel quantize_per_tensor_dynamic dequantize qint8 quint8 qint32 quint4x2",
    _UNSIGNED: "uint16 uint32 uint64",
}
REASONS = {name: reason for reason, names in _NAMES.items() for name in names.split()}

#: names of Tensor
METHODS = {**dict.fromkeys(("to_sparse", "to_sparse_coo", "to_sparse_csr", "coalesce", "sparse_mask"), SPARSE),
           "dequantize": _QUANTIZED, "cuda": _CUDA, "xpu": _CUDA, "share_memory_": _SHARED}


def refuse(owner, name, reasons):
    """Raise AbsentError if `name` is known to be absent, with its reason."""
    if name in reasons:
        raise AbsentError(f"{owner} has no {name!r}: {reasons[name]}")
