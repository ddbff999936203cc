"""examples/image_folder.py: one short run, with workers, and what it writes."""

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def image_folder(example):
    """The example as a module."""
    return example("image_folder")


@pytest.mark.device
def test_short_run(image_folder, tmp_path, capsys):
    found = image_folder.main(["--epochs", "4", "--each", "15", "--workers", "1", "--output", str(tmp_path)])
    assert found > 0.2  # guessing gives 0.1
    assert "150 pictures of 10 classes to learn from, 300 for the test" in capsys.readouterr().out
    assert (tmp_path / "image_folder.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.device
def test_a_folder_of_ones_own(image_folder, tmp_path, capsys):
    rng = np.random.default_rng(0)
    for place in ("train/dark", "train/light", "test/dark", "test/light"):
        (tmp_path / place).mkdir(parents=True)
        for i in range(50):
            pixels = rng.integers(100, size=(20, 20, 3)) + 150 * ("light" in place)
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / place / f"{i}.png")
    found = image_folder.main(["--epochs", "2", "--workers", "0", "--data", str(tmp_path), "--output", str(tmp_path / "out")])
    assert found > 0.8  # guessing gives 0.5
    assert "100 pictures of 2 classes" in capsys.readouterr().out
    assert not (tmp_path / "out" / "digits").exists()


def test_the_pictures(image_folder, tmp_path):
    image_folder.write_pictures(tmp_path, 3, seed=0)
    assert [len(list(tmp_path.glob(f"{part}/7/*.png"))) for part in ("train", "test")] == [3, 6]
    assert len({path.name for path in tmp_path.rglob("*.png")}) == 10 * 9
    with Image.open(next(tmp_path.rglob("*.png"))) as picture:
        assert (picture.size, picture.mode) == ((32, 32), "RGB")
