"""Archives of others: what is in them appears whole, and nothing of those that are damaged or would write elsewhere."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile

import pytest

from cltensor.base.errors import SerializationError
from cltensor.io.unpacking import decompress, unpack_tar, unpack_zip
from hostile_files.tars import special, tarred
from hostile_files.zips import raw_zip, zipped

FILES = {"a.txt": b"one", "b/c.txt": b"two" * 1000}


def tree(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "to" / "b").mkdir(parents=True)
    (tmp_path / "to" / "b" / "there.txt").write_bytes(b"before")
    return tmp_path / "to"


@pytest.mark.parametrize("compression", [None, ".gz", ".bz2", ".xz"])
def test_tar(folder, tmp_path, compression):
    path = tmp_path / "archive"
    path.write_bytes(tarred(*FILES.items(), special("./", tarfile.DIRTYPE), special("empty", tarfile.DIRTYPE),
                            special("b/link", tarfile.SYMTYPE, "../a.txt"), special("hard", tarfile.LNKTYPE, "b/c.txt"),
                            mode=f"w:{(compression or '')[1:]}"))
    unpack_tar(path, folder, compression)
    assert tree(folder) == {**FILES, "b/there.txt": b"before", "b/link": b"one", "hard": FILES["b/c.txt"]}
    assert (folder / "empty").is_dir()
    assert not any(p.is_symlink() for p in folder.rglob("*"))


def test_zip(folder, tmp_path):
    path = tmp_path / "archive"
    path.write_bytes(zipped({**FILES, "empty/": b""}, zipfile.ZIP_DEFLATED))
    unpack_zip(path, folder)
    assert tree(folder) == {**FILES, "b/there.txt": b"before"}
    assert (folder / "empty").is_dir()


@pytest.mark.parametrize(("compression", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_compressed_files(tmp_path, compression, compress):
    (tmp_path / "packed").write_bytes(compress(b"data" * 1000))
    decompress(tmp_path / "packed", tmp_path / "made" / "data", compression)
    assert (tmp_path / "made" / "data").read_bytes() == b"data" * 1000
    (tmp_path / "packed").write_bytes(compress(b"data" * 1000)[:-8])
    with pytest.raises(SerializationError, match=r"packed is damaged .*; remove it and get it again"):
        decompress(tmp_path / "packed", tmp_path / "other", compression)
    assert not (tmp_path / "other").exists()


def linked_zip():
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


FIRST = ("first.txt", b"first")
BAD_TARS = {
    "upwards": (tarred(FIRST, ("../x", b"x")), r"'\.\./x' in it would be written outside"),
    "upwards inside": (tarred(FIRST, ("a/../../x", b"x")), "would be written outside"),
    "absolute": (tarred(FIRST, ("/tmp/x", b"x")), "would be written outside"),
    "a drive": (tarred(FIRST, ("C:/x", b"x")), "would be written outside"),
    "backslashes": (tarred(FIRST, ("..\\x", b"x")), "would be written outside"),
    "a link out": (tarred(FIRST, special("l", tarfile.SYMTYPE, "../../etc/passwd")), "'l' in it is a link to .*, outside the"),
    "an absolute link": (tarred(FIRST, special("l", tarfile.SYMTYPE, "/etc/passwd")), "outside the folder"),
    "a hard link out": (tarred(FIRST, special("l", tarfile.LNKTYPE, "../x")), "outside the folder"),
    "through a link": (tarred(FIRST, special("l", tarfile.SYMTYPE, "."), ("l/x", b"x")), "which is no file before it"),
    "a link to nothing": (tarred(FIRST, special("l", tarfile.SYMTYPE, "none")), "which is no file before it"),
    "a device": (tarred(FIRST, special("d", tarfile.CHRTYPE)), "'d' in it is a device or pipe"),
    "a pipe": (tarred(FIRST, special("d", tarfile.FIFOTYPE)), "is a device or pipe"),
    "a file as a folder": (tarred(FIRST, ("first.txt/x", b"x")), "is damaged"),
    "cut off": (tarred(FIRST, ("big", b"x" * 5000))[:3000], "is damaged"),
    "something else": (b"no archive at all" * 100, "is damaged"),
}
BAD_ZIPS = {
    "upwards": (zipped({"first": b"1", "../x": b"x"}), "would be written outside"),
    "absolute": (zipped({"first": b"1", "/x": b"x"}), "would be written outside"),
    "a link": (linked_zip(), "'link' in it is a link"),
    "a wrong checksum": (raw_zip({b"a": b"data"}, crc=1), "is damaged"),
    "encrypted": (raw_zip({b"a": b"data"}, flags=1), "'a' in it is encrypted"),
    "an unknown compression": (raw_zip({b"a": b"data"}, method=14), "is damaged"),
    "cut off": (zipped({"a": b"data"})[:-5], "is damaged"),
    "something else": (b"no archive", "is damaged"),
}


@pytest.mark.parametrize("name", BAD_TARS)
def test_bad_tars(folder, tmp_path, name):
    refused(unpack_tar, folder, tmp_path, *BAD_TARS[name])


@pytest.mark.parametrize("name", BAD_ZIPS)
def test_bad_zips(folder, tmp_path, name):
    refused(unpack_zip, folder, tmp_path, *BAD_ZIPS[name])


def refused(unpack, folder, tmp_path, data, said):
    (tmp_path / "archive").write_bytes(data)
    with pytest.raises(SerializationError, match=f"archive.*{said}.*(n|N)othing was unpacked"):
        unpack(tmp_path / "archive", folder)
    assert tree(folder) == {"b/there.txt": b"before"}
    assert sorted(os.listdir(tmp_path)) == ["archive", "to"]
    assert sorted(os.listdir(folder)) == ["b"]


def test_what_is_in_the_way(folder, tmp_path):
    (tmp_path / "archive").write_bytes(zipped({"b": b"a file"}))
    with pytest.raises(SerializationError, match=r"to/b is in the way of a file of this name"):
        unpack_zip(tmp_path / "archive", folder)
    (tmp_path / "archive").write_bytes(zipped({"b/there.txt/x": b"a file"}))
    with pytest.raises(SerializationError, match=r"there.txt is in the way of a folder of this name"):
        unpack_zip(tmp_path / "archive", folder)
    assert tree(folder) == {"b/there.txt": b"before"}


def test_an_archive_that_is_not_there(folder, tmp_path):
    with pytest.raises(FileNotFoundError):
        unpack_zip(tmp_path / "none", folder)
