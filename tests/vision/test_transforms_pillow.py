"""Transforms of Pillow images: what Pillow gives, and conversions against NumPy."""

import io
import subprocess
import sys

import numpy as np
import PIL.Image
import PIL.ImageEnhance
import PIL.ImageOps
import pytest

import cltensor as ct
from cltensor.vision.transforms import InterpolationMode, functional, v2
from cltensor.vision.transforms.kernels import filters

pytestmark = [pytest.mark.device, pytest.mark.any_style]
PIXELS = np.random.default_rng(0).integers(0, 256, (13, 17, 3), dtype=np.uint8)
IMAGE = PIL.Image.fromarray(PIXELS)
FUNCTIONALS = [functional, v2.functional]
NAMES = {"horizontal_flip": "hflip", "vertical_flip": "vflip"}
CALLS = {
    "horizontal_flip": ((), IMAGE.transpose(0)), "vertical_flip": ((), IMAGE.transpose(1)),
    "crop": ((2, -3, 9, 25), IMAGE.crop((-3, 2, 22, 11))),
    "resize": (([7, 9], InterpolationMode.BICUBIC), IMAGE.resize((9, 7), PIL.Image.Resampling.BICUBIC)),
    "resized_crop": ((1, 2, 8, 9, [5, 6]), IMAGE.crop((2, 1, 11, 9)).resize((6, 5), PIL.Image.Resampling.BILINEAR)),
    "pad": (([1, 2], 7), PIL.ImageOps.expand(IMAGE, (1, 2, 1, 2), (7, 7, 7))),
    "rotate": ((30,), IMAGE.rotate(30, fillcolor=(0, 0, 0))),
    "adjust_brightness": ((1.3,), PIL.ImageEnhance.Brightness(IMAGE).enhance(1.3)),
    "adjust_contrast": ((1.3,), PIL.ImageEnhance.Contrast(IMAGE).enhance(1.3)),
    "adjust_saturation": ((0.3,), PIL.ImageEnhance.Color(IMAGE).enhance(0.3)),
    "adjust_sharpness": ((1.3,), PIL.ImageEnhance.Sharpness(IMAGE).enhance(1.3)),
    "invert": ((), PIL.ImageOps.invert(IMAGE)), "posterize": ((3,), PIL.ImageOps.posterize(IMAGE, 3)),
    "solarize": ((99,), PIL.ImageOps.solarize(IMAGE, 99)), "autocontrast": ((), PIL.ImageOps.autocontrast(IMAGE)),
    "equalize": ((), PIL.ImageOps.equalize(IMAGE)), "rgb_to_grayscale": ((), IMAGE.convert("L")),
}


@pytest.mark.parametrize("module", FUNCTIONALS, ids=["v1", "v2"])
@pytest.mark.parametrize("name", CALLS)
def test_what_pillow_gives(module, name):
    args, expected = CALLS[name]
    found = getattr(module, NAMES.get(name, name) if module is functional else name)(IMAGE, *args)
    assert found.mode == expected.mode
    assert np.array_equal(np.asarray(found), np.asarray(expected))


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric"])
def test_borders_are_numpys(mode):
    expected = np.pad(PIXELS, ((2, 4), (1, 3), (0, 0)), mode)
    assert np.array_equal(np.asarray(functional.pad(IMAGE, [1, 2, 3, 4], padding_mode=mode)), expected)
    tensor = functional.pad(functional.pil_to_tensor(IMAGE), [1, 2, 3, 4], padding_mode=mode)
    assert np.array_equal(tensor.numpy(), expected.transpose(2, 0, 1))


def test_hue_turns_the_hue_band():
    h, s, v = IMAGE.convert("HSV").split()
    turned = PIL.Image.fromarray(np.asarray(h) + np.uint8(25))
    expected = PIL.Image.merge("HSV", (turned, s, v)).convert("RGB")
    assert np.array_equal(np.asarray(functional.adjust_hue(IMAGE, 0.1)), np.asarray(expected))


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "I", "F"])
def test_to_tensor_of_every_mode(mode):
    image = IMAGE.convert("L").convert(mode)
    raw = np.asarray(image)
    planes = raw[None] if raw.ndim == 2 else raw.transpose(2, 0, 1)
    found = functional.to_tensor(image)
    if planes.dtype == np.uint8:
        assert np.array_equal(found.numpy(), planes.astype(np.float32) / np.float32(255))
    else:
        assert np.array_equal(found.numpy(), planes.astype(np.float32 if mode == "1" else planes.dtype))
    assert np.array_equal(functional.pil_to_tensor(image).numpy(), planes)


def test_arrays_to_tensors_and_back():
    assert np.array_equal(functional.to_tensor(PIXELS).numpy(), PIXELS.transpose(2, 0, 1) / np.float32(255))
    assert functional.to_tensor(PIXELS[..., 0].astype(np.float64)).dtype is ct.float64
    tensor = functional.pil_to_tensor(IMAGE)
    assert np.array_equal(np.asarray(functional.to_pil_image(tensor)), PIXELS)
    assert np.array_equal(np.asarray(functional.to_pil_image(functional.to_tensor(IMAGE))), PIXELS)
    assert functional.to_pil_image(tensor, "HSV").mode == "HSV"
    assert functional.to_pil_image(ct.zeros(4, 5, dtype=ct.int32)).mode == "I"
    assert isinstance(v2.functional.to_image(PIXELS[..., 0]), ct.Tensor)


def test_blur_on_the_host_is_that_of_tensors():
    on_host = np.asarray(functional.gaussian_blur(IMAGE, [5, 3], [1.0, 2.0])).transpose(2, 0, 1)
    on_device = functional.gaussian_blur(functional.pil_to_tensor(IMAGE), [5, 3], [1.0, 2.0]).numpy()
    assert np.abs(on_host.astype(int) - on_device).max() <= 1
    x = np.pad(PIXELS.astype(np.float64), ((1, 1), (2, 2), (0, 0)), "reflect")
    weights = np.outer(filters.bell(3, 2.0), filters.bell(5, 1.0))
    exact = sum(weights[i, j] * x[i:i + 13, j:j + 17] for i in range(3) for j in range(5))
    assert np.abs(on_host - exact.transpose(2, 0, 1)).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LA", "RGBA"])
def test_blur_and_erasing_keep_the_mode(mode):
    picture = IMAGE.convert(mode) if mode != "LA" else IMAGE.convert("L").convert("LA")
    blurred = functional.gaussian_blur(picture, 3)
    assert blurred.mode == mode
    assert np.array_equal(np.asarray(blurred), filters.blurred_array(np.asarray(picture), 3))
    erased = v2.functional.erase(picture, 1, 2, 3, 4, ct.tensor(7, dtype=ct.uint8))
    assert erased.mode == mode
    assert (np.asarray(erased)[1:4, 2:6] == 7).all()


@pytest.mark.parametrize("mode", ["P", "1"])
def test_blur_refuses_indices(mode):
    with pytest.raises(ValueError, match=rf"gaussian_blur: a picture of mode '{mode}'.*convert"):
        functional.gaussian_blur(IMAGE.convert(mode), 3)


def test_sixteen_bits_come_back():
    values = (PIXELS[..., 0].astype(np.uint16) * 257)
    picture = PIL.Image.fromarray(values)
    back = functional.to_pil_image(functional.to_tensor(picture))
    assert back.mode == picture.mode == "I;16"
    assert np.array_equal(np.asarray(back), values)
    bits = functional.pil_to_tensor(picture)
    assert np.array_equal(functional.hflip(bits).numpy()[0], values[:, ::-1])
    assert np.array_equal(np.asarray(functional.gaussian_blur(picture, 3)), filters.blurred_array(values, 3))


def test_jpeg_is_pillows():
    file = io.BytesIO()
    IMAGE.save(file, "JPEG", quality=40)
    expected = np.asarray(PIL.Image.open(file))
    assert np.array_equal(v2.functional.jpeg(functional.pil_to_tensor(IMAGE), 40).numpy(), expected.transpose(2, 0, 1))
    assert np.array_equal(np.asarray(v2.functional.jpeg(IMAGE, 40)), expected)


def test_importing_transforms_imports_no_pillow():
    code = "import sys, cltensor.vision.transforms.v2; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=100).returncode == 0


def test_without_pillow_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r"pip install .cltensor\[vision\]"):
        functional.to_pil_image(ct.zeros(3, 2, 2))
