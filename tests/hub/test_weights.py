"""hub: weights from a server in a thread, downloaded once, checked, and loaded without running code."""

import hashlib
import io
import os
import pickle

import pytest

import cltensor as ct
from cltensor.base.errors import ArgumentError, PickleError
from cltensor.io.download import ChecksumError, DownloadError
from hostile_files.zips import zipped
from served_files import serving

pytestmark = [pytest.mark.device, pytest.mark.any_style]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """The bytes of a file of weights, in PyTorch's format."""
    out = io.BytesIO()
    ct.save({"w": ct.arange(6.0).reshape(2, 3)}, out, format="torch")
    return out.getvalue()


@pytest.fixture
def folder(tmp_path):
    before = list(ct.hub.folder._chosen)
    ct.hub.set_dir(tmp_path)
    yield tmp_path
    ct.hub.folder._chosen[:] = before


@pytest.fixture
def served(weights):
    digits = hashlib.sha256(weights).hexdigest()[:8]
    with serving(**{f"net-{digits}.pth": weights, "net-00000000.pth": weights, "net.pth": weights}) as s:
        s.digits = digits
        yield s


def test_where_things_are_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(ct.hub.folder, "_chosen", [])
    monkeypatch.setenv("CLTENSOR_HOME", str(tmp_path))
    assert ct.hub.get_dir() == str(tmp_path / "hub")
    monkeypatch.delenv("CLTENSOR_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert os.path.basename(ct.hub.get_dir()) == "hub"
    ct.hub.set_dir("~/elsewhere")
    assert ct.hub.get_dir() == os.path.expanduser("~/elsewhere")


def test_weights_are_downloaded_once(served, folder, weights):
    url = f"{served.url}/net-{served.digits}.pth"
    for _ in range(2):
        state = ct.hub.load_state_dict_from_url(url, progress=False, check_hash=True)
        assert state["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert len(served.seen) == 1
    assert (folder / "checkpoints" / f"net-{served.digits}.pth").read_bytes() == weights


def test_another_folder_and_name(served, tmp_path):
    ct.hub.load_state_dict_from_url(f"{served.url}/net.pth?download=1", tmp_path / "here", map_location="cpu", progress=False,
                                    file_name="mine.pth")
    assert os.listdir(tmp_path / "here") == ["mine.pth"]


def test_weights_in_an_archive_of_one_file(tmp_path, weights):
    with serving(**{"net.zip": zipped({"net.pth": weights})}) as s:
        assert ct.hub.load_state_dict_from_url(f"{s.url}/net.zip", tmp_path, progress=False)["w"].shape == (2, 3)


def test_another_file_than_its_name_says(served, tmp_path):
    with pytest.raises(ChecksumError, match=r"^load_state_dict_from_url: http.*expected 00000000"):
        ct.hub.load_state_dict_from_url(f"{served.url}/net-00000000.pth", tmp_path, progress=False, check_hash=True)
    assert os.listdir(tmp_path) == []


def test_names_without_digits(served, tmp_path):
    with pytest.raises(ArgumentError, match=r"check_hash needs a file whose name ends .* got 'net.pth'"):
        ct.hub.load_state_dict_from_url(f"{served.url}/net.pth", tmp_path, progress=False, check_hash=True)
    with pytest.raises(ArgumentError, match="'a/b' is no name of a file"):
        ct.hub.load_state_dict_from_url(f"{served.url}/net.pth", tmp_path, file_name="a/b")


def test_files_run_no_code(tmp_path):
    with serving(net=b"\x80\x02" + pickle.dumps(print, 2)[2:]) as s, pytest.raises(ct.SerializationError):
        ct.hub.load_state_dict_from_url(f"{s.url}/net", tmp_path, progress=False)
    assert issubclass(PickleError, ct.SerializationError)


def test_download_url_to_file(served, tmp_path, weights):
    ct.hub.download_url_to_file(f"{served.url}/net.pth", tmp_path / "x", served.digits, progress=False)
    assert (tmp_path / "x").read_bytes() == weights
    with pytest.raises(DownloadError, match=r"^download_url_to_file: http.* the server answers 404 Not Found"):
        ct.hub.download_url_to_file(f"{served.url}/none", tmp_path / "y", progress=False)
