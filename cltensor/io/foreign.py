"""Recognise files of other formats, to name them and explain how to convert them."""

_MAGIC = (
    *((0, bytes([0x80, n]), "a pickle that torch.save did not write; loading it could run code, so it is not read. Load it with "
       "Python's pickle, if you trust it, and save what it holds with cltensor.save") for n in range(2, 6)),
    (0, b"\x89HDF\r\n", "an HDF5 file; read its arrays with h5py and convert them with cltensor.from_numpy"),
    (0, b"\x1f\x8b", "gzip-compressed; unpack it first"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (257, b"ustar", "a tar archive, as PyTorch before 0.1.10 wrote; load it with such a PyTorch and save it again"),
)


def recognised(start):
    """What a file with these first bytes is instead of one that can be loaded, with the cure, or None."""
    return next((said for at, magic, said in _MAGIC if start[at:].startswith(magic)), None)
