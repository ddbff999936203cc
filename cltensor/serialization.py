"""cltensor.serialization: saving and loading, and what files of pickles may name, with the names of torch.serialization."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import IO, Any

from .base.errors import ArgumentError, ArgumentTypeError, SerializationError
from .io import formats as _formats
from .io import mapping as _mapping
from .io import source as _source
from .io.load import load
from .io.pytorch import allowed as _allowed
from .io.pytorch import safe_globals as _safe
from .io.pytorch.endianness import LoadEndianness, get_default_load_endianness, set_default_load_endianness
from .io.save import save

__all__ = ["LoadEndianness", "add_safe_globals", "clear_safe_globals", "get_default_load_endianness", "get_default_mmap_options",
           "get_safe_globals", "get_unsafe_globals_in_checkpoint", "load", "safe_globals", "save", "set_default_load_endianness",
           "set_default_mmap_options"]


def add_safe_globals(safe_globals: list[Callable[..., Any] | tuple[Callable[..., Any], str]]):
    """Let files name these classes and functions, besides the tensors, scalars, dtypes and containers that they always may.

    Loading such a file then calls them with what it holds: allow only what does no harm with any arguments.  A pair
    (class, "module.name") allows a class under the name that it has in files.
    Raises ArgumentTypeError unless given a list, ArgumentError for what cannot be called.
    Source: as torch.serialization of PyTorch 2.13 has it.

    Example::

        cltensor.serialization.add_safe_globals([argparse.Namespace])
    """
    _safe.extend(_checked(safe_globals, "add_safe_globals"))


def _checked(values, name):
    if not isinstance(values, (list, tuple)):
        raise ArgumentTypeError(f"{name}: expected a list of classes and functions, got {values!r}")
    for value in values:
        made, full = value if isinstance(value, tuple) and len(value) == 2 else (value, "")
        if not callable(made) or not isinstance(full, str):
            raise ArgumentError(f"{name}: expected classes, functions or pairs (class, full name), got {value!r}")
    return list(values)


def get_safe_globals() -> list[Callable[..., Any] | tuple[Callable[..., Any], str]]:
    """The classes and functions that were added, a list of any size.  Never raises.

    dtypes and tensors are not among them: they are always allowed.  Source: as torch.serialization of PyTorch 2.13 has it.

    Example::

        cltensor.serialization.get_safe_globals()
    """
    return _safe.listed()


def clear_safe_globals():
    """Forget what was added, so that files name tensors, scalars, dtypes and containers only.  Never raises.

    Source: as torch.serialization of PyTorch 2.13 has it.

    Example::

        cltensor.serialization.clear_safe_globals()
    """
    _safe.replace([])


class safe_globals:
    """A context in which files may name these classes and functions; see add_safe_globals, which has the same shape of argument.

    dtypes and tensors are always allowed.  Raises ArgumentTypeError unless given a list, ArgumentError for what cannot be called.
    Source: as torch.serialization of PyTorch 2.13 has it.

    Example::

        with cltensor.serialization.safe_globals([argparse.Namespace]):
            settings = cltensor.load("settings.pt")
    """

    def __init__(self, safe_globals: list[Callable[..., Any] | tuple[Callable[..., Any], str]]):
        self.values = _checked(safe_globals, "safe_globals")

    def __enter__(self):
        self.before = _safe.listed()
        _safe.extend(self.values)

    def __exit__(self, *exception):
        _safe.replace(self.before)


def get_unsafe_globals_in_checkpoint(f: str | PathLike[str] | IO[bytes]) -> list[str]:
    """The full names in a file of PyTorch's that load refuses, found without making anything of them.

    They are those of code and of dtypes that tensors here cannot have, whatever the sizes in the file.
    Raises SerializationError for a damaged file, OSError where it cannot be opened.
    Source: as torch.serialization of PyTorch 2.13 has it.

    Example::

        cltensor.serialization.get_unsafe_globals_in_checkpoint("model.pth")
    """
    with _source.opened(f) as given:
        try:
            return [f"{module}.{name}" for module, name in _formats.names_in(given) if not _allowed.is_allowed(module, name)]
        except SerializationError as error:
            raise type(error)(f"get_unsafe_globals_in_checkpoint: {given.name}: {error}") from None


def get_default_mmap_options() -> bool:
    """Whether load maps files into memory where mmap is not given; False at first.  Never raises.

    Shapes and dtypes have no part in it.  Source: as torch.serialization of PyTorch 2.13 has it, where it is a number of flags.

    Example::

        cltensor.serialization.get_default_mmap_options()
    """
    return _mapping.get_default_mmap()


class set_default_mmap_options:
    """Set whether load maps files into memory where mmap is not given; as a context manager, inside the block.

    flags: any value, by its truth; maps are private in any case.  Never raises; shapes and dtypes have no part in it.
    Source: as torch.serialization of PyTorch 2.13 has it.

    Example::

        with cltensor.serialization.set_default_mmap_options(True):
            weights = cltensor.load("model.pth")
    """

    def __init__(self, flags: int):
        self.before = _mapping.get_default_mmap()
        _mapping.set_default_mmap(flags)

    def __enter__(self):
        return None

    def __exit__(self, *exception):
        _mapping.set_default_mmap(self.before)


def __dir__():
    return sorted(__all__)
