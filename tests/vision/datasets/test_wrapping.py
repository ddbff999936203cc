"""Targets for transforms of version 2: boxes, masks and labels that say what they are."""

import copy
import pickle

import numpy as np
import pytest

import cltensor as ct
import vision_files as files
from cltensor.base.errors import SerializationError
from cltensor.vision import datasets as D
from cltensor.vision.datasets.coco_masks import mask_of

pytest.importorskip("PIL.Image", reason="pictures are Pillow's")
pytest.importorskip("cltensor.vision.tv_tensors", reason="targets become its tensors")
pytestmark = [pytest.mark.device, pytest.mark.any_style]
wrap = D.wrap_dataset_for_transforms_v2


def swapped(picture, target):
    return target, picture


@pytest.fixture
def coco(tmp_path):
    files.coco(tmp_path)
    return D.CocoDetection(tmp_path / "pictures", tmp_path / "annotations.json")


def test_coco(coco):
    data = wrap(coco)
    assert isinstance(data, D.CocoDetection)
    assert type(data).__name__ == "WrappedCocoDetection"
    assert len(data) == 3
    target = data[2][1]
    assert set(target) == {"image_id", "boxes", "labels"}
    assert (target["image_id"], target["labels"].tolist()) == (9, [2, 1])
    boxes = target["boxes"]
    assert isinstance(boxes, ct.vision.tv_tensors.BoundingBoxes)
    assert (boxes.tolist(), boxes.format.name, boxes.canvas_size) == ([[1, 2, 4, 5], [2, 2, 4, 4]], "XYXY", (6, 8))
    assert data[1][1] == {"image_id": 5}


def test_keys_of_coco(coco):
    target = wrap(coco, target_keys=["masks", "bbox"])[2][1]
    assert set(target) == {"masks", "bbox"}
    assert isinstance(target["masks"], ct.vision.tv_tensors.Mask)
    assert target["masks"].sum(dim=(1, 2)).tolist() == [9, 4]
    assert set(wrap(coco, target_keys="all")[0][1]) == {"image_id", "boxes", "masks", "labels", "segmentation", "area", "iscrowd",
                                                        "bbox", "category_id"}
    assert wrap(coco, target_keys=["caption"])[2][1] == {"caption": ["a cat", "a dog"]}
    for keys, said in ((["nope"], r"Target keys \['nope'\] are not available"), (3, "can be None, 'all', or a collection"),
                       ([3], "can be None, 'all', or a collection")):
        with pytest.raises(ValueError, match=said):
            wrap(coco, target_keys=keys)


def test_transforms_run_last(coco):
    coco.transforms = swapped
    data = wrap(coco)
    assert set(data[2][0]) == {"image_id", "boxes", "labels"}
    assert coco.transforms is swapped
    for again in (pickle.loads(pickle.dumps(data)), copy.copy(data)):
        assert again[2][0]["labels"].tolist() == [2, 1]
        assert again.ids == [4, 5, 9]


def test_voc(tmp_path):
    files.voc(tmp_path)
    target = wrap(D.VOCDetection(tmp_path))[1][1]
    assert set(target) == {"boxes", "labels"}
    assert target["labels"].tolist() == [15, 8]
    assert target["boxes"].tolist() == [[1, 2, 5, 6]]
    assert "annotation" in wrap(D.VOCDetection(tmp_path), "all")[0][1]
    mask = wrap(D.VOCSegmentation(tmp_path))[0][1]
    assert isinstance(mask, ct.vision.tv_tensors.Mask)
    assert np.array_equal(mask.numpy(), D.VOCSegmentation(tmp_path)[0][1])


def test_targets_of_several_kinds(tmp_path, monkeypatch):
    files.pets(tmp_path)
    files.celeba(tmp_path)
    monkeypatch.setattr(D.CelebA, "file_list", [(i, None, name) for i, _, name in D.CelebA.file_list])
    breed, mask = wrap(D.OxfordIIITPet(tmp_path, target_types=["category", "segmentation"]))[1][1]
    assert breed == 1
    assert isinstance(mask, ct.vision.tv_tensors.Mask)
    assert wrap(D.OxfordIIITPet(tmp_path, target_types=[]))[1][1] is None
    box, attributes = wrap(D.CelebA(tmp_path, "all", ["bbox", "attr"]))[1][1]
    assert box.tolist() == [[1, 71, 227, 384]]
    assert attributes.tolist() == [1, 0]
    with pytest.raises(NotImplementedError, match="target type 'landmarks' cannot be wrapped"):
        wrap(D.CelebA(tmp_path, "all", "landmarks"))


def test_classes_stay(tmp_path):
    files.mnist(tmp_path)
    files.sorted_pictures(tmp_path / "folder")
    assert wrap(D.MNIST(tmp_path))[0][1] == D.MNIST(tmp_path)[0][1]
    assert wrap(D.ImageFolder(tmp_path / "folder"))[3][1] == 1
    with pytest.raises(ValueError, match="only supported for `CocoDetection` and `VOCDetection`, but got ImageFolder"):
        wrap(D.ImageFolder(tmp_path / "folder"), "all")
    for other, said in ((D.FakeData(2), "No wrapper exists for dataset class FakeData"), ([1], "it must be a VisionDataset")):
        with pytest.raises(TypeError, match=said):
            wrap(other)


def letters(runs):
    """Run lengths in COCO's text."""
    out = ""
    for i, run in enumerate(runs):
        value, more = run - (runs[i - 2] if i > 2 else 0), True
        while more:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            out += chr((bits | 32 * more) + 48)
    return out


def test_run_lengths():
    mask = np.random.default_rng(0).random((60, 50)) > 0.9
    mask[:, 20:] = 0
    flat = np.concatenate([[0], mask.T.ravel().astype(int), [-1]])
    ends = np.flatnonzero(np.diff(flat[:-1]))
    runs = np.diff([0, *ends, mask.size]).tolist()
    for counts in (runs, letters(runs), letters(runs).encode()):
        assert np.array_equal(mask_of({"size": [60, 50], "counts": counts}, 60, 50), mask)


def test_polygons_cover_the_centres_that_they_surround():
    square = [[int(1 <= x < 4 and 2 <= y < 5) for x in range(8)] for y in range(6)]
    assert mask_of([[1, 2, 4, 2, 4, 5, 1, 5]], 6, 8).tolist() == square
    corners = np.array([[2.0, 1.0], [20.0, 4.0], [14.0, 18.0], [9.0, 7.0], [1.0, 15.0]])
    y, x = np.mgrid[:20, :24] + 0.5
    inside = np.zeros((20, 24), bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, 0), strict=True):
        inside ^= ((y1 <= y) != (y2 <= y)) & (x >= x1 + (y - y1) / (y2 - y1) * (x2 - x1))
    assert np.array_equal(mask_of([corners.ravel().tolist()], 20, 24), inside)
    assert mask_of([[-5, -5, 50, -5, 50, 50, -5, 50]], 6, 8).all()
    assert mask_of([[1, 1, 3, 1, 3, 3, 1, 3], [2, 2, 5, 2, 5, 5, 2, 5]], 6, 8).sum() == 12


@pytest.mark.parametrize("segmentation", [
    [[1, 2, 3]], [[1, 2, 3, 4]], ["x"], 3, {}, {"size": [6, 8], "counts": [3]}, {"size": [8, 6], "counts": [48]},
    {"size": [6, 8], "counts": [-2, 50]}, {"size": [6, 8], "counts": "o"}, {"size": [6, 8], "counts": [1e300, "x"]}])
def test_damaged_segmentations(segmentation):
    with pytest.raises(SerializationError, match="the segmentation of an annotation is damaged"):
        mask_of(segmentation, 6, 8)


def test_masks_of_annotations(coco):
    assert coco.coco.annToMask(coco.coco.anns[2]).sum() == 12
    with pytest.raises(SerializationError, match="a picture of 8 by 0 pixels"):
        mask_of([[0, 0, 1, 1, 2, 2]], 0, 8)
