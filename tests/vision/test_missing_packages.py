"""Without Pillow or SciPy there is one clear error, where they are needed."""

import sys

import pytest

from cltensor.vision import datasets, pillow
from cltensor.vision.datasets import matlab

pytestmark = pytest.mark.any_style


@pytest.fixture
def without(monkeypatch):
    """Hides a package."""
    def hide(*names):
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)
    return hide


def test_pillow(without, tmp_path):
    without("PIL", "PIL.Image", "PIL.ImageDraw")
    for part in ("Image", "ImageDraw"):
        with pytest.raises(ImportError, match=r"cltensor.vision: needs the package PIL.*pip install 'cltensor\[vision\]'"):
            pillow.module(part)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.txt").write_text("text")
    read = datasets.DatasetFolder(tmp_path, lambda path: open(path).read(), (".txt",))  # noqa: SIM115
    assert len(read) == 1


def test_scipy(without, tmp_path):
    without("scipy", "scipy.io")
    with pytest.raises(ImportError, match=r"reading a .mat file: needs the package scipy.*pip install 'cltensor\[matlab\]'"):
        matlab.arrays_in(tmp_path / "x.mat", "X")
