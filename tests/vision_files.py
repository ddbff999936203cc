"""Small files in the forms that datasets are published in: IDX, pickles, .mat, STL's bins, VOC's XML, COCO's JSON, and folders.

Each writer makes the files below a folder as they lie there after a download, and needs NumPy and Pillow only, or SciPy for .mat.
"""

import bz2
import json
import pickle
import struct

import numpy as np
from PIL import Image

KINDS = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}


def pixels(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def idx(array):
    """The bytes of an IDX file."""
    kind = KINDS[array.dtype.str[1:]]
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def picture(path, size=(8, 6), mode="RGB", seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(size[1], size[0], 3, seed=seed)).convert(mode).save(path)


def mnist(root, name="MNIST"):
    for part, n, seed in (("train", 6, 0), ("t10k", 4, 1)):
        write(root / name / "raw" / f"{part}-images-idx3-ubyte", idx(pixels(n, 28, 28, seed=seed)))
        write(root / name / "raw" / f"{part}-labels-idx1-ubyte", idx(pixels(n, seed=seed) % 10))


def emnist(root, split="letters"):
    for part, n in (("train", 5), ("test", 3)):
        write(root / "EMNIST" / "raw" / f"emnist-{split}-{part}-images-idx3-ubyte", idx(pixels(n, 28, 28)))
        write(root / "EMNIST" / "raw" / f"emnist-{split}-{part}-labels-idx1-ubyte", idx(pixels(n) % 26 + 1))


def qmnist(root, n=10003):
    for name in ("qmnist-test", "qmnist-train", "xnist"):
        labels = np.stack([np.arange(n) % 10, *np.arange(7 * n).reshape(7, n)], 1).astype(np.int32)
        write(root / "QMNIST" / "raw" / f"{name}-images-idx3-ubyte", idx(pixels(n, 28, 28)))
        write(root / "QMNIST" / "raw" / f"{name}-labels-idx2-int", idx(labels))


def cifar(root, hundred=False):
    folder, names = ((root / "cifar-100-python", ["train", "test"]) if hundred else
                     (root / "cifar-10-batches-py", [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]))
    for seed, name in enumerate(names):
        labels = (pixels(3, seed=seed) % 10).tolist()
        held = {"data": pixels(3, 3072, seed=seed), "fine_labels" if hundred else "labels": labels}
        write(folder / name, pickle.dumps(held, 2))
    names = {"fine_label_names": list("abcdefghij")} if hundred else {"label_names": list("abcdefghij")}
    write(folder / ("meta" if hundred else "batches.meta"), pickle.dumps(names, 2))


def python2_batch(values, labels):
    """A pickle of a batch as Python 2 wrote it, with bytes for text: {"data": array of bytes, "labels": list}."""
    def text(data):
        return b"T" + struct.pack("<I", len(data)) + data

    array = (b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00t" + text(b"b") + b"tR(K\x01("
             + b"".join(b"M" + struct.pack("<H", n) for n in values.shape) + b"tcnumpy\ndtype\n(" + text(b"u1")
             + b"K\x00K\x01tR(K\x03" + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
             + text(values.tobytes()) + b"tb")
    listed = b"](" + b"".join(b"K" + bytes([n]) for n in labels) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + listed + b"u."


def svhn(root):
    from scipy.io import savemat

    root.mkdir(parents=True, exist_ok=True)
    labels = np.array([[1], [10], [3], [10], [9]], np.uint8)
    for seed, name in enumerate(("train", "test", "extra")):
        savemat(root / f"{name}_32x32.mat", {"X": pixels(32, 32, 3, 5, seed=seed), "y": labels})


def stl10(root):
    folder = root / "stl10_binary"
    for seed, (name, n) in enumerate((("train", 6), ("unlabeled", 3), ("test", 4))):
        write(folder / f"{name}_X.bin", pixels(n, 3, 96, 96, seed=seed).tobytes())
        if name != "unlabeled":
            write(folder / f"{name}_y.bin", (pixels(n, seed=seed) % 10 + 1).tobytes())
    write(folder / "class_names.txt", "airplane\nbird\ncar\n")
    write(folder / "fold_indices.txt", "".join(f"{i % 6} {(i + 1) % 6} \n" for i in range(10)))


VOC_XML = """<annotation><folder>VOC2012</folder><filename>{name}.jpg</filename>
<size><width>8</width><height>6</height><depth>3</depth></size>
<object><name>person</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>5</xmax><ymax>6</ymax></bndbox>
<part><name>head</name></part><part><name>foot</name></part></object>{more}</annotation>"""


def voc(root, year="2012", sets=("train", "val")):
    base = root / "VOCdevkit" / f"VOC{year}"
    for i, name in enumerate(("2007_000001", "2007_000002", "2007_000003")):
        picture(base / "JPEGImages" / f"{name}.jpg", seed=i)
        picture(base / "SegmentationClass" / f"{name}.png", mode="P", seed=i)
        more = "<object><name>cat</name></object>" if i == 1 else ""
        write(base / "Annotations" / f"{name}.xml", VOC_XML.format(name=name, more=more))
    for kind in ("Main", "Segmentation"):
        for name in sets:
            write(base / "ImageSets" / kind / f"{name}.txt", "2007_000001\n2007_000002\n" if name == "train" else "2007_000003\n")


COCO = {
    "images": [{"id": 9, "file_name": "b.jpg", "width": 8, "height": 6}, {"id": 4, "file_name": "a.jpg", "width": 8, "height": 6},
               {"id": 5, "file_name": "c.jpg", "width": 8, "height": 6}],
    "annotations": [{"id": 1, "image_id": 9, "category_id": 2, "bbox": [1, 2, 3, 3], "area": 9, "iscrowd": 0, "caption": "a cat",
                     "segmentation": [[1, 2, 4, 2, 4, 5, 1, 5]]},
                    {"id": 2, "image_id": 4, "category_id": 1, "bbox": [0, 0, 2, 2], "area": 4, "iscrowd": 1, "caption": "a crowd",
                     "segmentation": {"size": [6, 8], "counts": [6, 12, 30]}},
                    {"id": 7, "image_id": 9, "category_id": 1, "bbox": [2, 2, 2, 2], "area": 4, "iscrowd": 0, "caption": "a dog",
                     "segmentation": [[2, 2, 4, 2, 4, 4, 2, 4]]}],
    "categories": [{"id": 1, "name": "dog", "supercategory": "animal"}, {"id": 2, "name": "cat", "supercategory": "animal"}],
}


def coco(root):
    for i, name in enumerate("abc"):
        picture(root / "pictures" / f"{name}.jpg", seed=i)
    write(root / "annotations.json", json.dumps(COCO))


def caltech(root):
    from scipy.io import savemat

    for c in ("Faces", "ant", "BACKGROUND_Google", "Motorbikes"):
        for i in (1, 2):
            picture(root / "caltech101" / "101_ObjectCategories" / c / f"image_{i:04d}.jpg", seed=i)
    for c in ("Faces_2", "ant", "Motorbikes_16"):
        folder = root / "caltech101" / "Annotations" / c
        folder.mkdir(parents=True, exist_ok=True)
        for i in (1, 2):
            savemat(folder / f"annotation_{i:04d}.mat", {"obj_contour": np.arange(10.0).reshape(2, 5) + i})
    for c in ("001.ak47", "002.flag"):
        for i in (1, 2):
            picture(root / "caltech256" / "256_ObjectCategories" / c / f"{c[:3]}_{i:04d}.jpg", seed=i)
        write(root / "caltech256" / "256_ObjectCategories" / c / "notes.txt", "x")


def pets(root):
    base = root / "oxford-iiit-pet"
    for i, name in enumerate(("Abyssinian_100", "american_bulldog_1", "Abyssinian_2")):
        picture(base / "images" / f"{name}.jpg", seed=i)
        picture(base / "annotations" / "trimaps" / f"{name}.png", mode="L", seed=i)
    write(base / "annotations" / "trainval.txt", "Abyssinian_100 1 1 1\namerican_bulldog_1 2 2 1\n")
    write(base / "annotations" / "test.txt", "Abyssinian_2 1 1 1\n")


def flowers(root):
    from scipy.io import savemat

    base = root / "flowers-102"
    for i in range(1, 5):
        picture(base / "jpg" / f"image_{i:05d}.jpg", seed=i)
    savemat(base / "setid.mat", {"trnid": [[2, 1]], "valid": [[3]], "tstid": [[4]]})
    savemat(base / "imagelabels.mat", {"labels": np.array([[1, 5, 102, 7]], np.uint8)})


def textures(root):
    base = root / "dtd" / "dtd"
    for c in ("banded", "dotted"):
        picture(base / "images" / c / f"{c}_0001.jpg")
    write(base / "labels" / "train1.txt", "dotted/dotted_0001.jpg\nbanded/banded_0001.jpg\n")


def signs(root):
    for i, c in enumerate(("00000", "00002")):
        picture(root / "gtsrb" / "GTSRB" / "Training" / c / "00000_00000.ppm", seed=i)
    picture(root / "gtsrb" / "GTSRB" / "Final_Test" / "Images" / "00000.ppm")
    write(root / "gtsrb" / "GT-final_test.csv",
          "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n00000.ppm;53;54;6;5;48;49;16\n")


def dishes(root):
    for c in ("apple_pie", "sushi"):
        for i in (1, 2):
            picture(root / "food-101" / "images" / c / f"{i}.jpg", seed=i)
    write(root / "food-101" / "meta" / "train.json", json.dumps({"sushi": ["sushi/2", "sushi/1"], "apple_pie": ["apple_pie/1"]}))


def usps(root):
    values = np.random.default_rng(0).uniform(-1, 1, (2, 256))
    lines = [f"{target} " + " ".join(f"{i + 1}:{v:.4f}" for i, v in enumerate(row))
             for target, row in zip((10, 1), values, strict=True)]
    write(root / "usps.bz2", bz2.compress(("\n".join(lines) + "\n").encode()))


def semeion(root):
    rows = [" ".join(f"{v:.4f}" for v in pixels(256, seed=k) % 2) + " " + " ".join("1" if j == k else "0" for j in range(10))
            for k in (3, 7)]
    write(root / "semeion.data", " \n".join(rows) + " \n")


def omniglot(root):
    for a in ("Greek", "Latin"):
        for c in ("character01", "character02"):
            for i in (1, 2):
                picture(root / "omniglot-py" / "images_background" / a / c / f"0001_{i:02d}.png", (105, 105), "1", seed=i)


def celeba(root):
    names = [f"{i:06d}.jpg" for i in range(1, 5)]
    for i, name in enumerate(names):
        picture(root / "celeba" / "img_align_celeba" / name, seed=i)

    def table(name, head, row):
        write(root / "celeba" / name, head + "".join(f"{n} {row(i)}\n" for i, n in enumerate(names)))

    table("list_eval_partition.txt", "", lambda i: (0, 1, 2, 0)[i])
    table("identity_CelebA.txt", "", lambda i: 100 * i + 7)
    table("list_bbox_celeba.txt", "4\nimage_id x_1 y_1 width height\n", lambda i: f"   {i}  71 226 313")
    table("list_landmarks_align_celeba.txt", "4\nlefteye_x lefteye_y\n", lambda i: f" {i}  109")
    table("list_attr_celeba.txt", "4\nSmiling Young\n", lambda i: ("-1  1", " 1 -1")[i % 2])


def sorted_pictures(root):
    for i, path in enumerate(("b/x.png", "b/deeper/y.JPG", "a/z.jpeg", "a/w.webp")):
        path = root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels(6, 8, 3, seed=i)).save(path, format="PNG")
    write(root / "a" / "notes.txt", "x")
    picture(root / "beside.png")


def land_countries_and_sentences(root):
    for c in ("Forest", "River"):
        picture(root / "eurosat" / "2750" / c / f"{c}_1.jpg")
    for c in ("AD", "DE"):
        picture(root / "country211" / "valid" / c / "1.jpg")
    for c in ("negative", "positive"):
        picture(root / "rendered-sst2" / "valid" / c / "0001.png")


def imagenette(root):
    for c in ("n01440764", "n03028079"):
        picture(root / "imagenette2" / "val" / c / "x.JPEG")


def aeroplanes(root):
    base = root / "fgvc-aircraft-2013b" / "data"
    for i, name in enumerate(("0034309", "0034958")):
        picture(base / "images" / f"{name}.jpg", seed=i)
    write(base / "images_variant_trainval.txt", "0034309 Boeing 737-700\n0034958 A320\n")
    write(base / "variants.txt", "A320\nBoeing 737-700\n")


def places(root):
    for c in ("a/abbey", "a/apartment_building/outdoor"):
        picture(root / "SUN397" / c / "sun_1.jpg")
    write(root / "SUN397" / "ClassName.txt", "/a/abbey\n/a/apartment_building/outdoor\n")
