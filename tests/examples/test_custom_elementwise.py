"""examples/custom_elementwise.py: one short run."""

import pytest


@pytest.fixture
def custom_elementwise(example):
    """The example as a module."""
    return example("custom_elementwise")


@pytest.mark.device
def test_short_run(custom_elementwise, tmp_path, capsys):
    found = custom_elementwise.main(["--epochs", "250", "--output", str(tmp_path)])
    assert found < 1  # the error of the better of the other two
    assert "agree with finite differences" in capsys.readouterr().out
    assert (tmp_path / "custom_elementwise.png").read_bytes().startswith(b"\x89PNG")
