"""examples/digits.py: one short run from the data to the picture, and how it answers mistakes."""

import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

FILE = Path(__file__).resolve().parents[2] / "examples" / "digits.py"


@pytest.fixture
def digits(example):
    """The example as a module."""
    return example("digits")


@pytest.mark.device
def test_short_run(digits, tmp_path, capsys, monkeypatch):
    whole = digits.load_digits()
    few = SimpleNamespace(images=whole.images[:150], target=whole.target[:150])
    monkeypatch.setattr(digits, "load_digits", lambda: few)
    accuracy = digits.main(["--epochs", "2", "--batch-size", "50", "--output", str(tmp_path / "out")])
    out = capsys.readouterr().out.splitlines()
    assert accuracy > 0.2  # guessing gives 0.1
    assert [line[:10] for line in out[2:4]] == ["epoch  1/2", "epoch  2/2"]
    assert "loaded again, it predicts the same" in out[6]
    assert max(map(len, out[2:4])) < 80
    assert (tmp_path / "out" / "digits.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "out" / "digits.safetensors").stat().st_size > 10_000


def test_split_and_standardisation(digits, monkeypatch):
    class Kept(SimpleNamespace):
        def __init__(self, *tensors):
            super().__init__(tensors=tensors)

    monkeypatch.setattr(digits, "TensorDataset", Kept)
    monkeypatch.setattr(digits.ct, "tensor", lambda values, **_: np.asarray(values))
    training, test = digits.datasets(0, None, None)
    again, _ = digits.datasets(0, None, None)
    other, _ = digits.datasets(1, None, None)
    assert [t.tensors[0].shape for t in (training, test)] == [(1438, 1, 8, 8), (359, 1, 8, 8)]
    assert np.array_equal(training.tensors[1], again.tensors[1])
    assert not np.array_equal(training.tensors[1], other.tensors[1])
    assert (training.tensors[0].mean(), training.tensors[0].std()) == pytest.approx((0, 1), abs=1e-9)
    assert set(test.tensors[1]) == set(range(10))


@pytest.mark.parametrize(("start", "encoding", "shown"), [
    ("", "utf-8", "epoch  1/9 ████████████ loss 0.500  accuracy 100.0%   200 images/s, test 99.0%\n"),
    ("", "ascii", "epoch  1/9 ############ loss 0.500  accuracy 100.0%   200 images/s, test 99.0%\n"),
    ("\r", "ascii", "\repoch  1/9 ######...... loss 0.600  accuracy  50.0%   100 images/s"
                    "\repoch  1/9 ############ loss 0.500  accuracy 100.0%   200 images/s, test 99.0%\n"),
])
def test_progress_bar(digits, monkeypatch, start, encoding, shown):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    monkeypatch.setattr(digits, "START_OF_LINE", start)
    monkeypatch.setattr(digits.sys, "stdout", stream)
    digits.show(1, 9, 0.5, 0.6, 0.5, 100)
    digits.show(1, 9, 1, 0.5, 1, 200, 0.99)
    assert stream.buffer.getvalue().decode(encoding) == shown


def test_numbers_without_sense(digits, capsys):
    with pytest.raises(SystemExit, match="2"):
        digits.main(["--epochs", "0"])
    assert "must be at least 1" in capsys.readouterr().err


def test_device_that_is_not_there():
    run = subprocess.run([sys.executable, FILE, "--device", "tpu"], capture_output=True, text=True, check=False,
                         env=dict(os.environ, PYTHONPATH=str(FILE.parents[1])))
    assert run.returncode == 1
    assert run.stderr.startswith("digits: ")
    assert "Traceback" not in run.stderr
