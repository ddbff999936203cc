"""Files of datasets that are damaged, foreign or hostile: each is refused with its name, and runs nothing."""

import json
import os
import pickle
import struct

import numpy as np
import pytest

import cltensor as ct
import vision_files as files
from cltensor.base.errors import PickleError, SerializationError
from cltensor.vision import datasets as D
from cltensor.vision.datasets.idx import read_sn3_pascalvincent_tensor
from cltensor.vision.datasets.pickled import dict_in

pytest.importorskip("PIL.Image", reason="pictures are Pillow's")
pytestmark = [pytest.mark.device, pytest.mark.any_style]
GOOD = files.idx(files.pixels(6, 28, 28))


@pytest.mark.parametrize(("data", "said"), [
    (b"", "is no IDX file"), (b"\0\0", "is no IDX file"), (b"PK\x03\x04", "is no IDX file"),
    (b"\0\0\x08\x03\0\0\0\x01", "is no IDX file"), (b"\0\0\x07" + GOOD[3:], "is no IDX file"),
    (b"\0\0\x08\0", "is no IDX file"), (b"\0\0\x08\xff" + b"\0" * 2000, "is no IDX file"),
    (GOOD[:-1], r"should hold 4704 bytes of numbers for shape \(6, 28, 28\), and holds 4703"),
    (struct.pack(">BBBB3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1), "should hold 79228162458924105385300197375 bytes"),
    (files.idx(files.pixels(6, 28)), "where bytes in 3 dimensions are expected"),
    (files.idx(np.zeros((6, 28, 28), np.float32)), "holds float32"),
    (files.idx(files.pixels(5, 28, 28)), "holds 5 pictures and 6 targets")])
def test_idx(tmp_path, data, said):
    files.mnist(tmp_path)
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(data)
    with pytest.raises(SerializationError, match=said) as caught:
        D.MNIST(tmp_path)
    assert "MNIST" in str(caught.value)
    assert "get" in str(caught.value)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 2, 1, 2)])
def test_arrays_of_all_kinds(tmp_path, dtype, shape):
    values = (np.arange(np.prod(shape)).reshape(shape) * 3 - 2).astype(dtype)
    (tmp_path / "a").write_bytes(files.idx(values))
    found = read_sn3_pascalvincent_tensor(tmp_path / "a")
    assert str(found.dtype) == f"cltensor.{dtype}"
    assert np.array_equal(found.numpy(), values)
    (tmp_path / "a").write_bytes(files.idx(values) + b"more")
    assert np.array_equal(read_sn3_pascalvincent_tensor(tmp_path / "a", strict=False).numpy(), values)
    with pytest.raises(SerializationError, match="should hold"):
        read_sn3_pascalvincent_tensor(tmp_path / "a")


class Runs:
    """Its pickle makes a file, if something runs it."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_pickles_run_no_code(tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(D.CIFAR10, "test_list", [["test_batch", None]])
    monkeypatch.setattr(D.CIFAR10, "train_list", [])
    files.cifar(tmp_path)
    path = tmp_path / "cifar-10-batches-py" / "test_batch"
    for hostile in ({"data": Runs(), "labels": []}, Runs(), {"data": ct.nn.Linear, "labels": [1]}):
        path.write_bytes(pickle.dumps(hostile, protocol))
        with pytest.raises(SerializationError, match="test_batch: "):
            D.CIFAR10(tmp_path, train=False)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("held", "said"), [
    ({"data": np.zeros((2, 3072), np.uint8), "labels": [1]}, "one label for each 3072 bytes"),
    ({"data": np.zeros((1, 3072), np.float32), "labels": [1]}, "one label for each 3072 bytes"),
    ({"data": np.zeros((1, 3072), np.uint8), "labels": [1.5]}, "one label for each 3072 bytes"),
    ({"data": [1, 2], "labels": [1]}, "one label for each 3072 bytes"),
    ({"data": np.zeros((1, 3072), np.uint8)}, "holds no 'labels' or 'fine_labels'"), ([1], "holds no 'labels'")])
def test_batches_of_another_form(tmp_path, monkeypatch, held, said):
    monkeypatch.setattr(D.CIFAR10, "test_list", [["test_batch", None]])
    monkeypatch.setattr(D.CIFAR10, "train_list", [])
    files.write(tmp_path / "cifar-10-batches-py" / "test_batch", pickle.dumps(held, 2))
    with pytest.raises(SerializationError, match=said):
        D.CIFAR10(tmp_path, train=False)


def test_arrays_in_pickles_are_checked(tmp_path):
    def cut(data):
        at = data.index(b"data")
        return data[:at] + data[at:].replace(struct.pack("<I", 64), struct.pack("<I", 65), 1)

    good = pickle.dumps({"data": np.arange(8.0), "labels": [1]}, 2)
    (tmp_path / "a").write_bytes(good)
    assert dict_in(tmp_path / "a", "labels")["data"].tolist() == list(range(8))
    for bad in (good[:-20], good[:40], b"", files.python2_batch(np.zeros((1, 4), np.uint8), [1]).replace(b"M\x04\0", b"M\x05\0")):
        (tmp_path / "a").write_bytes(bad)
        with pytest.raises(SerializationError, match="remove it and get it again"):
            dict_in(tmp_path / "a", "labels")
    assert issubclass(PickleError, SerializationError)


@pytest.mark.parametrize(("text", "said"), [
    ("<annotation><object></annotation>", "is no valid XML"), ("", "is no valid XML"),
    ('<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><annotation><name>&b;</name></annotation>', "document type or "
                                                                                                          "entities"),
    ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><annotation/>', "document type or entities")])
def test_annotations_of_voc(tmp_path, text, said):
    files.voc(tmp_path)
    path = tmp_path / "VOCdevkit/VOC2012/Annotations/2007_000001.xml"
    path.write_text(text)
    with pytest.raises(SerializationError, match=f"2007_000001.xml.*{said}"):
        D.VOCDetection(tmp_path)[0]
    path.write_text("<!-- a note --><annotation><name><![CDATA[x]]></name></annotation>")
    assert D.VOCDetection(tmp_path)[0][1]["annotation"] == {"name": "x", "object": []}


def test_pictures_of_voc(tmp_path):
    files.voc(tmp_path)
    path = tmp_path / "VOCdevkit/VOC2012/JPEGImages/2007_000001.jpg"
    path.write_bytes(path.read_bytes()[:200])
    for kind in (SerializationError, OSError):  # OSError is what programs catch that leave such pictures out
        with pytest.raises(kind, match=r"2007_000001.jpg is damaged, or no picture"):
            D.VOCDetection(tmp_path)[0]
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"2007_000001.jpg is not there, although the dataset lists it"):
        D.VOCDetection(tmp_path)[0]


@pytest.mark.parametrize(("text", "said"), [
    ("{", "is no valid JSON"), ("[]", "holds a list"), ('{"images": [{"file_name": "a"}]}', "has not the form"),
    ('{"images": [1]}', "has not the form"), ('{"annotations": [{"id": 1}]}', "has not the form"), ("[" * 100_000, "is no valid "
                                                                                                                   "JSON")])
def test_annotations_of_coco(tmp_path, text, said):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(SerializationError, match=said):
        D.CocoDetection(tmp_path, tmp_path / "a.json")


def test_pictures_of_coco(tmp_path):
    files.coco(tmp_path)
    (tmp_path / "pictures" / "a.jpg").write_bytes(b"no picture")
    data = D.CocoDetection(tmp_path / "pictures", tmp_path / "annotations.json")
    with pytest.raises(SerializationError, match=r"a.jpg is damaged"):
        data[0]
    (tmp_path / "annotations.json").write_text(json.dumps({"images": [{"id": 1}]}))
    with pytest.raises(SerializationError, match="picture 1 of the annotations has no file_name"):
        D.CocoDetection(tmp_path, tmp_path / "annotations.json")[0]


@pytest.mark.parametrize(("name", "data", "said"), [
    ("train_X.bin", b"\0" * 100, "holds 100 bytes, which are no pictures"), ("train_y.bin", b"\1" * 3, "6 pictures, train_y.bin 3 "
                                                                                                       "labels"),
    ("fold_indices.txt", b"1 2\n", "fold_indices.txt is damaged"), ("fold_indices.txt", b"a\n" * 10, "fold_indices.txt is damaged"),
    ("fold_indices.txt", b"99\n" * 10, "fold_indices.txt is damaged")])
def test_files_of_stl10(tmp_path, monkeypatch, name, data, said):
    for lists in ("train_list", "test_list"):
        monkeypatch.setattr(D.STL10, lists, [[file, None] for file, _ in getattr(D.STL10, lists)])
    files.stl10(tmp_path)
    (tmp_path / "stl10_binary" / name).write_bytes(data)
    with pytest.raises(SerializationError, match=said):
        D.STL10(tmp_path, folds=5)


@pytest.mark.parametrize("fold", [-1, 10, "1"])
def test_folds_of_stl10(tmp_path, fold):
    with pytest.raises(ValueError, match=r"folds should be None or in the range \[0, 10\)"):
        D.STL10(tmp_path, folds=fold)


def test_files_of_matlab(tmp_path, monkeypatch):
    pytest.importorskip("scipy", reason="it reads MATLAB's files")
    from scipy.io import savemat

    monkeypatch.setattr(D.SVHN, "split_list", {k: [u, f, None] for k, (u, f, _) in D.SVHN.split_list.items()})
    path = tmp_path / "train_32x32.mat"
    files.svhn(tmp_path)
    good = path.read_bytes()
    for data in (b"", b"no MATLAB", good[:300], good[:-200], b"\0" * 500):
        path.write_bytes(data)
        with pytest.raises(SerializationError, match=r"train_32x32.mat is damaged"):
            D.SVHN(tmp_path)
    savemat(path, {"X": np.zeros(3)})
    with pytest.raises(SerializationError, match=r"train_32x32.mat holds no y"):
        D.SVHN(tmp_path)
    savemat(path, {"X": np.zeros((3, 3)), "y": np.zeros(3)})
    with pytest.raises(SerializationError, match=r"holds float64 of shape \(3, 3\) and 3 labels"):
        D.SVHN(tmp_path)


@pytest.mark.parametrize(("make", "path", "data", "call", "said"), [
    (files.pets, "oxford-iiit-pet/annotations/trainval.txt", b"a 1\n", D.OxfordIIITPet, "trainval.txt is damaged"),
    (files.pets, "oxford-iiit-pet/annotations/trainval.txt", b"a b c\n", D.OxfordIIITPet, "trainval.txt is damaged"),
    (files.textures, "dtd/dtd/labels/train1.txt", b"a\n", D.DTD, "train1.txt is damaged"),
    (files.dishes, "food-101/meta/train.json", b"{", D.Food101, "train.json is damaged"),
    (files.usps, "usps.bz2", b"no bz2", D.USPS, "usps.bz2 is damaged"),
    (lambda r: files.signs(r), "gtsrb/GT-final_test.csv", b"a;b\n1;2\n", lambda r: D.GTSRB(r, "test"), "GT-final_test.csv is "
                                                                                                       "damaged"),
    (files.celeba, "celeba/list_bbox_celeba.txt", b"4\nx y\n000001.jpg 1 2\n", D.CelebA, "list_bbox_celeba.txt has not the same"),
    (files.celeba, "celeba/identity_CelebA.txt", b"000001.jpg a\n", D.CelebA, "identity_CelebA.txt is damaged"),
    (files.semeion, "semeion.data", b"1 2 3\n", D.SEMEION, "its lines hold 3 numbers"),
    (files.semeion, "semeion.data", b"x\n", D.SEMEION, "semeion.data is damaged")])
def test_listings(tmp_path, monkeypatch, make, path, data, call, said):
    monkeypatch.setattr(D.CelebA, "file_list", [(i, None, name) for i, _, name in D.CelebA.file_list])
    monkeypatch.setattr(D.SEMEION, "md5_checksum", None)
    make(tmp_path)
    (tmp_path / path).write_bytes(data)
    with pytest.raises(SerializationError, match=said):
        call(tmp_path)
