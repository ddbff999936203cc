"""Datasets read from small files in the forms they are published in; what torchvision reads from the same files stands in the
tests."""

import hashlib
import os

import numpy as np
import pytest

import vision_files as files
from cltensor.base.errors import SerializationError
from cltensor.vision import datasets as D

pytest.importorskip("PIL.Image", reason="pictures are Pillow's")
pytestmark = [pytest.mark.device, pytest.mark.any_style]
needs_scipy = pytest.mark.usefixtures("scipy")


@pytest.fixture
def scipy():
    return pytest.importorskip("scipy", reason="it reads MATLAB's files")


def without_checksums(monkeypatch, cls):
    """Take the checksums of the published files out of a class."""
    for name in ("train_list", "test_list"):
        monkeypatch.setattr(cls, name, [[file, None] for file, _ in getattr(cls, name)])
    if hasattr(cls, "meta"):
        monkeypatch.setattr(cls, "meta", {**cls.meta, "md5": None})


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
@pytest.mark.parametrize("train", [True, False])
def test_mnist(tmp_path, name, train):
    files.mnist(tmp_path, name)
    data = getattr(D, name)(str(tmp_path), train=train)
    n, seed = (6, 0) if train else (4, 1)
    assert np.array_equal(data.data.numpy(), files.pixels(n, 28, 28, seed=seed))
    assert data.targets.tolist() == (files.pixels(n, seed=seed) % 10).tolist()
    assert str(data.targets.dtype) == "cltensor.int64"
    picture, target = data[2]
    assert (picture.mode, picture.size, target, type(target)) == ("L", (28, 28), data.targets[2].item(), int)
    assert np.array_equal(picture, data.data[2].numpy())
    assert data.class_to_idx[data.classes[3]] == 3
    assert repr(data).endswith(f"Split: {'Train' if train else 'Test'}")


def test_mnist_follows_what_takes_the_place_of_its_data(tmp_path):
    files.mnist(tmp_path)
    data = D.MNIST(tmp_path)
    before = np.asarray(data[0][0])
    data.data[0] = 255 - data.data[0]
    assert np.array_equal(data[0][0], 255 - before)
    data.data, data.targets = data.data[1:], data.targets[1:] + 20
    assert len(data) == 5
    assert data[0][1] >= 20
    with pytest.warns(UserWarning, match="train_data has been renamed data"):
        assert data.train_data is data.data
    with pytest.warns(UserWarning, match="test_labels has been renamed targets"):
        assert data.test_labels is data.targets


def test_emnist(tmp_path):
    files.emnist(tmp_path)
    data = D.EMNIST(tmp_path, "letters", train=False)
    assert len(data) == 3
    assert data.classes[:3] == ["N/A", "a", "b"]
    assert len(D.EMNIST.classes_split_dict["byclass"]) == 62
    assert "".join(D.EMNIST.classes_split_dict["balanced"]) == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"
    with pytest.raises(ValueError, match=r"Unknown value 'no' for argument split. Valid values are {'byclass', 'bymerge'"):
        D.EMNIST(tmp_path, "no")


@pytest.mark.parametrize(("what", "n", "first"), [
    ("test", 10003, 0), ("test10k", 10000, 0), ("test50k", 3, 10000), ("nist", 10003, 0)])
def test_qmnist(tmp_path, what, n, first):
    files.qmnist(tmp_path)
    data = D.QMNIST(tmp_path, what)
    assert (len(data), data[0][1], repr(data).splitlines()[-1]) == (n, first % 10, f"    Split: {what}")
    whole = D.QMNIST(tmp_path, what, compat=False)[1][1]
    assert whole.tolist() == [(first + 1) % 10, *(first + 1 + 10003 * k for k in range(7))]
    assert D.QMNIST(tmp_path, train=False).what == "test"


@pytest.mark.parametrize("hundred", [False, True])
def test_cifar(tmp_path, monkeypatch, hundred):
    cls = D.CIFAR100 if hundred else D.CIFAR10
    without_checksums(monkeypatch, cls)
    files.cifar(tmp_path, hundred)
    data = cls(tmp_path, train=False)
    seed = 1 if hundred else 5
    assert np.array_equal(data.data, files.pixels(3, 3072, seed=seed).reshape(3, 3, 32, 32).transpose(0, 2, 3, 1))
    assert data.targets == (files.pixels(3, seed=seed) % 10).tolist()
    assert data.classes == list("abcdefghij")
    assert data[1][0].mode == "RGB"
    assert np.array_equal(data[1][0], data.data[1])
    assert len(cls(tmp_path)) == (3 if hundred else 15)


def test_cifar_as_python_2_wrote_it(tmp_path, monkeypatch):
    without_checksums(monkeypatch, D.CIFAR10)
    files.cifar(tmp_path)
    values = files.pixels(2, 3072, seed=9)
    (tmp_path / "cifar-10-batches-py" / "test_batch").write_bytes(files.python2_batch(values, [3, 8]))
    data = D.CIFAR10(tmp_path, train=False)
    assert np.array_equal(data.data.transpose(0, 3, 1, 2).reshape(2, -1), values)
    assert data.targets == [3, 8]


@needs_scipy
def test_svhn(tmp_path, monkeypatch):
    files.svhn(tmp_path)
    monkeypatch.setattr(D.SVHN, "split_list", {k: [u, f, None] for k, (u, f, _) in D.SVHN.split_list.items()})
    data = D.SVHN(tmp_path, "extra")
    assert data.labels.tolist() == [1, 0, 3, 0, 9]
    assert np.array_equal(data[2][0], files.pixels(32, 32, 3, 5, seed=2)[..., 2])
    assert repr(data).endswith("Split: extra")


@pytest.mark.parametrize(("split", "fold", "rows"), [
    ("train", None, [0, 1, 2, 3, 4, 5]), ("train", 9, [3, 4]), ("unlabeled", None, []), ("train+unlabeled", 0, [0, 1]),
    ("test", None, [0, 1, 2, 3])])
def test_stl10(tmp_path, monkeypatch, split, fold, rows):
    without_checksums(monkeypatch, D.STL10)
    files.stl10(tmp_path)
    data = D.STL10(tmp_path, split, fold)
    n, seed = (4, 2) if split == "test" else (6, 0)
    more = 3 if "unlabeled" in split else 0
    pictures, labels = files.pixels(n, 3, 96, 96, seed=seed)[rows], files.pixels(n, seed=seed)[rows].astype(int) % 10
    pictures = np.concatenate([pictures, files.pixels(3, 3, 96, 96, seed=1)]) if more else pictures
    assert np.array_equal(data.data, pictures.transpose(0, 1, 3, 2))
    assert data.labels.tolist() == [*labels.tolist(), *[-1] * more]
    assert np.array_equal(data[0][0], data.data[0].transpose(1, 2, 0))
    assert data[-1][1] == data.labels[-1]
    assert data.classes == ["airplane", "bird", "car"]


def test_voc_detection(tmp_path):
    files.voc(tmp_path)
    data = D.VOCDetection(tmp_path)
    assert len(data) == 2
    picture, target = data[0]
    assert picture.size == (8, 6)
    noted = target["annotation"]
    assert noted["size"] == {"width": "8", "height": "6", "depth": "3"}
    assert noted["object"] == [{"name": "person", "bndbox": {"xmin": "1", "ymin": "2", "xmax": "5", "ymax": "6"},
                                "part": [{"name": "head"}, {"name": "foot"}]}]
    assert [o["name"] for o in data[1][1]["annotation"]["object"]] == ["person", "cat"]
    assert data.annotations[0].endswith("VOC2012/Annotations/2007_000001.xml")


def test_voc_segmentation(tmp_path):
    files.voc(tmp_path, "2007", ("train", "test"))
    data = D.VOCSegmentation(tmp_path, "2007", "test", transforms=lambda picture, mask: (picture.size, mask))
    size, mask = data[0]
    assert (len(data), size, mask.mode, mask.size) == (1, (8, 6), "P", (8, 6))
    for wrong, said in (({"year": "1999"}, "argument year"), ({"image_set": "test"}, "argument image_set")):
        with pytest.raises(ValueError, match=said):
            D.VOCSegmentation(tmp_path, **wrong)


def test_coco(tmp_path):
    files.coco(tmp_path)
    data = D.CocoDetection(tmp_path / "pictures", tmp_path / "annotations.json")
    assert data.ids == [4, 5, 9]
    assert [[a["id"] for a in data[i][1]] for i in range(3)] == [[2], [], [1, 7]]
    assert data[2][0].size == (8, 6)
    captions = D.CocoCaptions(tmp_path / "pictures", tmp_path / "annotations.json")
    assert captions[2][1] == ["a cat", "a dog"]
    with pytest.raises(ValueError, match="an index must be an int, got slice"):
        data[:2]


def test_coco_queries(tmp_path):
    files.coco(tmp_path)
    c = D.coco.COCO(tmp_path / "annotations.json")
    assert c.getCatIds(["cat"]) == c.getCatIds("cat") == [2]
    assert c.getCatIds(supNms="animal") == [1, 2]
    assert c.getCatIds(catIds=[2]) == [2]
    assert c.getAnnIds(9) == [1, 7]
    assert c.getAnnIds() == [1, 2, 7]
    assert c.getAnnIds(catIds=1) == [2, 7]
    assert c.getAnnIds(areaRng=[5, 10]) == [1]
    assert c.getAnnIds(iscrowd=True) == [2]
    assert c.getImgIds(catIds=[1, 2]) == [9]
    assert sorted(c.getImgIds()) == [4, 5, 9]
    assert c.loadImgs(4)[0]["file_name"] == "a.jpg"
    assert [a["caption"] for a in c.loadAnns([7, 1])] == ["a dog", "a cat"]
    assert c.loadCats(1)[0]["name"] == "dog"


@needs_scipy
def test_caltech(tmp_path):
    files.caltech(tmp_path)
    data = D.Caltech101(str(tmp_path), ["category", "annotation"])
    assert data.categories == ["Faces", "Motorbikes", "ant"]
    assert data.y == [0, 0, 1, 1, 2, 2]
    picture, (category, outline) = data[3]
    assert (picture.size, category) == ((8, 6), 1)
    assert np.array_equal(outline, np.arange(10.0).reshape(2, 5) + 2)
    assert D.Caltech101(str(tmp_path), "annotation")[0][1].shape == (2, 5)
    more = D.Caltech256(str(tmp_path))
    assert ([more[i][1] for i in range(4)], more.categories) == ([0, 0, 1, 1], ["001.ak47", "002.flag"])


def test_pets(tmp_path):
    files.pets(tmp_path)
    data = D.OxfordIIITPet(tmp_path, target_types=["category", "binary-category", "segmentation"])
    assert data.classes == ["Abyssinian", "American Bulldog"]
    picture, (breed, kind, mask) = data[1]
    assert (picture.size, breed, kind, mask.mode) == ((8, 6), 1, 1, "L")
    assert D.OxfordIIITPet(tmp_path, "test")[0][1] == 0
    assert D.OxfordIIITPet(tmp_path, target_types=[])[0][1] is None
    with pytest.raises(ValueError, match="Unknown value 'breed' for argument target_types"):
        D.OxfordIIITPet(tmp_path, target_types="breed")


@needs_scipy
def test_flowers(tmp_path, monkeypatch):
    files.flowers(tmp_path)
    monkeypatch.setattr(D.Flowers102, "_file_dict", {k: (name, None) for k, (name, _) in D.Flowers102._file_dict.items()})
    assert [D.Flowers102(tmp_path)[i][1] for i in range(2)] == [4, 0]
    assert D.Flowers102(tmp_path, "val")[0][1] == 101
    names = D.Flowers102.classes
    assert (len(names), hashlib.md5("|".join(names).encode()).hexdigest()) == (102, "624d3375f4279240ef66112a9dae5bea")


def test_textures_signs_and_dishes(tmp_path):
    files.textures(tmp_path)
    files.signs(tmp_path)
    files.dishes(tmp_path)
    textures = D.DTD(tmp_path)
    assert ([textures[i][1] for i in range(2)], textures.classes) == ([1, 0], ["banded", "dotted"])
    with pytest.raises(ValueError, match="1 <= partition <= 10"):
        D.DTD(tmp_path, partition=11)
    assert [D.GTSRB(tmp_path)[i][1] for i in range(2)] == [0, 1]
    assert D.GTSRB(tmp_path, "test")[0][1] == 16
    dishes = D.Food101(tmp_path)
    assert [dishes[i][1] for i in range(3)] == [1, 1, 0]
    assert np.array_equal(dishes[0][0], D.folder.pil_loader(tmp_path / "food-101/images/sushi/2.jpg"))


def test_folders_of_their_own(tmp_path):
    files.land_countries_and_sentences(tmp_path)
    files.imagenette(tmp_path)
    land, countries = D.EuroSAT(tmp_path), D.Country211(tmp_path, "valid")
    assert (land.classes, countries.classes, land[1][1], countries[1][1]) == (["Forest", "River"], ["AD", "DE"], 1, 1)
    assert land.root == countries.root == os.fspath(tmp_path)
    assert [D.RenderedSST2(tmp_path, "val")[i][1] for i in range(2)] == [0, 1]
    few = D.Imagenette(tmp_path, "val")
    assert few.classes == [("tench", "Tinca tinca"), ("church", "church building")]
    assert (few.class_to_idx["church building"], few[1][1], few.wnids) == (1, 1, ["n01440764", "n03028079"])
    files.picture(tmp_path / "imagenette2" / "val" / "n000" / "x.JPEG")
    for call, error, said in ((lambda: D.Imagenette(tmp_path, "val"), SerializationError, "no classes of Imagenette: n000"),
                              (lambda: D.Country211(tmp_path, "val"), ValueError, "Unknown value 'val'"),
                              (lambda: D.EuroSAT(tmp_path / "x"), RuntimeError, "Dataset not found"),
                              (lambda: D.RenderedSST2(tmp_path / "x"), RuntimeError, "Dataset not found"),
                              (lambda: D.Kinetics, AttributeError, "it reads pictures only"),
                              (lambda: D.Nothing, AttributeError, "no attribute 'Nothing'")):
        with pytest.raises(error, match=said):
            call()


def test_aeroplanes_and_places(tmp_path):
    files.aeroplanes(tmp_path)
    files.places(tmp_path)
    planes, places = D.FGVCAircraft(tmp_path), D.SUN397(tmp_path)
    assert ([planes[i][1] for i in range(2)], planes.classes) == ([1, 0], ["A320", "Boeing 737-700"])
    assert ([places[i][1] for i in range(2)], places.classes) == ([0, 1], ["abbey", "apartment_building/outdoor"])
    (tmp_path / "fgvc-aircraft-2013b/data/variants.txt").write_text("A320\n")
    with pytest.raises(SerializationError, match=r"images_variant_trainval.txt is damaged"):
        D.FGVCAircraft(tmp_path)
    (tmp_path / "SUN397" / "ClassName.txt").write_text("/a/abbey\n")
    with pytest.raises(SerializationError, match="does not name: apartment_building/outdoor"):
        D.SUN397(tmp_path)
    (tmp_path / "SUN397" / "ClassName.txt").write_text("abbey\n")
    with pytest.raises(SerializationError, match="no names such as"):
        D.SUN397(tmp_path)


def test_digits_in_text(tmp_path, monkeypatch):
    files.usps(tmp_path)
    files.semeion(tmp_path)
    monkeypatch.setattr(D.SEMEION, "md5_checksum", None)
    digits = D.USPS(tmp_path)
    values = np.round(np.random.default_rng(0).uniform(-1, 1, (2, 256)), 4)
    assert digits.targets == [9, 0]
    assert np.array_equal(digits.data.reshape(2, -1), ((values + 1) / 2 * 255).astype(np.uint8))
    black = D.SEMEION(tmp_path, download=False)
    assert black.labels.tolist() == [3, 7]
    assert np.array_equal(np.asarray(black[1][0]).ravel(), files.pixels(256, seed=7) % 2 * 255)


def test_omniglot(tmp_path, monkeypatch):
    files.omniglot(tmp_path)
    monkeypatch.setattr(D.Omniglot, "zips_md5", dict.fromkeys(D.Omniglot.zips_md5))
    files.write(tmp_path / "omniglot-py" / "images_background.zip", b"")
    data = D.Omniglot(str(tmp_path))
    assert [data[i][1] for i in range(8)] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert data[0][0].mode == "L"


def test_celeba(tmp_path, monkeypatch):
    files.celeba(tmp_path)
    monkeypatch.setattr(D.CelebA, "file_list", [(i, None, name) for i, _, name in D.CelebA.file_list])
    data = D.CelebA(tmp_path, "all", ["attr", "identity", "bbox", "landmarks"])
    picture, targets = data[1]
    assert picture.size == (8, 6)
    assert [t.tolist() for t in targets] == [[1, 0], 107, [1, 71, 226, 313], [1, 109]]
    assert (len(D.CelebA(tmp_path)), D.CelebA(tmp_path, "valid").filename) == (2, ["000002.jpg"])
    assert D.CelebA(tmp_path, "test", [])[0][1] is None
    assert data.attr_names == ["Smiling", "Young"]
