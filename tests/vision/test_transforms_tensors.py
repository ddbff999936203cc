"""Transforms of tensors: torchvision's recorded results, NumPy, batches, dtypes and errors."""

import json
from pathlib import Path

import numpy as np
import pytest

import cltensor as ct
from cltensor.utils.data import DataLoader, Dataset
from cltensor.vision import transforms, tv_tensors
from cltensor.vision.transforms import InterpolationMode, functional, v2

F = v2.functional
pytestmark = [pytest.mark.device]
RESULTS = json.loads(Path(__file__).with_name("transforms.json").read_text())["results"]
CORNERS = [[0, 0], [6, 0], [6, 5], [0, 5]], [[1, 0], [6, 1], [5, 5], [0, 4]]


def picture():
    return ct.from_numpy(((np.arange(3 * 6 * 7) * 37) % 256).astype(np.uint8).reshape(3, 6, 7))


CALLS = {
    "resize": lambda x: F.resize(x, [4, 5]),
    "resize_up": lambda x: F.resize(x, [8, 9], interpolation=InterpolationMode.BICUBIC),
    "rotate": lambda x: F.rotate(x, 30, expand=True), "affine": lambda x: F.affine(x, 20, [1, 0], 1.2, [5, 0]),
    "perspective": lambda x: F.perspective(x, *CORNERS), "pad": lambda x: F.pad(x, [1, 2], padding_mode="reflect"),
    "equalize": F.equalize, "autocontrast": F.autocontrast, "hue": lambda x: F.adjust_hue(x, 0.3),
    "contrast": lambda x: F.adjust_contrast(x, 1.5), "sharpness": lambda x: F.adjust_sharpness(x, 2.0),
    "posterize": lambda x: F.posterize(x, 3), "solarize": lambda x: F.solarize(x, 100), "gamma": lambda x: F.adjust_gamma(x, 0.7),
    "gray": F.rgb_to_grayscale, "blur": lambda x: F.gaussian_blur(x, [3, 5], [1.0, 1.5]),
}
#: bytes that may be one off, where float sums are rounded in another order
ROUNDED = {"autocontrast", "blur", "contrast", "gamma", "hue", "perspective"}


@pytest.mark.parametrize("name", CALLS)
def test_bytes_are_torchvisions(name):
    found = CALLS[name](picture()).numpy().astype(int)
    expected = np.asarray(RESULTS[name])
    assert found.shape == expected.shape
    off = np.abs(found - expected)
    assert off.max() <= (1 if name in ROUNDED else 0)
    assert (off > 0).mean() < 0.02


@pytest.mark.parametrize("name", CALLS)
def test_a_batch_is_its_pictures(name):
    x = picture()
    batch = ct.stack([x, x.flip(-1)])
    expected = ct.stack([CALLS[name](x), CALLS[name](x.flip(-1))])
    assert np.abs(CALLS[name](batch).numpy().astype(int) - expected.numpy()).max() <= (1 if name in ROUNDED else 0)


@pytest.mark.any_style
@pytest.mark.parametrize("name", sorted(set(CALLS) - {"equalize", "solarize", "posterize", "autocontrast"}))
def test_floats_are_bytes_scaled(name):
    x = picture()
    found = CALLS[name](x.float() / 255)
    assert found.dtype is ct.float32
    off = np.abs(found.numpy().clip(0, 1) * 255 - CALLS[name](x).numpy())
    assert off.max() < (2.5 if name in {"contrast", "gray", "resize_up"} else 1.6)


@pytest.mark.any_style
def test_boxes_and_points_are_torchvisions():
    boxes = tv_tensors.BoundingBoxes([[1.0, 1.0, 4.0, 5.0], [0.0, 2.0, 6.0, 6.0]], format="XYXY", canvas_size=(6, 7))
    turned = ct.tensor([[3.0, 3.0, 4.0, 2.0, 30.0], [6.0, 3.0, 4.0, 3.0, 60.0]])
    kind = tv_tensors.BoundingBoxFormat
    found = {
        "boxes_rotate": F.rotate(boxes, 30, expand=True), "boxes_affine": F.affine(boxes, 20, [1, 0], 1.2, [5, 0]),
        "boxes_crop": F.crop(boxes, 1, 2, 4, 4), "boxes_center": F.convert_bounding_box_format(boxes, new_format="CXCYWH"),
        "turned_corners": F.convert_bounding_box_format(turned, kind.CXCYWHR, kind.XYXYXYXY),
        "turned_soft": F.clamp_bounding_boxes(turned, kind.CXCYWHR, (6, 7), "soft"),
        "turned_hard": F.clamp_bounding_boxes(turned, kind.CXCYWHR, (6, 7), "hard"),
        "points_perspective": F.perspective(tv_tensors.KeyPoints([[1.0, 2.0], [5.0, 4.0]], canvas_size=(6, 7)), *CORNERS),
    }
    for name, value in found.items():
        np.testing.assert_allclose(value.numpy(), RESULTS[name], atol=2e-4, err_msg=name)


@pytest.mark.any_style
@pytest.mark.parametrize("format", ["XYXY", "XYWH", "CXCYWH"])
@pytest.mark.parametrize("dtype", ["int64", "float32"])
def test_formats_there_and_back(format, dtype):
    corners = np.asarray([[2, 4, 10, 12], [0, 0, 4, 2]], dtype)
    boxes = tv_tensors.BoundingBoxes(ct.from_numpy(corners), format="XYXY", canvas_size=(20, 30))
    there = F.convert_bounding_box_format(boxes, new_format=format)
    assert there.format.name == format
    assert np.array_equal(F.convert_bounding_box_format(there, new_format="XYXY").numpy(), corners)
    x0, y0, x1, y1 = corners.T
    expected = {"XYXY": corners.T, "XYWH": (x0, y0, x1 - x0, y1 - y0),
                "CXCYWH": ((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0)}[format]
    assert np.array_equal(there.numpy(), np.stack(expected, 1).astype(dtype))


@pytest.mark.any_style
def test_a_box_follows_its_pixels():
    """A box around a bright rectangle is around it after each exact map."""
    x = np.zeros((1, 20, 30), np.float32)
    x[:, 4:9, 6:16] = 1
    image = tv_tensors.Image(ct.from_numpy(x))
    boxes = tv_tensors.BoundingBoxes([[6.0, 4.0, 16.0, 9.0]], format="XYXY", canvas_size=(20, 30))
    maps = [lambda t: F.horizontal_flip(t), lambda t: F.vertical_flip(t), lambda t: F.crop(t, 2, 3, 15, 20),
            lambda t: F.pad(t, [1, 2, 3, 4]), lambda t: F.affine(t, 0, [3, 5], 1.0, [0, 0]), lambda t: F.rotate(t, 180),
            lambda t: F.resize(t, [40, 60], interpolation="nearest"), lambda t: F.rotate(t, 90, expand=True)]
    for change in maps:
        bright = np.argwhere(change(image).numpy()[0] > 0.5)
        (top, left), (bottom, right) = bright.min(0), bright.max(0) + 1
        np.testing.assert_allclose(change(boxes).numpy()[0], [left, top, right, bottom], atol=1e-3)


@pytest.mark.any_style
def test_dtypes_keep_black_and_white():
    white = {"uint8": 255, "int16": 32767, "int32": 2**31 - 1, "float32": 1.0}
    for a, b in [(a, b) for a in white for b in white if (a, b) != ("float32", "int32")]:
        x = ct.tensor([[[0, white[a]]]], dtype=getattr(ct, a))
        found = F.to_dtype(x, getattr(ct, b), scale=True).tolist()[0][0]
        assert found[0] == 0
        low = {"uint8": 8, "int16": 15, "int32": 31, "float32": 24}
        assert found[1] == pytest.approx(white[b], rel=2.0**-min(low[a], low[b]) * 1.01)


@pytest.mark.any_style
def test_normalize_matches_numpy_and_works_in_place():
    x = np.random.default_rng(0).random((2, 3, 4, 5), dtype=np.float32)
    mean, std = np.asarray([0.4, 0.5, 0.6], np.float32), np.asarray([0.2, 0.3, 0.4], np.float32)
    expected = (x - mean.reshape(3, 1, 1)) / std.reshape(3, 1, 1)
    t = ct.from_numpy(x)
    np.testing.assert_allclose(functional.normalize(t, mean.tolist(), std.tolist()).numpy(), expected, rtol=1e-6, atol=1e-6)
    assert functional.normalize(t, mean.tolist(), std.tolist(), inplace=True) is t
    np.testing.assert_allclose(t.numpy(), expected, rtol=1e-6, atol=1e-6)


class Normalized(Dataset):
    """Pictures in a worker: whole, and seen through strides."""

    def __init__(self, x):
        self.x = x

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        picture = ct.from_numpy(self.x[i])
        apply = transforms.Normalize([0.4, 0.5, 0.6], [0.2, 0.3, 0.4])
        return apply(picture), apply(picture[:, 1:, ::2]), F.normalize(picture, [0.5], [0.25])


@pytest.mark.any_style
def test_normalize_in_a_worker_gives_the_same_bits():
    x = np.random.default_rng(0).random((2, 3, 4, 5), dtype=np.float32)
    there, here = DataLoader(Normalized(x), num_workers=1), DataLoader(Normalized(x))
    for found, expected in zip(there, here, strict=True):
        assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(found, expected, strict=True))


@pytest.mark.any_style
def test_normalize_wants_as_many_values_as_channels():
    grey = ct.rand(1, 2, 2)
    for call in (lambda: functional.normalize(grey, [0.1] * 3, [0.5] * 3), lambda: functional.normalize(grey, [0.1], [0.5] * 3),
                 lambda: functional.normalize(ct.rand(4, 2, 2), [0.1] * 3, [0.5]),
                 lambda: F.normalize(ct.rand(2, 2, 2), [0.1] * 3, [1])):
        with pytest.raises(RuntimeError, match=r"normalize: (mean|std) has 3 values, and the picture \d channels"):
            call()
    assert F.normalize(grey, [0.1] * 3, [0.5] * 3).shape == (3, 2, 2)


@pytest.mark.any_style
def test_gradients_flow_through_pictures():
    x = ct.rand(3, 8, 9, requires_grad=True)
    y = F.adjust_brightness(F.rotate(F.resize(F.horizontal_flip(x), [6, 7]), 20, interpolation="bilinear"), 0.5)
    y.sum().backward()
    assert x.grad.shape == x.shape
    assert float(x.grad.abs().sum()) > 0


ERRORS = [
    (lambda x: F.horizontal_flip([1]), TypeError, "supports inputs of type"),
    (lambda x: functional.hflip([1]), TypeError, "img should be PIL Image"),
    (lambda x: F.resize(x, [2, 3], max_size=4), ValueError, "max_size"),
    (lambda x: F.resize(x, 2, max_size=2), ValueError, "must be strictly greater"),
    (lambda x: F.resize(x, [3], interpolation="box"), ValueError, "Pillow images"),
    (lambda x: F.resize(x, [3], interpolation=7), ValueError, "expected an InterpolationMode"),
    (lambda x: functional.resize(x, [3], interpolation=InterpolationMode.LANCZOS), ValueError, "lanczos"),
    (lambda x: F.pad(x, [1, 2, 3]), ValueError, "1, 2, or 4 element"),
    (lambda x: F.pad(x, 1, padding_mode="x"), ValueError, "padding_mode"),
    (lambda x: F.adjust_hue(x, 0.7), ValueError, "hue_factor"), (lambda x: F.adjust_brightness(x, -1), ValueError, "non-negative"),
    (lambda x: F.adjust_gamma(x, -1), ValueError, "non-negative"),
    (lambda x: F.adjust_contrast(x[:2], 1), TypeError, "permitted channel values"),
    (lambda x: F.normalize(x, [1.0], [1.0]), TypeError, "float tensor"),
    (lambda x: F.normalize(x.float(), [1.0], [0.0]), ValueError, "zero"),
    (lambda x: F.normalize(x.float()[0], [1.0], [1.0]), ValueError, "C, H, W"),
    (lambda x: F.gaussian_blur(x, [2, 3]), ValueError, "odd"),
    (lambda x: F.gaussian_blur(x, [3]), ValueError, "length should be 2"),
    (lambda x: F.solarize(x, 300), TypeError, "Threshold"), (lambda x: F.posterize(x, 9), TypeError, "bits"),
    (lambda x: F.rotate(x, 10, interpolation="bicubic"), ValueError, "unsupported with Tensor"),
    (lambda x: F.affine(x, "a", [1, 2], 1, [0, 0]), TypeError, "angle"),
    (lambda x: F.affine(x, 1, [1], 1, [0, 0]), ValueError, "translate"),
    (lambda x: F.affine(x, 1, 3, 1, 0), TypeError, "translate"),
    (lambda x: F.affine(x, 1, [1, 2], 0, [0, 0]), ValueError, "scale"),
    (lambda x: F.affine(x, 1, [1, 2], 1, [0, 0, 1]), ValueError, "Shear"),
    (lambda x: F.affine(x, 1, [1, 2], 1, [0, 0], center=[1]), ValueError, "center"),
    (lambda x: F.rotate(x, 1, fill=[1, 2]), ValueError, "fill"),
    (lambda x: F.perspective(x, [[0, 0]], [[0, 0]]), ValueError, "four corners"),
    (lambda x: F.perspective(x, None, None), ValueError, "None"),
    (lambda x: F.perspective(x, None, None, coefficients=[1.0]), ValueError, "8 float"),
    (lambda x: F.elastic(x, 3), TypeError, "displacement"), (lambda x: F.elastic(x, ct.zeros(1, 2, 2, 2)), ValueError, "shape"),
    (lambda x: F.five_crop(x, 20), ValueError, "bigger than input"), (lambda x: F.jpeg(x, 0), ValueError, "between 1 and 100"),
    (lambda x: F.jpeg(x.float(), 10), RuntimeError, "uint8"),
    (lambda x: F.to_dtype(x.float(), ct.int32, True), RuntimeError, "safely"),
    (lambda x: F.permute_channels(x, [0, 1]), ValueError, "permutation"),
    (lambda x: F.gaussian_noise(x, sigma=-1), ValueError, "sigma"),
    (lambda x: F.gaussian_noise(x.int()), ValueError, "uint8 or float"),
    (lambda x: functional.equalize(x.int()), TypeError, "uint8"),
    (lambda x: functional.posterize(x.float(), 2), TypeError, "uint8"),
    (lambda x: functional.erase(3, 0, 0, 1, 1, x), TypeError, "Tensor"),
    (lambda x: functional.to_tensor(3), TypeError, "PIL Image or ndarray"),
    (lambda x: functional.pil_to_tensor(x), TypeError, "PIL"),
    (lambda x: functional.to_pil_image(3), TypeError, "Tensor or ndarray"),
    (lambda x: functional.to_pil_image(x[None]), ValueError, "2/3 dimensional"),
    (lambda x: functional.to_pil_image(x.long()), TypeError, "not supported"),
    (lambda x: functional.to_pil_image(x, "L"), ValueError, "Incorrect mode"),
    (lambda x: functional.to_grayscale(x), TypeError, "PIL"),
    (lambda x: functional.get_dimensions([1]), TypeError, "Unexpected type"),
    (lambda x: F.rgb_to_grayscale(x, 2), ValueError, "num_output_channels"), (lambda x: F.to_image([1]), TypeError, "numpy array"),
]


@pytest.mark.any_style
@pytest.mark.parametrize(("call", "error", "text"), ERRORS, ids=[f"{i}-{t}" for i, (_, _, t) in enumerate(ERRORS)])
def test_errors_say_what_is_wrong(call, error, text):
    x = picture()
    with pytest.raises(error, match=text):
        call(x)
    assert np.array_equal(x.numpy(), picture().numpy())
