"""ImageNet: archives like those of its site, made small, unpacked into folders of classes."""

import hashlib

import numpy as np
import pytest

import vision_files as files
from cltensor.vision.datasets import ImageNet, imagenet
from hostile_files.tars import tarred

pytest.importorskip("PIL.Image", reason="pictures are Pillow's")
savemat = pytest.importorskip("scipy.io", reason="it reads MATLAB's files").savemat
pytestmark = [pytest.mark.device, pytest.mark.any_style]


@pytest.fixture
def root(tmp_path, monkeypatch):
    files.picture(tmp_path / "picture.jpg")
    jpeg = (tmp_path / "picture.jpg").read_bytes()
    kinds = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("gloss", "O"), ("num_children", "O")]
    synsets = np.array([[(1, "n1", "cat, puss", "", 0)], [(2, "n2", "dog", "", 0)], [(3, "n3", "animal", "", 2)]], kinds)
    savemat(tmp_path / "meta.mat", {"synsets": synsets})
    kit = "ILSVRC2012_devkit_t12/data/"
    archives = {
        "devkit": tarred((kit + "meta.mat", (tmp_path / "meta.mat").read_bytes()),
                         (kit + "ILSVRC2012_validation_ground_truth.txt", b"2\n1\n2\n"), mode="w:gz"),
        "train": tarred(*((f"{name}.tar", tarred((f"{name}_1.JPEG", jpeg), (f"{name}_2.JPEG", jpeg))) for name in ("n1", "n2"))),
        "val": tarred(*((f"ILSVRC2012_val_{i}.JPEG", jpeg) for i in (3, 1, 2))),
    }
    for kind, data in archives.items():
        files.write(tmp_path / "in" / imagenet.ARCHIVE_META[kind][0], data)
    monkeypatch.setattr(imagenet, "ARCHIVE_META", {kind: (imagenet.ARCHIVE_META[kind][0], hashlib.md5(data).hexdigest())
                                                   for kind, data in archives.items()})
    return tmp_path / "in"


def test_archives_are_unpacked_once(root):
    data = ImageNet(root)
    assert data.wnids == ["n1", "n2"]
    assert data.classes == [("cat", "puss"), ("dog",)]
    assert data.class_to_idx == {"cat": 0, "puss": 0, "dog": 1}
    assert data.targets == [0, 0, 1, 1]
    assert data[3][0].size == (8, 6)
    assert repr(data).endswith("Split: train")
    for kind in imagenet.ARCHIVE_META.values():
        (root / kind[0]).unlink()
    assert len(ImageNet(root)) == 4
    with pytest.raises(RuntimeError, match=r"ILSVRC2012_img_val.tar is not there, or not whole. Get it from image-net.org"):
        ImageNet(root, "val")


def test_pictures_to_validate_with(root):
    data = ImageNet(root, "val")
    assert [p.relative_to(root).as_posix() for p in sorted((root / "val").rglob("*.JPEG"))] == [
        "val/n1/ILSVRC2012_val_2.JPEG", "val/n2/ILSVRC2012_val_1.JPEG", "val/n2/ILSVRC2012_val_3.JPEG"]
    assert data.targets == [0, 1, 1]


def test_another_archive(root):
    (root / "ILSVRC2012_devkit_t12.tar.gz").write_bytes(b"no archive")
    with pytest.raises(RuntimeError, match="not there, or not whole"):
        ImageNet(root)
    with pytest.raises(ValueError, match="Unknown value 'test' for argument split"):
        ImageNet(root, "test")
