"""Zip archives that are damaged or malicious, of PyTorch and of NumPy: each is refused with what is wrong, in little memory."""

import io
import os
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

import cltensor
from cltensor.io import load
from cltensor.io.source import InMemory
from cltensor.io.zip_archive import ArchiveWriter, archive_in
from hostile_files.pickles import archive, entries, view
from hostile_files.zips import raw_zip, zipped

pytestmark = pytest.mark.device
ONE = {b"archive/data.pkl": b"\x80\x02N."}
TWO = {b"archive/data.pkl": b"\x80\x02N.", b"archive/version": b"3\n"}


def with_version(text):
    return zipped(entries(pkl=b"\x80\x02N.", version=text))


def npy(array=None, header=None, **changes):
    """The bytes of an .npy file; header: a dict in the place of its own."""
    out = io.BytesIO()
    np.save(out, np.arange(4.0) if array is None else array, allow_pickle=True)
    data = out.getvalue()
    if header is None:
        return data
    text = repr({"descr": "<f8", "fortran_order": False, "shape": (4,), **header}).encode().ljust(117) + b"\n"
    return data[:8] + struct.pack("<H", len(text)) + text + data[-32:]


BAD = {
    "a wrong checksum": (raw_zip(ONE, crc=1), "checksum of 'archive/data.pkl' in the archive is wrong"),
    "an encrypted entry": (raw_zip(ONE, flags=1), "'archive/data.pkl' in the archive is encrypted"),
    "an unknown compression": (raw_zip(ONE, method=14), "compressed by method 14"),
    "an entry that is larger": (raw_zip(ONE, packed=400, size=400), "overlaps what follows it"),
    "sizes that differ": (raw_zip(ONE, size=5), "stored as 4 bytes, but claims 5"),
    "an entry elsewhere": (raw_zip(TWO, start=20), "overlaps what follows it|directory and its entry"),
    "an entry past the end": (raw_zip(ONE, start=10**6), "overlaps what follows it|bytes .* were asked"),
    "another name in the entry": (raw_zip(ONE, local_name=b"archive/data.pkx"),
                                  "directory and its entry 'archive/data.pkl' disagree"),
    "overlapping entries": (raw_zip(TWO, packed=60, size=60), "overlaps what follows it"),
    "more entries than there are": (raw_zip(ONE, count=2), "not where its end says"),
    "fewer entries than there are": (raw_zip(TWO, count=1), "directory of 1 entries takes"),
    "a million entries": (raw_zip(ONE, count=65534), "not where its end says"),
    "a directory elsewhere": (raw_zip(ONE, directory_start=3), "not where its end says"),
    "a directory of another size": (raw_zip(ONE, directory_size=3), "not where its end says"),
    "something between": (raw_zip(ONE, between=b"x"), "not where its end says"),
    "something before": (b"PK\x03\x04" + raw_zip(ONE), "not where its end says"),
    "several disks": (raw_zip(ONE, disk=1), "split over several files"),
    "zip64 without its directory": (raw_zip(ONE, count=0xFFFF), "zip64 directory"),
    "no end": (raw_zip(ONE)[:-30], "no directory at its end"),
    "only a start": (b"PK\x03\x04", "no directory at its end"),
    "empty": (b"PK\x05\x06" + b"\0" * 18, "an empty zip archive"),
    "a name that is no UTF-8": (raw_zip({b"archive/\xff": b""}), "not UTF-8: b'archive/.xff'"),
    "a name that leads up": (raw_zip({b"archive/../../etc/x": b""}), "leads out of it"),
    "an absolute name": (raw_zip({b"/archive/data.pkl": b""}), "leads out of it"),
    "a name of Windows": (raw_zip({b"C:archive": b""}), "leads out of it"),
    "a name of nothing": (raw_zip({b"": b""}), "leads out of it"),
    "no pickle": (zipped({"archive/version": b"3"}), "without one data.pkl in it"),
    "two pickles": (zipped({"a/data.pkl": b"", "b/data.pkl": b""}), "without one data.pkl in it"),
    "TorchScript": (zipped({**entries(), "archive/constants.pkl": b""}), "a TorchScript program, which is code"),
    "a later version": (with_version(b"11\n"), "version of its layout is '11'"),
    "no version": (with_version(b"x"), "version of its layout is 'x'"),
    "a version that is long": (with_version(b"3" * 1000), "where a word is expected"),
    "another order of bytes": (archive(view(), byteorder=b"middle"), "'middle', neither little nor big"),
    "npz: a damaged array": (zipped({"a.npy": npy()[:-1]}), "takes 32 bytes, 31 are there"),
    "npz: objects": (zipped({"a.npy": npy(np.array([None]))}), "holds Python objects, which are a pickle that could run code"),
    "npz: no array": (zipped({"a.npy": b"text"}), "does not start as"),
    "npy: truncated": (npy()[:-8], "takes 32 bytes, 24 are there"),
    "npy: objects": (npy(np.array([None])), "holds Python objects"),
    "npy: text": (npy(np.array(["a"])), "holds '<U1'; only arrays of numbers"),
    "npy: records": (npy(np.zeros(1, [("a", "f4")])), "only arrays of numbers"),
    "npy: no header": (b"\x93NUMPY\x01\x00", "does not start as"),
    "npy: another version": (b"\x93NUMPY\x09\x00" + npy()[8:], "does not start as NumPy's versions 1 to 3"),
    "npy: code in the header": (npy(header={"descr": "__import__('os')"}), "only arrays of numbers"),
    "npy: a header without end": (npy()[:8] + b"\xff\xff" + npy()[10:], "should end at 65545"),
    "npy: nested without end": (npy(header={"shape": 0})[:10] + b"[" * 118 + npy(header={"shape": 0})[128:], "header of an array"),
    "npy: a shape that is none": (npy(header={"shape": 4}), "has the shape 4, which is none"),
    "npy: a negative size": (npy(header={"shape": (-4,)}), "which is none|are there"),
    "npy: an enormous size": (npy(header={"shape": (2**40, 2**40)}), "takes .* bytes, 32 are there"),
    "npy: an enormous size of nothing": (npy(header={"shape": (0, 2**63)}), "which is none"),
    "tar": (b"\0" * 257 + b"ustar" + b"\0" * 300, "a tar archive, as PyTorch before 0.1.10"),
}


@pytest.mark.parametrize("name", BAD)
def test_refused(name, tmp_path):
    data, words = BAD[name]
    path = tmp_path / "weights.pt"
    path.write_bytes(data)
    for given, settings in ((path, {}), (io.BytesIO(data), {}), (path, {"mmap": name != "a wrong checksum"})):
        with pytest.raises(cltensor.SerializationError, match=words) as caught:
            load(given, **settings)
    assert str(path) in str(caught.value)


def test_a_mapped_file_is_not_compared_with_its_checksum(tmp_path):
    (tmp_path / "f").write_bytes(raw_zip(ONE, crc=1))
    assert load(tmp_path / "f", mmap=True) is None


def test_an_entry_that_unpacks_to_more_or_less_than_it_claims_is_refused():
    packed = zipped({"archive/data.pkl": b"\x80\x02" + b"N0" * 50_000 + b"N."}, zipfile.ZIP_DEFLATED)
    assert load(io.BytesIO(packed)) is None
    size = struct.pack("<I", 100_004)
    assert packed.count(size) == 2
    for wrong in (99_000, 101_000):
        with pytest.raises(cltensor.SerializationError, match="does not unpack"):
            load(io.BytesIO(packed.replace(size, struct.pack("<I", wrong))))
    damaged = bytearray(packed)
    damaged[60:90] = b"\xff" * 30
    with pytest.raises(cltensor.SerializationError, match="does not unpack"):
        load(io.BytesIO(bytes(damaged)))


def test_a_bomb_is_refused_before_it_unpacks():
    data = raw_zip({b"archive/data.pkl": b"\x63\x60" * 500}, method=8, size=10**9)
    tracemalloc.start()
    with pytest.raises(cltensor.SerializationError, match="more than is possible"):
        load(io.BytesIO(data))
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_two_entries_of_one_name_are_refused():
    data = raw_zip({b"archive/data.pkl": b"\x80\x02N.", b"archive/data.pkx": b"\x80\x02K\x01."})
    with pytest.raises(cltensor.SerializationError, match=r"two entries named 'archive/data\.pkl'"):
        load(io.BytesIO(data.replace(b"data.pkx", b"data.pkl")))


def test_many_entries_are_refused_before_they_are_read():
    end = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1 << 40, 1 << 40, 0, 4)
    data = b"PK\x03\x04" + end + struct.pack("<4sIQI", b"PK\x06\x07", 0, 4, 1) + b"PK\x05\x06" + b"\xff" * 16 + b"\0\0"
    with pytest.raises(cltensor.SerializationError, match="has 1099511627776 entries"):
        load(io.BytesIO(data))


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes with names on this system")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(cltensor.SerializationError, match="this is a pipe, not a file"):
        load(tmp_path / "pipe")


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="there is no /dev/zero")
def test_a_device_is_refused():
    with pytest.raises(cltensor.SerializationError, match="this is a device, not a file"):
        load("/dev/zero")


def test_folders_and_missing_files_are_errors_of_the_system(tmp_path):
    with pytest.raises(IsADirectoryError):
        load(tmp_path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing")


# --- what is written is a zip archive --------------------------------------------------------------------------------


def written(members):
    out = io.BytesIO()
    writer = ArchiveWriter(out)
    for name, data in members.items():
        writer.add(name, data)
    writer.finish()
    return out.getvalue()


def test_pythons_zipfile_reads_what_is_written():
    members = {"a": b"", "b/c": b"x" * 1000, "é": b"y" * 63}
    with zipfile.ZipFile(io.BytesIO(written(members))) as z:
        assert z.testzip() is None
        assert {name: z.read(name) for name in z.namelist()} == members


def test_data_is_aligned():
    data = written({"a": b"", "b": b"data", "c" * 60: b"more"})
    assert [data.index(word) % 64 for word in (b"data", b"more")] == [0, 0]


def test_zip64_fields_are_written_and_read_where_numbers_are_large(monkeypatch):
    from cltensor.io import zip_archive

    members = {f"n{i}": bytes([i]) * (i * 40) for i in range(10)}
    monkeypatch.setattr(zip_archive, "_FULL64", 100)
    monkeypatch.setattr(zip_archive, "_FULL", 5)
    data = written(members)
    found = archive_in(InMemory(data, "f"))
    assert {name: found.read(name).tobytes() for name in found.members} == members


def test_many_members_need_a_zip64_end():
    data = written({str(i): b"" for i in range(70_000)})
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        assert len(z.namelist()) == 70_000
    assert len(archive_in(InMemory(data, "f")).members) == 70_000
