"""Weights from the network: downloaded once, checked, and loaded without running code."""

from __future__ import annotations

import os
import re
import tempfile
import zipfile
from os import PathLike
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..base.errors import ArgumentError
from ..io.download import Checksum, fetch
from ..io.load import load
from ..io.unpacking import unpack_zip
from .folder import get_dir

_HASH = re.compile(r"-([a-f0-9]*)\.")


def download_url_to_file(url: str, dst: str | PathLike[str], hash_prefix: str | None = None, progress: bool = True) -> None:
    """Download a file; dst is replaced once all of it is there.

    Args: url; dst, a path; hash_prefix, the first digits of the file's SHA-256, which is compared; progress, whether to show a bar
        where tqdm is installed.
    What a cut connection leaves is kept in dst + ".partial", and the same call goes on from there.  The contents may hold tensors
    of any shape and dtype; nothing looks at them.
    Raises DownloadError, a URLError, with one line that says what to do where there is no network or no such file, and where the
    SHA-256 differs; OSError where dst cannot be written.
    Source: as torch.hub of PyTorch 2.13 has it; RFC 9110 for parts of files.

    Example::

        cltensor.hub.download_url_to_file("https://example.org/net.pth", "net.pth")
    """
    fetch(url, dst, None if not hash_prefix else Checksum("sha256", hash_prefix), progress)


def load_state_dict_from_url(url: str, model_dir: str | PathLike[str] | None = None, map_location: Any = None,
                             progress: bool = True, check_hash: bool = False, file_name: str | None = None,
                             weights_only: bool = True) -> dict[str, Any]:
    """The state dict in a file on the network, downloaded once: later calls find it in model_dir.

    Shapes and dtypes are those in the file, which may be PyTorch's or safetensors.

    Args: url; model_dir, by default get_dir() + "/checkpoints"; map_location and weights_only as for cltensor.load, but that files
        run no code unless weights_only=False; progress, whether to show a bar; check_hash, whether the file's name ends with "-"
        and the first digits of its SHA-256, which is compared; file_name, what to call it instead of as in the url.
    Raises DownloadError, a URLError, where the file cannot be fetched; ArgumentError for a name without digits where check_hash is
    set; SerializationError for a damaged or hostile file.
    Source: as torch.hub of PyTorch 2.13 has it, apart from the default of weights_only.

    Example::

        state = cltensor.hub.load_state_dict_from_url("https://download.pytorch.org/models/resnet18-f37072fd.pth")
    """
    folder = Path(model_dir) if model_dir is not None else Path(get_dir()) / "checkpoints"
    name = file_name or os.path.basename(unquote(urlsplit(url).path))
    if not name or os.path.basename(name) != name:
        raise ArgumentError(f"load_state_dict_from_url: {name!r} is no name of a file; give one as file_name")
    path = folder / name
    if not path.exists():
        checksum = _named_checksum(name) if check_hash else None
        fetch(url, path, checksum, progress)
    if not _holds_one_file(path):
        return load(path, map_location, weights_only=weights_only)
    with tempfile.TemporaryDirectory() as unpacked:
        unpack_zip(path, unpacked)
        return load(next(p for p in Path(unpacked).rglob("*") if p.is_file()), map_location, weights_only=weights_only)


def _named_checksum(name):
    found = _HASH.search(name)
    if not found or not found[1]:
        raise ArgumentError(f"load_state_dict_from_url: check_hash needs a file whose name ends with '-' and the first digits of "
                            f"its SHA-256, got {name!r}")
    return Checksum("sha256", found[1])


def _holds_one_file(path):
    """Whether a file is a zip archive around one other file, as some old weights are."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        names = [m.filename for m in archive.infolist() if not m.is_dir()]
    return len(names) == 1 and not names[0].endswith((".pkl", ".npy"))
