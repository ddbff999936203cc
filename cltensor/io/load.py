"""load: read the object in a file of any format that checkpoints come in; check it completely, and run no code unasked."""

from __future__ import annotations

from os import PathLike
from typing import IO, Any

from ..base.errors import ArgumentError, SerializationError
from ..runtime.device import device
from . import formats, source
from .mapping import default_mmap
from .options import Options
from .placement import Placement


def load(f: str | PathLike[str] | IO[bytes], map_location: Any = None, pickle_module: Any = None, *,
         device: device | str | int | None = None, weights_only: bool | None = True, mmap: bool | None = None,
         encoding: str = "utf-8", errors: str = "strict"):
    """Load what `save` or PyTorch's torch.save wrote, a safetensors file, an index of several files, or NumPy's .npy and .npz.

    Shapes, strides, dtypes, shared storages, requires_grad, Parameters and containers are those of the object that was saved;
    other programs' safetensors files and .npz give a dict of tensors.  PyTorch is not needed: its pickles are read by a machine
    that makes tensors and plain data only, imports nothing and calls nothing.  What else they name is refused.

    Args: f, a path or a binary file; map_location, or device: a device, a dict of {"cuda:0": device} or a function of (storage,
        location), by default the default device for all; weights_only=False lets Python's pickle run whatever code the file asks
        for, which whole modules need, so only for files you trust; pickle_module, in place of pickle then; mmap, map the file
        into memory, read only what is used and compare no checksums (the file must not change meanwhile); encoding and errors,
        of text in files from Python 2.
    Raises SerializationError, naming the file, the problem and the cure, for a file that is damaged, foreign or hostile;
    PickleError, a SerializationError too, where it names code; OSError where it cannot be opened; OutOfMemoryError where its
    tensors do not fit; ArgumentError for arguments that exclude each other.
    Source: the layouts of torch.save 2.13, of safetensors 0.4 and of NumPy's NEP 1.

    Example::

        model.load_state_dict(cltensor.load("resnet18.pth"))
    """
    weights_only = weights_only is not False
    if weights_only and pickle_module is not None:
        raise ArgumentError("load: pickle_module runs the code in a file, which weights_only=True rules out; leave one of them out")
    placement = Placement(device if device is not None else map_location)
    options = Options(placement, weights_only, pickle_module, encoding, errors)
    with source.opened(f, default_mmap(mmap, f)) as given:
        try:
            return formats.object_in(given, options)
        except SerializationError as error:
            raise type(error)(f"load: {given.name}: {error}") from error.__cause__
