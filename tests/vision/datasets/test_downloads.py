"""Downloads of datasets from a server in a thread: fetched and unpacked once, checked; one line where there is none."""

import gzip
import hashlib
import os

import numpy as np
import pytest

import vision_files as files
from cltensor.base.errors import ArgumentError, SerializationError
from cltensor.io import download
from cltensor.io.download import ChecksumError, DownloadError
from cltensor.vision import datasets as D
from cltensor.vision.datasets import downloads, utils
from hostile_files.tars import tarred
from hostile_files.zips import zipped
from served_files import serving

pytest.importorskip("PIL.Image", reason="pictures are Pillow's")
pytestmark = pytest.mark.any_style


def md5(data):
    return hashlib.md5(data).hexdigest()


@pytest.fixture
def quiet(monkeypatch):
    """No progress bars."""
    monkeypatch.setattr(download, "_bar", lambda progress, name: download._NoBar())


@pytest.fixture
def mnist(tmp_path, monkeypatch, quiet):
    """A server with MNIST's four files, made small, as the second mirror."""
    files.mnist(tmp_path / "made")
    packed = {p.name: gzip.compress(p.read_bytes()) for p in (tmp_path / "made" / "MNIST" / "raw").iterdir()}
    with serving(**{f"{name}.gz": data for name, data in packed.items()}) as s:
        monkeypatch.setattr(D.MNIST, "mirrors", [f"{s.url}/nowhere/", f"{s.url}/"])
        monkeypatch.setattr(D.MNIST, "resources", [(f"{name}.gz", md5(data)) for name, data in packed.items()])
        yield s


@pytest.mark.device
def test_mnist_is_downloaded_once(mnist, tmp_path):
    with pytest.raises(RuntimeError, match="You can use download=True"):
        D.MNIST(tmp_path / "data")
    assert len(D.MNIST(tmp_path / "data", download=True)) == 6
    asked = len(mnist.seen)
    assert len(D.MNIST(tmp_path / "data", train=False, download=True)) == 4
    assert (asked, len(mnist.seen)) == (8, 8)
    assert len(os.listdir(tmp_path / "data" / "MNIST" / "raw")) == 8


@pytest.mark.device
def test_a_cut_connection_and_a_wrong_file(mnist, tmp_path):
    mnist.cut = [10]
    mnist.files["/nowhere"] = b""
    D.MNIST(tmp_path / "data", download=True)
    name = "train-labels-idx1-ubyte.gz"
    mnist.files[f"/{name}"] = b"something else"
    with pytest.raises(ChecksumError, match=f"^MNIST: http.*{name}: the file that came has the md5"):
        D.MNIST(tmp_path / "again", download=True)
    assert name not in os.listdir(tmp_path / "again" / "MNIST" / "raw")


def test_no_network_is_said_in_one_line(mnist, tmp_path, monkeypatch):
    with serving() as gone:
        monkeypatch.setattr(D.MNIST, "mirrors", [f"{gone.url}/"])
    with pytest.raises(DownloadError, match=r"^MNIST: http.* there is no connection to 127.0.0.1.*put it at") as caught:
        D.MNIST(tmp_path / "data", download=True)
    assert "\n" not in str(caught.value)


@pytest.mark.device
def test_an_archive_of_cifar(tmp_path, monkeypatch, quiet):
    files.cifar(tmp_path)
    folder = tmp_path / D.CIFAR10.base_folder
    held = {p.name: p.read_bytes() for p in folder.iterdir()}
    archive = tarred(*((f"{folder.name}/{name}", data) for name, data in held.items()), mode="w:gz")
    for lists in ("train_list", "test_list"):
        monkeypatch.setattr(D.CIFAR10, lists, [[name, md5(held[name])] for name, _ in getattr(D.CIFAR10, lists)])
    monkeypatch.setattr(D.CIFAR10, "meta", {**D.CIFAR10.meta, "md5": md5(held["batches.meta"])})
    with serving(c=archive) as s:
        monkeypatch.setattr(D.CIFAR10, "url", f"{s.url}/c")
        monkeypatch.setattr(D.CIFAR10, "tgz_md5", md5(archive))
        assert len(D.CIFAR10(tmp_path / "data", download=True)) == 15
        (tmp_path / "data" / folder.name / "data_batch_1").write_bytes(b"damaged")
        assert len(D.CIFAR10(tmp_path / "data", download=True)) == 15
        assert len(s.seen) == 1


@pytest.mark.device
def test_emnist_and_qmnist(tmp_path, monkeypatch, quiet):
    files.emnist(tmp_path)
    files.qmnist(tmp_path, 3)
    raw = tmp_path / "EMNIST" / "raw"
    archive = zipped({f"gzip/{p.name}.gz": gzip.compress(p.read_bytes()) for p in raw.iterdir()})
    labelled = {p.name: gzip.compress(p.read_bytes()) for p in (tmp_path / "QMNIST" / "raw").iterdir()}
    with serving(**{"gzip.zip": archive}, **{f"{name}.gz": data for name, data in labelled.items()}) as s:
        monkeypatch.setattr(D.EMNIST, "url", f"{s.url}/gzip.zip")
        monkeypatch.setattr(D.EMNIST, "md5", md5(archive))
        letters = D.EMNIST(tmp_path / "data", "letters", train=False, download=True)
        assert np.array_equal(letters.data.numpy(), files.pixels(3, 28, 28))
        assert not (tmp_path / "data" / "EMNIST" / "raw" / "gzip").exists()
        monkeypatch.setattr(D.QMNIST, "resources", {"test": [(f"{s.url}/{name}.gz", md5(labelled[name])) for name in (
            "qmnist-test-images-idx3-ubyte", "qmnist-test-labels-idx2-int")]})
        assert len(D.QMNIST(tmp_path / "data", "test", download=True)) == 3


def test_download_url_and_archives(tmp_path, quiet):
    archive = tarred(("x/y.txt", b"text"), mode="w:gz")
    with serving(**{"a.tgz": archive, "b.txt": b"text"}) as s:
        utils.download_url(f"{s.url}/b.txt", tmp_path, md5=md5(b"text"))
        utils.download_url(f"{s.url}/b.txt", tmp_path, md5=md5(b"text"))
        assert len(s.seen) == 1
        assert utils.check_integrity(tmp_path / "b.txt", md5(b"text"))
        assert not utils.check_integrity(tmp_path / "b.txt", md5(b"other"))
        assert not utils.check_integrity(tmp_path / "none")
        assert utils.check_md5(tmp_path / "b.txt", utils.calculate_md5(tmp_path / "b.txt"))
        utils.download_url(f"{s.url}/b.txt?x=1", tmp_path, "c.txt")
        utils.download_and_extract_archive(f"{s.url}/a.tgz", tmp_path / "in", tmp_path / "out", None, md5(archive), True)
        with pytest.raises(ChecksumError, match=r"^download_url: http.*the md5"):
            utils.download_url(f"{s.url}/b.txt", tmp_path, "d.txt", md5="0" * 32)
    assert (tmp_path / "out" / "x" / "y.txt").read_text() == "text"
    assert os.listdir(tmp_path / "in") == []


def test_references_to_other_servers_are_counted(tmp_path, monkeypatch, quiet):
    with serving(a=b"text") as s:
        monkeypatch.setattr("http.server.BaseHTTPRequestHandler.send_error", lambda handler, code: (
            handler.send_response(302), handler.send_header("Location", f"{handler.path}x"), handler.end_headers()))
        with pytest.raises(DownloadError, match="the server answers 302"):
            download.fetch(f"{s.url}/none", tmp_path / "x", progress=False, redirects=2)
        assert len(s.seen) == 3


def test_addresses_at_google_drive(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(downloads, "fetch",
                        lambda url, path, checksum, **_: seen.append((url.split("id=")[1].split("&")[0], path.name)))
    utils.download_url("https://drive.google.com/file/d/abc_1/view?usp=sharing", tmp_path, "x.zip")
    utils.download_url("https://docs.google.com/uc?export=download&id=abc-2", tmp_path)
    assert seen == [("abc_1", "x.zip"), ("abc-2", "abc-2")]


@pytest.mark.parametrize("name", ["a.tar", "a.tgz", "a.tar.gz", "a.tbz", "a.tbz2", "a.tar.bz2", "a.tar.xz", "a.zip", "a.b.zip"])
def test_archives_by_their_names(tmp_path, name):
    held = {"x.txt": b"text"}
    mode = "w" if name.endswith("tar") else f"w:{'gz' if 'gz' in name else 'xz' if 'xz' in name else 'bz2'}"
    (tmp_path / name).write_bytes(zipped(held) if name.endswith("zip") else tarred(*held.items(), mode=mode))
    assert utils.extract_archive(str(tmp_path / name)) == str(tmp_path)
    assert (tmp_path / "x.txt").read_bytes() == b"text"


def test_compressed_files_and_other_names(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"text"))
    assert utils.extract_archive(tmp_path / "a.txt.gz", remove_finished=True).read_bytes() == b"text"
    assert os.listdir(tmp_path) == ["a.txt"]
    for name in ("a", "a.rar", ".gitignore"):
        with pytest.raises(ArgumentError, match="has no ending of an archive"):
            utils.extract_archive(tmp_path / name)
    (tmp_path / "b.zip").write_bytes(zipped({"../x": b"1"}))
    with pytest.raises(SerializationError, match="outside the folder"):
        utils.extract_archive(tmp_path / "b.zip")


def test_names_in_folders_and_arguments(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "y.png").touch()
    assert utils.list_dir(tmp_path) == ["x"]
    assert utils.list_files(tmp_path, ".png", prefix=True) == [str(tmp_path / "y.png")]
    assert utils.iterable_to_str([1, "a"]) == "'1', 'a'"
    assert utils.verify_str_arg("a", "x", ("a",)) == "a"
    for value, said in ((3, "Expected type str for argument x, but got 3"), ("b", "Unknown value 'b' for argument x. Valid values "
                                                                                  "are")):
        with pytest.raises(ArgumentError, match=said):
            utils.verify_str_arg(value, "x", ("a",))
    with pytest.raises(ArgumentError, match="mine"):
        utils.verify_str_arg("b", "x", ("a",), "mine")
