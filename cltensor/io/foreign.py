"""Recognise files of other formats, to name them and explain how to convert them."""

_RUNS_CODE = "loading it could run code, so it is not read. Convert it once, where PyTorch is installed: "
_CONVERT = ("import torch, safetensors.torch; "
            "safetensors.torch.save_file(torch.load('FILE', weights_only=True), 'FILE.safetensors')")
_MAGIC = (
    (b"PK\x03\x04", f"a zip archive, as torch.save writes, holding a pickle: {_RUNS_CODE}{_CONVERT}"),
    *((bytes([0x80, n]), f"a pickle, as older torch.save writes: {_RUNS_CODE}{_CONVERT}") for n in range(2, 6)),
    (b"\x93NUMPY", "a NumPy file; load it with numpy.load and convert the array with cltensor.from_numpy"),
    (b"\x89HDF\r\n", "an HDF5 file; read its arrays with h5py and convert them with cltensor.from_numpy"),
    (b"\x1f\x8b", "gzip-compressed; unpack it first"),
)


def recognised(start):
    """What a file with these first bytes is instead of a safetensors file, with the cure, or None."""
    return next((said for magic, said in _MAGIC if start.startswith(magic)), None)
