"""Pictures to tensors and back: kinds, modes, orientations, damage; what torchvision gives for the same bytes is known to be
equal."""

import io

import numpy as np
import pytest

import cltensor as ct
from cltensor.base.errors import AbsentError, ArgumentError, ArgumentTypeError, DTypeError, SerializationError, ShapeError
from cltensor.vision import io as vio
from cltensor.vision.io import ImageReadMode as Mode
from vision_files import pixels

Image = pytest.importorskip("PIL.Image", reason="pictures are Pillow's")
ImageOps = pytest.importorskip("PIL.ImageOps")
pytestmark = [pytest.mark.device, pytest.mark.any_style]
RGB = pixels(7, 9, 3)
CHANNELS = {Mode.GRAY: 1, Mode.GRAY_ALPHA: 2, Mode.RGB: 3, Mode.RGB_ALPHA: 4}


def images():
    alpha = np.concatenate([RGB, pixels(7, 9, 1, seed=1)], 2)
    return {"RGB": Image.fromarray(RGB), "L": Image.fromarray(RGB[..., 0]), "RGBA": Image.fromarray(alpha),
            "LA": Image.fromarray(np.ascontiguousarray(alpha[..., 2:])), "P": Image.fromarray(RGB).convert("P"),
            "1": Image.fromarray(RGB[..., 0]).convert("1"), "CMYK": Image.fromarray(RGB).convert("CMYK")}


def tensor(data):
    return ct.from_numpy(np.frombuffer(data, np.uint8).copy())


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return tensor(out.getvalue())


@pytest.mark.parametrize("name", ["RGB", "L", "RGBA", "LA", "P", "1"])
@pytest.mark.parametrize("mode", list(Mode))
def test_png(name, mode):
    image = images()[name]
    found = vio.decode_image(encoded(image, "PNG"), mode)
    assert found.dtype == ct.uint8
    if mode is Mode.UNCHANGED:
        expected = np.asarray(image.convert("L") if name == "1" else image)
        expected = expected[None] if expected.ndim == 2 else expected.transpose(2, 0, 1)
    else:
        wanted = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[CHANNELS[mode]]
        expected = np.asarray(image.convert(wanted)).reshape(7, 9, -1).transpose(2, 0, 1)
    difference = np.abs(found.numpy().astype(int) - expected)
    assert found.shape == expected.shape
    assert difference.max() <= (CHANNELS.get(mode, 3) < 3 and name in ("RGB", "RGBA", "P"))  # greys are libpng's, not Pillow's


def test_greys_of_png_are_those_of_libpng():
    shares = np.array([9794, 19234, 3740], np.int64)  # of 2 ** 15, rounded down
    found = vio.decode_png(encoded(images()["RGB"], "PNG"), Mode.GRAY)[0]
    assert np.array_equal(found.numpy(), (RGB.astype(np.int64) @ shares) >> 15)


def test_png_of_16_bits():
    wide = RGB[..., 0].astype(np.uint16) * 257 + 3
    data = encoded(Image.fromarray(wide), "PNG")
    for mode in Mode:
        found = vio.decode_image(data, mode)
        assert found.dtype == ct.uint16
        assert len(found) == CHANNELS.get(mode, 1)
        assert np.array_equal(found[0].numpy(), wide)
        if CHANNELS.get(mode) in (2, 4):
            assert set(found[-1].numpy().ravel().tolist()) == {65535}


@pytest.mark.parametrize("name", ["RGB", "L", "CMYK"])
def test_jpeg(name):
    data = encoded(images()[name], "JPEG", quality=90)
    image = Image.open(io.BytesIO(bytes(data.numpy())))
    whole = vio.decode_jpeg(data)
    assert whole.shape == ({"RGB": 3, "L": 1, "CMYK": 4}[name], 7, 9)
    assert np.array_equal(vio.decode_image(data, Mode.RGB).numpy(), np.asarray(image.convert("RGB")).transpose(2, 0, 1))
    assert vio.decode_image(data, "gray").shape == (1, 7, 9)
    if name == "CMYK":
        assert np.array_equal(whole.numpy(), 255 - np.asarray(image).transpose(2, 0, 1))
    for mode in (Mode.GRAY_ALPHA, Mode.RGB_ALPHA):
        with pytest.raises(ArgumentError, match="a JPEG cannot be read as"):
            vio.decode_image(data, mode)


def test_grey_of_jpeg_is_its_luminance():
    data = encoded(images()["RGB"], "JPEG")
    image = Image.open(io.BytesIO(bytes(data.numpy())))
    image.draft("L", image.size)
    assert np.array_equal(vio.decode_jpeg(data, Mode.GRAY)[0].numpy(), np.asarray(image))


def test_several_at_once(device):
    data = encoded(images()["RGB"], "JPEG")
    assert [tuple(x.shape) for x in vio.decode_jpeg([data, data], device=device)] == [(3, 7, 9)] * 2
    assert [len(x) for x in vio.encode_jpeg([vio.decode_jpeg(data)] * 2)] == [len(vio.encode_jpeg(vio.decode_jpeg(data)))] * 2


def test_webp():
    for name, channels in (("RGB", 3), ("RGBA", 4)):
        image = images()[name]
        data = encoded(image, "WEBP", lossless=True, exact=True)
        assert np.array_equal(vio.decode_webp(data).numpy(), np.asarray(image).transpose(2, 0, 1))
        assert len(vio.decode_image(data, Mode.RGB)) == 3
        assert len(vio.decode_image(data, Mode.RGB_ALPHA)) == 4
        with pytest.warns(UserWarning, match="a WEBP is not converted to GRAY"):
            assert len(vio.decode_webp(data, Mode.GRAY)) == channels


def test_gif():
    first, second = images()["P"], Image.fromarray(RGB[::-1].copy()).convert("P")
    assert np.array_equal(vio.decode_gif(encoded(first, "GIF")).numpy(), np.asarray(first.convert("RGB")).transpose(2, 0, 1))
    both = vio.decode_image(encoded(first, "GIF", save_all=True, append_images=[second]), Mode.GRAY)
    assert both.shape == (2, 3, 7, 9)
    clear = images()["RGBA"]
    clear.putalpha(Image.fromarray(np.eye(7, 9, dtype=np.uint8) * 255))
    assert vio.decode_gif(encoded(clear, "GIF")).shape == (3, 7, 9)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(10))
def test_orientations(tmp_path, kind, orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    images()["RGB"].save(tmp_path / "x", kind, exif=exif)
    with Image.open(tmp_path / "x") as image:
        seen = np.asarray(ImageOps.exif_transpose(image)).transpose(2, 0, 1)
        stored = np.asarray(image).transpose(2, 0, 1)
    assert np.array_equal(vio.read_image(tmp_path / "x", apply_exif_orientation=True).numpy(), seen)
    assert np.array_equal(vio.read_image(tmp_path / "x").numpy(), stored)


def test_nonsense_in_exif_is_ignored():
    data = encoded(images()["RGB"], "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 30)
    with pytest.warns(UserWarning, match="Corrupt EXIF data"):  # Pillow's
        assert vio.decode_image(data, apply_exif_orientation=True).shape == (3, 7, 9)


@pytest.mark.parametrize("channels", [1, 3])
def test_written_pictures_are_read_again(tmp_path, channels):
    image = ct.from_numpy(RGB.transpose(2, 0, 1)[:channels].copy())
    written = vio.write_png(image, tmp_path / "x.png", 9)
    assert np.array_equal(vio.read_image(str(tmp_path / "x.png")).numpy(), image.numpy())
    assert np.array_equal(vio.read_file(tmp_path / "x.png").numpy(), written.numpy())
    assert np.array_equal(vio.decode_png(vio.encode_png(image.transpose(1, 2))).numpy(), image.numpy().transpose(0, 2, 1))
    vio.write_jpeg(image, tmp_path / "x.jpg", 95)
    assert vio.decode_image(tmp_path / "x.jpg").shape == image.shape
    assert np.array_equal(vio.encode_jpeg(image, 95).numpy(), vio.read_file(tmp_path / "x.jpg").numpy())


def test_files_of_bytes(tmp_path):
    data = ct.arange(5, dtype=ct.uint8)
    assert vio.write_file(tmp_path / "x", data) is data
    assert vio.read_file(tmp_path / "x").tolist() == [0, 1, 2, 3, 4]
    (tmp_path / "empty").touch()
    with pytest.raises(SerializationError, match="empty is empty"):
        vio.read_file(tmp_path / "empty")
    with pytest.raises(FileNotFoundError):
        vio.read_image(tmp_path / "none")


@pytest.mark.parametrize(("call", "error", "said"), [
    (lambda: vio.encode_jpeg(ct.zeros(3, 2, 2, dtype=ct.uint8), 0), ArgumentError, "between 1 and 100, got 0"),
    (lambda: vio.encode_jpeg([]), ArgumentError, "at least one picture"),
    (lambda: vio.encode_png(ct.zeros(3, 2, 2, dtype=ct.uint8), 10), ArgumentError, "between 0 and 9, got 10"),
    (lambda: vio.encode_png(ct.zeros(3, 2, 2)), DTypeError, "a picture to encode has dtype uint8"),
    (lambda: vio.encode_png(ct.zeros(2, 2, dtype=ct.uint8)), ShapeError, "with 1 or 3 channels"),
    (lambda: vio.encode_jpeg(ct.zeros(4, 2, 2, dtype=ct.uint8)), ShapeError, "with 1 or 3 channels"),
    (lambda: vio.encode_jpeg(3), ArgumentTypeError, "it must be a tensor"),
    (lambda: vio.decode_image(ct.zeros(0, dtype=ct.uint8)), ShapeError, r"a tensor \(N,\) with N > 0"),
    (lambda: vio.decode_image(ct.zeros(2, 2, dtype=ct.uint8)), ShapeError, r"a tensor \(N,\)"),
    (lambda: vio.decode_image(ct.zeros(5)), DTypeError, "are uint8"),
    (lambda: vio.decode_png(b"bytes"), ArgumentTypeError, "a tensor of bytes"),
    (lambda: vio.decode_image(ct.ones(5, dtype=ct.uint8)), SerializationError, "this is no JPEG, PNG, WEBP or GIF, or it is "
                                                                               "damaged"),
    (lambda: vio.decode_image(ct.ones(5, dtype=ct.uint8), "sepia"), ArgumentError, "mode is 'sepia'; it must be an ImageReadMode"),
    (lambda: vio.decode_jpeg(encoded(images()["RGB"], "PNG")), SerializationError, "this is no JPEG"),
    (lambda: vio.decode_png(encoded(images()["RGB"], "JPEG")), SerializationError, "this is no PNG"),
    (lambda: vio.decode_webp(encoded(images()["RGB"], "JPEG")), SerializationError, "this is no WEBP"),
    (lambda: vio.decode_gif(encoded(images()["RGB"], "JPEG")), SerializationError, "this is no GIF"),
    (lambda: vio.decode_image(encoded(images()["RGB"], "BMP")), SerializationError, "this is no JPEG, PNG"),
    (lambda: vio.decode_heic(ct.ones(5, dtype=ct.uint8)), SerializationError, "HEIF"),
    (lambda: vio.decode_avif(ct.ones(5, dtype=ct.uint8)), SerializationError, "AVIF"),
    (lambda: vio.read_video, AbsentError, "it reads pictures only; read video with PyAV"),
    (lambda: vio.nothing, AttributeError, "has no attribute 'nothing'")])
def test_what_is_wrong_is_said(call, error, said):
    with pytest.raises(error, match=said):
        call()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_damaged_bytes_give_errors(kind):
    whole = bytes(encoded(images()["RGB"], kind).numpy())
    for cut in (1, 8, 20, len(whole) // 2, len(whole) - 30):
        with pytest.raises(SerializationError, match=r"damaged|cut off"):
            vio.decode_image(tensor(whole[:cut]))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_flipped_bits_give_a_picture_or_an_error(kind):
    whole, drawn, refused = bytes(encoded(images()["RGB"], kind).numpy()), np.random.default_rng(0), 0
    for _ in range(60):
        data = bytearray(whole)
        data[drawn.integers(len(data))] ^= 1 << int(drawn.integers(8))
        try:
            assert vio.decode_image(tensor(bytes(data)), apply_exif_orientation=True).ndim in (3, 4)
        except SerializationError:
            refused += 1
    assert refused


def test_pictures_that_would_take_all_memory():
    whole = bytearray(encoded(images()["RGB"], "PNG").numpy())
    whole[16:24] = b"\0\x0f\xff\xff" * 2
    with pytest.raises(SerializationError, match=r"this is no PNG|exceeds limit"):
        vio.decode_png(tensor(bytes(whole)))
