"""Downloads from a server in a thread: whole files or none, going on after cuts, checksums, and what is said where there is
nothing."""

import hashlib
import os
import urllib.error

import numpy as np
import pytest

from cltensor.io import download
from cltensor.io.download import Checksum, ChecksumError, DownloadError, fetch
from served_files import serving

DATA = np.random.default_rng(0).bytes(700_000)
OTHER = np.random.default_rng(1).bytes(700_000)
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def served():
    with serving(data=DATA) as s:
        yield s


def left(folder):
    return sorted(os.listdir(folder))


def test_a_file_comes_whole_and_alone(served, tmp_path):
    fetch(f"{served.url}/data", tmp_path / "made" / "data", Checksum("sha256", SHA[:8]), progress=False)
    assert (tmp_path / "made" / "data").read_bytes() == DATA
    assert left(tmp_path / "made") == ["data"]


def test_other_addresses_than_of_http(tmp_path):
    (tmp_path / "a").write_bytes(DATA)
    fetch((tmp_path / "a").as_uri(), tmp_path / "b", Checksum("md5", hashlib.md5(DATA).hexdigest()), progress=False)
    assert (tmp_path / "b").read_bytes() == DATA


def test_it_goes_on_where_connections_were_cut(served, tmp_path):
    served.cut = [100_000, 1, 300_000]
    fetch(f"{served.url}/data", tmp_path / "data", Checksum("sha256", SHA), progress=False)
    assert (tmp_path / "data").read_bytes() == DATA
    assert [asked for _, asked in served.seen] == [None, "bytes=100000-", "bytes=100001-", "bytes=400001-"]


def test_what_a_failed_call_leaves_the_next_one_takes_up(served, tmp_path):
    served.cut = [250_000, *[0] * 20]
    (tmp_path / "data").write_bytes(b"old")
    with pytest.raises(DownloadError, match=r"was cut after 250000 bytes of 700000; they are kept in .*the same call goes on"):
        fetch(f"{served.url}/data", tmp_path / "data", progress=False)
    assert (tmp_path / "data").read_bytes() == b"old"
    assert left(tmp_path) == ["data", "data.partial", "data.partial.json"]
    served.cut.clear()
    served.seen.clear()
    fetch(f"{served.url}/data", tmp_path / "data", progress=False)
    assert (tmp_path / "data").read_bytes() == DATA
    assert served.seen == [("/data", "bytes=250000-")]
    assert left(tmp_path) == ["data"]


@pytest.mark.parametrize("change", ["contents", "no parts", "no tags", "another address", "no note"])
def test_it_starts_anew_where_it_cannot_go_on(served, tmp_path, change):
    served.tags = change != "no tags"
    served.cut = [250_000, *[0] * 20]
    with pytest.raises(DownloadError, match="cut"):
        fetch(f"{served.url}/data", tmp_path / "data", progress=False)
    served.cut.clear()
    served.ranges = change != "no parts"
    expected = OTHER if change == "contents" else DATA
    served.files["/data"] = served.files["/two"] = expected
    if change == "no note":
        (tmp_path / "data.partial.json").write_text("[]")
    fetch(f"{served.url}/{'two' if change == 'another address' else 'data'}", tmp_path / "data", progress=False)
    assert (tmp_path / "data").read_bytes() == expected


def test_a_part_that_is_already_whole(served, tmp_path):
    served.cut = [250_000, *[0] * 20]
    with pytest.raises(DownloadError, match="cut"):
        fetch(f"{served.url}/data", tmp_path / "data", progress=False)
    served.cut.clear()
    (tmp_path / "data.partial").write_bytes(DATA)
    fetch(f"{served.url}/data", tmp_path / "data", progress=False)
    assert (tmp_path / "data").read_bytes() == DATA
    assert served.seen[-1] == ("/data", "bytes=700000-")


def test_a_part_that_is_too_long(served, tmp_path):
    served.cut = [250_000, *[0] * 20]
    with pytest.raises(DownloadError, match="cut"):
        fetch(f"{served.url}/data", tmp_path / "data", progress=False)
    served.cut.clear()
    (tmp_path / "data.partial").write_bytes(DATA + b"more")
    fetch(f"{served.url}/data", tmp_path / "data", progress=False)
    assert (tmp_path / "data").read_bytes() == DATA


def test_chunks_of_unknown_number_that_are_cut(served, tmp_path):
    served.chunked, served.cut = True, [1000]
    fetch(f"{served.url}/data", tmp_path / "data", progress=False)
    assert (tmp_path / "data").read_bytes() == DATA


def test_another_checksum_leaves_the_old_file_and_nothing_else(served, tmp_path):
    (tmp_path / "data").write_bytes(b"old")
    with pytest.raises(ChecksumError, match=f"came has the sha256 {SHA}, expected 0123abcd; it was removed"):
        fetch(f"{served.url}/data", tmp_path / "data", Checksum("sha256", "0123ABCD"), progress=False)
    assert (tmp_path / "data").read_bytes() == b"old"
    assert left(tmp_path) == ["data"]


@pytest.mark.parametrize(("path", "code"), [("/none", 404), ("/data", 503)])
def test_what_the_server_does_not_give(served, tmp_path, path, code):
    served.status["/data"] = 503
    with pytest.raises(DownloadError, match=f"server answers {code} .*; check the address, or .* put it at {tmp_path}") as caught:
        fetch(served.url + path, tmp_path / "x", progress=False)
    assert caught.value.code == code
    assert "\n" not in str(caught.value)
    assert left(tmp_path) == []


def test_no_network_is_said_in_one_line(tmp_path):
    with serving() as gone:
        url = gone.url
    with pytest.raises(urllib.error.URLError, match=r"there is no connection to 127.0.0.1.*; connect to the network, or") as caught:
        fetch(f"{url}/x", tmp_path / "x", progress=False)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, RuntimeError)
    assert left(tmp_path) == []


def test_no_address(tmp_path):
    with pytest.raises(DownloadError, match=r"'nothing' is no address of a file .*; it must be a URL"):
        fetch("nothing", tmp_path / "x", progress=False)


def test_two_at_once_do_not_disturb_each_other(served, tmp_path):
    other = download._Partial.of(str(tmp_path / "data"), "http://elsewhere")
    other.write(b"theirs")
    fetch(f"{served.url}/data", tmp_path / "data", progress=False)
    assert (tmp_path / "data").read_bytes() == DATA
    other.discard()
    assert left(tmp_path) == ["data"]


def test_progress_is_shown_by_tqdm(served, tmp_path, capsys):
    pytest.importorskip("tqdm", reason="bars are tqdm's")
    fetch(f"{served.url}/data", tmp_path / "data")
    assert "data" in capsys.readouterr().err
