"""examples/finetune.py: one short run that writes a checkpoint, one that is given it, and what is refused."""

import numpy as np
import pytest

import cltensor as ct


@pytest.fixture
def finetune(example):
    """The example as a module."""
    return example("finetune")


@pytest.mark.device
def test_short_runs(finetune, tmp_path, capsys):
    found = finetune.main(["--epochs", "2", "--images", "320", "--steps", "10", "--output", str(tmp_path)])
    out = capsys.readouterr().out
    assert found > 0.3  # guessing gives 0.2
    assert "resnet18.pth, 43 MiB" in out
    assert (tmp_path / "finetune.png").read_bytes().startswith(b"\x89PNG")
    state = ct.load(tmp_path / "resnet18.pth")
    assert state["fc.weight"].shape == (5, 512)
    finetune.main(["--checkpoint", str(tmp_path / "resnet18.pth"), "--steps", "1", "--output", str(tmp_path / "again")])
    assert "digits 0 to 4" not in capsys.readouterr().out
    restored = finetune.restored(tmp_path / "resnet18.pth").state_dict()
    for name, values in state.items():
        np.testing.assert_array_equal(restored[name].numpy(), values.numpy(), err_msg=name)


@pytest.mark.device
def test_a_file_with_other_contents(finetune, tmp_path):
    ct.save({"weight": ct.ones(2)}, tmp_path / "other.pth", format="torch")
    with pytest.raises(SystemExit, match=r"other\.pth is no state_dict of a ResNet-18"):
        finetune.main(["--checkpoint", str(tmp_path / "other.pth"), "--output", str(tmp_path)])
