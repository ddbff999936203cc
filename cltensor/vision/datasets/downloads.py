"""Files of datasets from the network: downloaded, checked and unpacked, each at most once."""

from __future__ import annotations

import os
import re
from os import PathLike
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from ...base.errors import ArgumentError
from ...io.download import Checksum, fetch
from ...io.unpacking import OPENERS, decompress, unpack_tar, unpack_zip

#: what an archive's name ends with -> the endings that it stands for
_SHORT = {".tgz": (".tar", ".gz"), ".tbz": (".tar", ".bz2"), ".tbz2": (".tar", ".bz2"), ".txz": (".tar", ".xz")}
_ARCHIVES = (".tar", ".zip")
_DRIVE = re.compile(r"(drive|docs)[.]google[.]com")
_DRIVE_PATH = re.compile(r"/file/d/(?P<id>[^/]*)")


def calculate_md5(fpath: str | PathLike[str], chunk_size: int = 1024 * 1024) -> str:
    """The MD5 of a file's bytes (uint8), of any size, in hexadecimal digits; chunk_size is accepted as torchvision has it.

    Raises OSError where the file cannot be read.  Source: RFC 1321.

    Example::

        calculate_md5("cifar-10-python.tar.gz")
    """
    return Checksum("md5", "").of(fpath)


def check_md5(fpath: str | PathLike[str], md5: str, **kwargs: int) -> bool:
    """Whether a file's bytes (uint8), of any size, have this MD5.  Raises OSError where it cannot be read.  Source: RFC 1321.

    Example::

        check_md5("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a")
    """
    return md5 == calculate_md5(fpath, **kwargs)


def check_integrity(fpath: str | PathLike[str], md5: str | None = None) -> bool:
    """Whether a file, of any size and dtype, is there, and has this MD5 if one is given.  Raises OSError where it cannot be read.

    Source: as torchvision 0.29 has it.

    Example::

        check_integrity("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a")
    """
    return os.path.isfile(fpath) and (md5 is None or check_md5(fpath, md5))


def download_url(url: str, root: str | PathLike[str], filename: str | PathLike[str] | None = None, md5: str | None = None,
                 max_redirect_hops: int = 3) -> None:
    """Download a file, of any size and dtype, into the folder root, unless it is there and has this MD5.

    Args: url; root; filename, by default the url's; md5, hexadecimal digits; max_redirect_hops, how often a server may refer to
    another. What a cut connection leaves is kept beside it, and the same call goes on from there.
    Raises DownloadError, a URLError, where there is no network or no such file, or where its MD5 differs.
    Source: as torchvision 0.29 has it; RFC 9110 for parts of files.

    Example::

        download_url("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", "data")
    """
    identity = _google_drive_id(url)
    if identity is not None:
        download_file_from_google_drive(identity, root, filename, md5)
        return
    path = Path(os.path.expanduser(root)) / (filename or os.path.basename(unquote(urlsplit(url).path)))
    _fetch(url, path, md5, max_redirect_hops)


def _fetch(url, path, md5, redirects=None):
    if not check_integrity(path, md5):
        fetch(url, path, md5 and Checksum("md5", md5), redirects=redirects)


def _google_drive_id(url):
    """The identity of a file that an address at Google Drive names, or None."""
    parts = urlsplit(url)
    if not _DRIVE.fullmatch(parts.netloc):
        return None
    found = _DRIVE_PATH.match(parts.path)
    return found["id"] if found else parse_qs(parts.query).get("id", [None])[0]


def download_file_from_google_drive(file_id: str, root: str | PathLike[str], filename: str | PathLike[str] | None = None,
                                    md5: str | None = None) -> None:
    """Download a file, of any size and dtype, from Google Drive into the folder root, unless it is there and has this MD5.

    Args: file_id, as it stands in the file's address; root; filename, by default file_id; md5, hexadecimal digits.
    Raises DownloadError, a URLError, where there is no network or no such file, or where its MD5 differs.
    Source: as torchvision 0.29 has it.

    Example::

        download_file_from_google_drive("1_ee_0u7vcNLOfNLegJRHmolfH5ICW-XS", "celeba", "identity_CelebA.txt")
    """
    url = f"https://drive.usercontent.google.com/download?id={file_id}&export=download&confirm=t"
    _fetch(url, Path(os.path.expanduser(root)) / (filename or file_id), md5)


def extract_archive(from_path: str | PathLike[str], to_path: str | PathLike[str] | None = None,
                    remove_finished: bool = False) -> str | Path:
    """Unpack an archive (.zip, .tar and compressed ones, such as .tar.gz or .tgz) or a compressed file (.gz, .bz2, .xz), of any
    size.

    Nothing is written outside to_path, links become copies of files inside, dtypes do not matter, and either all of it appears or
    nothing.

    Args: from_path; to_path, a folder, for a compressed file the new file; by default beside from_path; remove_finished, whether to
        remove the archive then.
    Returns to_path.  Raises ArgumentError for a name without such an ending, SerializationError for an archive that is damaged or
    hostile.
    Source: as torchvision 0.29 has it; POSIX for tar, APPNOTE for zip.

    Example::

        extract_archive("data/cifar-10-python.tar.gz")
    """
    archive, compression = _endings(from_path)
    if archive is None:
        to_path = Path(to_path) if to_path is not None else Path(from_path).with_suffix("")
        decompress(from_path, to_path, compression)
    else:
        to_path = os.path.dirname(from_path) if to_path is None else to_path
        if archive == ".tar":
            unpack_tar(from_path, to_path, compression)
        else:
            unpack_zip(from_path, to_path)
    if remove_finished:
        os.unlink(from_path)
    return to_path


def _endings(path):
    """(".tar", ".zip" or None, a key of OPENERS or None) by a file's name."""
    endings = [ending.lower() for ending in Path(path).suffixes[-2:]]
    last = _SHORT.get(endings[-1], (endings[-1],)) if endings else ()
    if len(last) == 2:
        return last
    if last and last[0] in OPENERS:
        return (".tar" if endings[0] == ".tar" else None), last[0]
    if last and last[0] in _ARCHIVES:
        return last[0], None
    raise ArgumentError(f"{os.fspath(path)!r} has no ending of an archive or compressed file; it must be one of "
                        f"{', '.join(sorted((*_SHORT, *_ARCHIVES, *OPENERS)))}")


def download_and_extract_archive(url: str, download_root: str | PathLike[str], extract_root: str | PathLike[str] | None = None,
                                 filename: str | PathLike[str] | None = None, md5: str | None = None,
                                 remove_finished: bool = False) -> None:
    """Download an archive, of any size and dtype, as download_url does, and unpack it, as extract_archive does.

    Args: url; download_root, the folder it is kept in; extract_root, the folder to unpack it in, by default the same; filename, by
        default the url's; md5, hexadecimal digits; remove_finished, whether to remove the archive then.
    Raises DownloadError, a URLError, where it cannot be fetched; SerializationError where it is damaged or hostile.
    Source: as torchvision 0.29 has it.

    Example::

        download_and_extract_archive("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", "data")
    """
    download_root = os.path.expanduser(download_root)
    filename = filename or os.path.basename(unquote(urlsplit(url).path))
    download_url(url, download_root, filename, md5)
    archive = os.path.join(download_root, filename)
    extract_archive(archive, download_root if extract_root is None else extract_root, remove_finished)
