"""Folders of pictures: what is found, in which order, and what is said where there is nothing; FakeData; loaders with workers."""

import multiprocessing
import pickle
import re

import numpy as np
import pytest

import cltensor as ct
import vision_files
from cltensor.base.errors import ArgumentError, DimensionError, MissingError, SerializationError
from cltensor.utils.data import DataLoader
from cltensor.vision.datasets import DatasetFolder, FakeData, ImageFolder, VisionDataset, folder
from cltensor.vision.datasets.vision import MissingDataError, StandardTransform

Image = pytest.importorskip("PIL.Image", reason="pictures are Pillow's")
pytestmark = pytest.mark.any_style


@pytest.fixture
def root(tmp_path):
    vision_files.sorted_pictures(tmp_path)
    return tmp_path


def test_pictures_are_found_in_order(root):
    data = ImageFolder(root)
    assert data.classes == ["a", "b"]
    assert data.class_to_idx == {"a": 0, "b": 1}
    assert data.samples == data.imgs == [(str(root / p), y) for p, y in (("a/w.webp", 0), ("a/z.jpeg", 0), ("b/x.png", 1),
                                                                         ("b/deeper/y.JPG", 1))]
    assert data.targets == [0, 0, 1, 1]
    picture, target = data[3]
    assert (picture.mode, picture.size, target) == ("RGB", (8, 6), 1)
    assert np.array_equal(picture, vision_files.pixels(6, 8, 3, seed=1))


def test_transforms_and_repr(root):
    data = ImageFolder(str(root), transform=np.asarray, target_transform=lambda y: y + 10)
    assert data[0][0].shape == (6, 8, 3)
    assert data[0][1] == 10
    lines = repr(data).splitlines()
    assert lines[:4] == ["Dataset ImageFolder", "    Number of datapoints: 4", f"    Root location: {root}", "    "
                                                                                                             "StandardTransform"]
    assert lines[4].startswith("Transform: ")
    assert VisionDataset("~/x").root != "~/x"


def test_what_to_take_can_be_chosen(root):
    assert len(ImageFolder(root, is_valid_file=lambda path: path.endswith("txt"), allow_empty=True)) == 1
    assert DatasetFolder(root, len, extensions=(".png",), allow_empty=True).samples == [(str(root / "b/x.png"), 1)]
    assert folder.make_dataset(root, {"b": 5}, ".png") == [(str(root / "b/x.png"), 5)]
    assert ImageFolder(root, loader=len)[0][0] == len(str(root / "a/w.webp"))


@pytest.mark.parametrize(("call", "error", "said"), [
    (lambda r: ImageFolder(r / "a"), FileNotFoundError, "Couldn't find any class folder in"),
    (lambda r: ImageFolder(r / "none"), FileNotFoundError, "none"),
    (lambda r: DatasetFolder(r, len, (".png",)), FileNotFoundError, r"no valid file for the classes a. Supported extensions are: "
                                                                    r".png"),
    (lambda r: DatasetFolder(r, len), ValueError, "Both extensions and is_valid_file"),
    (lambda r: DatasetFolder(r, len, (".png",), is_valid_file=len), ValueError, "Both extensions and is_valid_file"),
    (lambda r: folder.make_dataset(r, {}, ".png"), ValueError, "at least one entry"),
    (lambda r: DatasetFolder.make_dataset(r, None), ValueError, "cannot be None"),
    (lambda r: VisionDataset(r, transforms=len, transform=len), ValueError, "Only transforms or"),
    (lambda r: VisionDataset(r)[0], NotImplementedError, "must define __getitem__"),
    (lambda r: len(VisionDataset(r)), NotImplementedError, "must define __len__")])
def test_what_is_wrong_is_said(root, call, error, said):
    with pytest.raises(error, match=said):
        call(root)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8\xff\xe0 cut off", b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_damaged_pictures_are_named(root, data):
    (root / "a" / "w.webp").write_bytes(data)
    with pytest.raises(SerializationError, match=re.escape(f"{root / 'a' / 'w.webp'} is damaged, or no picture")):
        ImageFolder(root)[0]


def test_names_of_pictures():
    assert folder.is_image_file("a/b.JPEG")
    assert not folder.is_image_file("a.png.txt")


def test_standard_transform():
    assert StandardTransform(None, str)(1, 2) == (1, "2")
    assert StandardTransform(str)(1, 2) == ("1", 2)
    assert repr(StandardTransform()) == "StandardTransform"


def test_fake_data():
    data = FakeData(5, (3, 8, 6), num_classes=4)
    assert data[1][0].size == (6, 8)
    assert np.array_equal(data[1][0], FakeData(5, (3, 8, 6), num_classes=4)[1][0])
    assert not np.array_equal(data[1][0], data[2][0])
    assert np.array_equal(data[2][0], FakeData(5, (3, 8, 6), random_offset=1)[1][0])
    assert {FakeData(100, (1, 2, 2), 4)[i][1] for i in range(100)} == {0, 1, 2, 3}
    assert FakeData(2, (1, 4, 4))[0][0].mode == "L"
    with pytest.raises(DimensionError, match="index out of range: 5 with 5"):
        data[5]
    assert "Root location" not in repr(data)


def as_array(picture):
    return np.asarray(picture).astype(np.float32)


@pytest.mark.device
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
def test_loaders_with_workers(root, workers, device):
    batches = list(DataLoader(ImageFolder(root, as_array), batch_size=3, num_workers=workers))
    assert [tuple(x.shape) for x, _ in batches] == [(3, 6, 8, 3), (1, 6, 8, 3)]
    assert np.array_equal(batches[1][0][0].numpy(), vision_files.pixels(6, 8, 3, seed=1))
    assert ct.cat([y for _, y in batches]).tolist() == [0, 0, 1, 1]


@pytest.mark.device
def test_tensors_of_datasets_reach_forked_workers(tmp_path, device):
    vision_files.mnist(tmp_path)
    data = ct.vision.datasets.MNIST(tmp_path, transform=as_array)
    assert len(pickle.loads(pickle.dumps(ct.vision.datasets.MNIST(tmp_path)))) == 6
    for workers in (0, 2):
        x, y = next(iter(DataLoader(data, batch_size=6, num_workers=workers)))
        assert np.array_equal(x.numpy(), vision_files.pixels(6, 28, 28))
        assert y.tolist() == (vision_files.pixels(6) % 10).tolist()


def test_missing_data_is_both_errors():
    assert issubclass(MissingDataError, RuntimeError)
    assert issubclass(MissingDataError, FileNotFoundError)
    assert issubclass(ArgumentError, ValueError)
    assert issubclass(MissingError, NotImplementedError)
