"""Samples through transforms: one set of parameters for all, nestings kept, random numbers from the seed, also in workers."""

import os
import pickle
from collections import OrderedDict, namedtuple

import numpy as np
import PIL.Image
import pytest

import cltensor as ct
from cltensor.utils.data import DataLoader, Dataset
from cltensor.vision import transforms as v1
from cltensor.vision import tv_tensors
from cltensor.vision.transforms import draws, v2

pytestmark = [pytest.mark.device, pytest.mark.any_style]
Pair = namedtuple("Pair", "a b")
PIXELS = np.random.default_rng(0).integers(0, 256, (24, 30, 3), dtype=np.uint8)


def sample():
    """A bright rectangle as picture, mask, box and its corners."""
    x = np.zeros((3, 24, 30), np.uint8)
    x[:, 5:12, 6:20] = 200
    size = {"canvas_size": (24, 30)}
    return {"image": tv_tensors.Image(ct.from_numpy(x)), "mask": tv_tensors.Mask(ct.from_numpy(x[0] // 200)),
            "boxes": tv_tensors.BoundingBoxes([[6.0, 5.0, 20.0, 12.0]], format="XYXY", **size), "labels": ct.tensor([3]),
            "points": tv_tensors.KeyPoints([[6.0, 5.0], [19.0, 11.0]], **size), "name": "x"}


EXACT = ["RandomHorizontalFlip(p=1)", "RandomVerticalFlip(p=1)", "RandomCrop((16, 20))", "RandomCrop(20, padding=6)",
         "Pad((1, 2, 3, 4))",
         "RandomZoomOut(p=1, side_range=(1, 2))", "CenterCrop(18)", "RandomAffine(0, translate=(0.2, 0.2))",
         "RandomRotation((180, 180))"]


@pytest.mark.parametrize("text", EXACT)
def test_all_of_a_sample_moves_together(text):
    for seed in range(3):
        ct.manual_seed(seed)
        out = eval(f"v2.{text}")(sample())
        assert out["name"] == "x"
        assert out["labels"].tolist() == [3]
        bright = out["image"].numpy()[0] > 100
        assert np.array_equal(out["mask"].numpy() > 0, bright)
        height, width = bright.shape
        assert out["boxes"].canvas_size == out["points"].canvas_size == (height, width)
        left, top, right, bottom = (round(n) for n in out["boxes"].numpy()[0].tolist())
        expected = np.zeros_like(bright)
        expected[top:bottom, left:right] = True
        assert np.array_equal(expected, bright)


def test_nestings_and_classes_are_kept():
    image = tv_tensors.Image(ct.rand(3, 8, 9))
    nest = OrderedDict(a=[image, None, 3], b=(Pair(image, "s"), {"c": np.zeros(2)}))
    out = v2.RandomHorizontalFlip(p=1)(nest)
    assert type(out) is OrderedDict
    assert type(out["b"][0]) is Pair
    assert type(out["a"][0]) is type(out["b"][0].a) is tv_tensors.Image
    assert out["a"][1:] == [None, 3]
    assert out["b"][1]["c"] is nest["b"][1]["c"]
    assert np.array_equal(out["a"][0].numpy(), image.numpy()[..., ::-1])


def test_the_first_plain_tensor_is_the_picture_unless_there_is_another():
    x, label = ct.arange(6.0).reshape(1, 2, 3), ct.arange(3.0)
    flip = v2.RandomHorizontalFlip(p=1)
    out = flip(x, label)
    assert out[0].tolist() == [[[2, 1, 0], [5, 4, 3]]]
    assert out[1] is label
    image, other = flip(tv_tensors.Image(x), x)
    assert type(image) is tv_tensors.Image
    assert other is x


def test_draws_are_those_of_tensors_of_one_element():
    pairs = [(draws.unit, lambda: ct.rand(1).item()),
    (lambda: draws.uniform(0.3, 2.0), lambda: ct.empty(1).uniform_(0.3, 2.0).item()),
             (lambda: draws.integer(2, 17), lambda: ct.randint(2, 17, (1,)).item()),
             (lambda: draws.permutation(7), lambda: ct.randperm(7).tolist()),
             (lambda: draws.field(2, 3).tolist(), lambda: ct.rand(2, 3).tolist())]
    for ours, theirs in pairs:
        ct.manual_seed(5)
        first = [ours() for _ in range(4)]
        ct.manual_seed(5)
        assert first == [theirs() for _ in range(4)]
    with pytest.raises(ValueError, match="from"):
        draws.integer(3, 3)


def test_draws_have_their_distributions():
    ct.manual_seed(0)
    units = np.asarray([draws.unit() for _ in range(4000)])
    assert abs(units.mean() - 0.5) < 0.02
    assert abs(np.mean([draws.weighted([1, 3]) for _ in range(2000)]) - 0.75) < 0.04
    shares = np.asarray([draws.dirichlet([0.5, 0.5, 1.0]) for _ in range(2000)])
    np.testing.assert_allclose(shares.sum(1), 1)
    np.testing.assert_allclose(shares.mean(0), [0.25, 0.25, 0.5], atol=0.03)


RANDOM = ["RandomResizedCrop(12)", "ColorJitter(0.4, 0.4, 0.4, 0.2)", "RandomRotation(45)",
         "RandomAffine(20, (0.1, 0.1), (0.8, 1.2), 10)",
          "RandomPerspective(p=1)", "GaussianBlur(3)", "ElasticTransform(20.0, 2.0)", "AutoAugment()", "RandAugment()",
          "TrivialAugmentWide()", "AugMix()"]
RANDOM_V2 = ["RandomPhotometricDistort(p=0.7)", "JPEG((10, 90))", "RandomErasing(p=1)", "ScaleJitter((20, 20))", "GaussianNoise()"]


def randomly(text, module, x, seed):
    ct.manual_seed(seed)
    out = eval(f"module.{text}", {"module": module})(x)
    return np.asarray(out) if isinstance(out, PIL.Image.Image) else out.numpy()


@pytest.mark.parametrize("text", RANDOM + RANDOM_V2)
def test_a_seed_gives_a_result(text):
    tensor = ct.from_numpy(PIXELS.transpose(2, 0, 1).copy())
    for module in (v1, v2) if text in RANDOM else (v2,):
        for x in (tensor, PIL.Image.fromarray(PIXELS)) if text in RANDOM else (tensor,):
            first, again, other = (randomly(text, module, x, seed) for seed in (1, 1, 2))
            assert first.dtype == np.uint8
            assert np.array_equal(first, again)
            assert text in ("AutoAugment()", "RandAugment()", "TrivialAugmentWide()") or not np.array_equal(first, other)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_computes_the_same():
    tensor = ct.from_numpy(PIXELS.transpose(2, 0, 1).copy())
    texts = [*RANDOM, *RANDOM_V2, "RandomIoUCrop()", "SanitizeBoundingBoxes()", "Resize(10)"]

    def everything():
        found = []
        for text in texts:
            ct.manual_seed(3)
            out = eval(f"v2.{text}")(sample() if text[-4:] in ("op()", "es()", "(10)") else ct.from_numpy(tensor_values))
            found.append(np.asarray(out["image"].numpy() if isinstance(out, dict) else out.numpy()))
        return found

    tensor_values = tensor.numpy()
    ours = everything()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with os.fdopen(writing, "wb") as file:
                pickle.dump(everything(), file)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        theirs = pickle.load(file)
    os.waitpid(child, 0)
    for text, a, b in zip(texts, ours, theirs, strict=True):
        assert a.shape == b.shape, text
        assert np.abs(a.astype(float) - b).max() <= 1, text


class Pictures(Dataset):
    """Sample i: a picture and a number, augmented."""

    transform = v1.Compose([v1.RandomResizedCrop(8), v1.RandomHorizontalFlip(), v1.ToTensor(), v1.Normalize([0.5] * 3, [0.2] * 3)])

    def __len__(self):
        return 8

    def __getitem__(self, i):
        return self.transform(PIL.Image.fromarray(np.roll(PIXELS, i, 0))), i


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.limit(60)
def test_workers_draw_from_the_seed():
    def read():
        ct.manual_seed(7)
        loader = DataLoader(Pictures(), batch_size=4, num_workers=2, multiprocessing_context="fork")
        return [x.numpy() for x, _ in loader]

    first, again = read(), read()
    assert first[0].shape == (4, 3, 8, 8)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0][0], first[1][0])


def test_iou_crop_keeps_boxes_whose_centres_are_inside():
    data = sample()
    data["boxes"] = tv_tensors.BoundingBoxes([[6.0, 5.0, 20.0, 12.0], [0.0, 0.0, 2.0, 2.0]], format="XYXY", canvas_size=(24, 30))
    data["labels"] = ct.tensor([3, 4])
    for seed in range(6):
        ct.manual_seed(seed)
        out = v2.SanitizeBoundingBoxes()(v2.RandomIoUCrop(sampler_options=[0.1])(data))
        assert out["boxes"].shape[0] == out["labels"].shape[0] > 0
        height, width = out["image"].shape[-2:]
        assert out["boxes"].canvas_size == (height, width)


def test_sanitizing_takes_labels_and_masks_along():
    data = {"boxes": tv_tensors.BoundingBoxes([[0, 0, 9, 9], [5, 5, 5, 9], [0, 0, 90, 9]], format="XYXY", canvas_size=(20, 20)),
            "labels": ct.tensor([1, 2, 3]), "masks": tv_tensors.Mask(ct.arange(3).reshape(3, 1, 1)), "other": ct.arange(3)}
    out = v2.SanitizeBoundingBoxes()(data)
    assert out["boxes"].tolist() == [[0, 0, 9, 9]]
    assert out["labels"].tolist() == [1]
    assert out["masks"].tolist() == [[[0]]]
    assert out["other"].tolist() == [0, 1, 2]
    points = tv_tensors.KeyPoints([[3, 4], [25, 4]], canvas_size=(20, 20))
    kept, labels = v2.SanitizeKeyPoints(labels_getter=lambda s: s[1])(points, ct.tensor([1, 2]))
    assert (kept.tolist(), labels.tolist()) == ([[3, 4]], [1])


def test_mixing_batches():
    x, labels = ct.rand(4, 3, 8, 8), ct.tensor([0, 1, 2, 1])
    images, chances = v2.MixUp(num_classes=3)(x, labels)
    share = float(chances[0].max())
    assert np.allclose(chances.numpy().sum(1), 1)
    rolled = np.roll(x.numpy(), 1, 0)
    mixes = [s * x.numpy() + (1 - s) * rolled for s in (share, 1 - share)]
    assert min(np.abs(images.numpy() - m).max() for m in mixes) < 1e-5
    images, chances = v2.CutMix(num_classes=3)(x, labels)
    cut = (images.numpy() != x.numpy()).any(1)
    assert np.array_equal(np.where(cut[:, None], rolled, x.numpy()), images.numpy())
    assert float(chances[0, 1]) == pytest.approx(cut[0].mean(), abs=1e-6)
    already = ct.tensor([[0.5, 0.5]] * 4)
    assert v2.MixUp()(x, already)[1].shape == (4, 2)


def test_dtypes_by_class():
    data = sample()
    out = v2.ToDtype({tv_tensors.Image: ct.float32, tv_tensors.Mask: ct.int64, "others": None}, scale=True)(data)
    assert (out["image"].dtype, out["mask"].dtype, out["labels"].dtype) == (ct.float32, ct.int64, ct.int64)
    assert float(out["image"].max()) == pytest.approx(200 / 255)
    assert v2.ToDtype(ct.float32)(data)["mask"].dtype is ct.uint8
    assert type(v2.ToPureTensor()(data)["image"]) is ct.Tensor
    assert v2.ToImage()(PIXELS).shape == (3, 24, 30)


def test_containers():
    x = ct.arange(6.0).reshape(1, 2, 3)
    assert v2.Compose([v2.RandomHorizontalFlip(1), v2.RandomVerticalFlip(1)])(x).tolist() == [[[5, 4, 3], [2, 1, 0]]]
    assert v2.RandomApply([v2.RandomHorizontalFlip(1)], p=0)(x) is x
    assert v2.RandomChoice([v2.Identity(), v2.RandomHorizontalFlip(1)], p=[0, 1])(x).tolist() == [[[2, 1, 0], [5, 4, 3]]]
    assert v2.RandomOrder([v2.RandomHorizontalFlip(1), v2.RandomVerticalFlip(1)])(x).tolist() == [[[5, 4, 3], [2, 1, 0]]]
    assert v1.RandomOrder([lambda t: t + 1])(x).tolist() == (x + 1).tolist()
    assert v1.RandomChoice([lambda t: t + 1])(x).tolist() == (x + 1).tolist()
    assert v2.Lambda(lambda t: t + 1, ct.Tensor)(x, "s")[1] == "s"
    matrix = v2.LinearTransformation(2 * ct.eye(6), ct.ones(6))(x)
    assert matrix.tolist() == (2 * (x - 1)).tolist()


ERRORS = [
    (lambda x: v2.RandomHorizontalFlip(3), ValueError, "interval"), (lambda x: v2.Compose([]), ValueError, "at least one"),
    (lambda x: v2.Compose(3), TypeError, "sequence of callables"),
    (lambda x: v2.RandomChoice([len], p=[1, 2]), ValueError, "Length of p"),
    (lambda x: v2.Resize(None), ValueError, "max_size"), (lambda x: v1.Resize((1, 2, 3)), ValueError, "1 or 2 values"),
    (lambda x: v2.RandomCrop(50)(x), ValueError, "larger than"), (lambda x: v1.RandomCrop(50)(x), ValueError, "larger than"),
    (lambda x: v2.RandomIoUCrop()(x), TypeError, "bounding"),
    (lambda x: v2.SanitizeBoundingBoxes()(x), ValueError, "labels_getter"),
    (lambda x: v2.SanitizeBoundingBoxes(min_size=0), ValueError, "min_size"),
    (lambda x: v2.SanitizeBoundingBoxes(labels_getter=3), ValueError, "labels_getter"),
    (lambda x: v2.MixUp(alpha=-1), ValueError, "alpha"), (lambda x: v2.MixUp(num_classes=2)({"a": x}), ValueError, "infer where"),
    (lambda x: v2.CutMix(num_classes=2)(x[None], ct.tensor([0, 1])), ValueError, "batch size"),
    (lambda x: v2.MixUp()(x[None], ct.tensor([0])), ValueError, "num_classes"),
    (lambda x: v2.MixUp(num_classes=2)(x, ct.tensor([0])), ValueError, "batched input"),
    (lambda x: v2.JPEG(0), ValueError, "quality"), (lambda x: v2.ColorJitter(-1), ValueError, "non negative"),
    (lambda x: v1.ColorJitter(hue=1), ValueError, "hue values"), (lambda x: v1.ColorJitter("a"), TypeError, "single number"),
    (lambda x: v1.RandomRotation(-1), ValueError, "positive"),
    (lambda x: v1.RandomAffine(1, translate=(2, 3)), ValueError, "between 0"),
    (lambda x: v1.RandomAffine(1, scale=(-1, 2)), ValueError, "positive"),
    (lambda x: v2.RandomPerspective(3), ValueError, "distortion"),
    (lambda x: v1.RandomErasing(value="x"), ValueError, "random"), (lambda x: v1.RandomErasing(p=2), ValueError, "probability"),
    (lambda x: v1.RandomErasing(p=1, value=[1, 2])(x), ValueError, "number of input"),
    (lambda x: v1.GaussianBlur(2), ValueError, "odd"),
    (lambda x: v2.GaussianBlur(3, sigma=-1), ValueError, "positive"), (lambda x: v1.AutoAugment("x"), ValueError, "recognized"),
    (lambda x: v1.AugMix(severity=11), ValueError, "severity"),
    (lambda x: v2.RandomZoomOut(side_range=(0.5, 2)), ValueError, "side range"),
    (lambda x: v2.AutoAugment()({"a": 3}), TypeError, "no image"),
    (lambda x: v2.AutoAugment()(sample()), TypeError, "not supported"),
    (lambda x: v2.FiveCrop(3)(sample()), TypeError, "not supported"),
    (lambda x: v2.Transform()(x), NotImplementedError, "transform"),
    (lambda x: v2.ToDtype({tv_tensors.Image: ct.float32})(tv_tensors.Mask(x)), ValueError, "No dtype"),
    (lambda x: v2.Normalize([0.5], [0.5])(PIL.Image.fromarray(PIXELS)), TypeError, "PIL"),
    (lambda x: v2.LinearTransformation(ct.zeros(2, 3), ct.zeros(2)), ValueError, "square"),
    (lambda x: v1.LinearTransformation(ct.eye(2), ct.zeros(2))(x), ValueError, "incompatible"),
    (lambda x: v1.Lambda(3), TypeError, "callable"),
    (lambda x: v1.Pad("a"), TypeError, "padding"),
    (lambda x: v1.Pad(1, None), TypeError, "fill"),
    (lambda x: v2.Pad(1, fill="red"), TypeError, "fill"), (lambda x: v1.CenterCrop((1, 2, 3)), ValueError, "two dimensions"),
    (lambda x: v2.query_size([3]), TypeError, "was found"), (lambda x: v2.get_bounding_boxes([x]), ValueError, "bounding boxes"),
    (lambda x: v2.query_chw([x, PIL.Image.fromarray(PIXELS)]), ValueError, "multiple"),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS, ids=[f"{i}-{t}" for i, (_, _, t) in enumerate(ERRORS)])
def test_errors_say_what_is_wrong(call, error, text):
    with pytest.raises(error, match=text):
        call(ct.zeros(3, 6, 7))


def test_a_transform_of_ones_own():
    class Halve(v2.Transform):
        def make_params(self, flat_inputs):
            return {"size": v2.query_size(flat_inputs)}

        def transform(self, inpt, params):
            return self._call_kernel(v2.functional.resize, inpt, [n // 2 for n in params["size"]])

    out = Halve()(sample())
    assert out["image"].shape == (3, 12, 15)
    assert out["boxes"].tolist() == [[3.0, 2.5, 10.0, 6.0]]
    assert out["labels"].tolist() == [3]


def test_kernels_of_ones_own():
    class Spectrum(tv_tensors.TVTensor):
        pass

    x = ct.arange(3.0).as_subclass(Spectrum)
    with pytest.raises(TypeError, match="supports inputs"):
        v2.functional.horizontal_flip(x)
    assert v2.RandomHorizontalFlip(1)(x) is x

    @v2.functional.register_kernel(v2.functional.horizontal_flip, Spectrum)
    def flipped(inpt):
        return tv_tensors.wrap(inpt.flip(-1), like=inpt)

    assert v2.RandomHorizontalFlip(1)(x).tolist() == [2, 1, 0]
    for functional, cls in ((len, Spectrum), (v2.functional.resize, int), (v2.functional.resize, tv_tensors.Image)):
        with pytest.raises(ValueError, match="Kernels can"):
            v2.functional.register_kernel(functional, cls)


def test_deprecated_names_warn():
    image = PIL.Image.fromarray(PIXELS)
    with pytest.warns(UserWarning, match="deprecated"):
        assert v2.ToTensor()(image).shape == (3, 24, 30)
    with pytest.warns(UserWarning, match="deprecated"):
        assert v2.functional.get_image_size(image) == [30, 24]
    with pytest.warns(UserWarning, match="deprecated"):
        v2.functional.to_tensor(image)


def test_grey_pictures_get_three_channels_where_asked():
    """As in torchvision, whose version 1 leaves tensors of one channel as they are."""
    grey = ct.arange(6.0).view(1, 2, 3) / 6
    for made in (v2.functional.rgb_to_grayscale(grey, 3), v2.Grayscale(3)(grey), v1.functional.rgb_to_grayscale(grey, 3)):
        assert made.tolist() == grey.tolist() * 3
    alone = v2.functional.rgb_to_grayscale(grey)
    assert alone.tolist() == grey.tolist()
    assert alone.data_ptr() != grey.data_ptr()
