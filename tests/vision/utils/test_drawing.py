"""Grids, boxes, masks, keypoints and flow: against plain NumPy and Pillow; hashes of what torchvision 0.29 draws stand in the
tests."""

import hashlib
import io

import numpy as np
import pytest

import cltensor as ct
from cltensor.vision import utils
from vision_files import pixels

Image = pytest.importorskip("PIL.Image", reason="pictures are Pillow's")
ImageDraw = pytest.importorskip("PIL.ImageDraw")
pytestmark = [pytest.mark.device, pytest.mark.any_style]


def picture(channels=3, height=40, width=50, dtype=np.uint8):
    values = pixels(channels, height, width)
    return ct.from_numpy(values if dtype == np.uint8 else (values / 255).astype(dtype))


def digest(t):
    return hashlib.md5(np.ascontiguousarray(t.numpy()).tobytes()).hexdigest()[:12]


def plain_grid(pictures, nrow, padding, value):
    n, c, h, w = pictures.shape
    columns = min(nrow, n)
    rows = -(-n // columns)
    out = np.full((c, rows * (h + padding) + padding, columns * (w + padding) + padding), value, pictures.dtype)
    for i, one in enumerate(pictures):
        y, x = (i // columns) * (h + padding) + padding, (i % columns) * (w + padding) + padding
        out[:, y : y + h, x : x + w] = one
    return out


@pytest.mark.parametrize(("n", "nrow", "padding", "value"), [(5, 8, 2, 0.0), (5, 2, 0, 0.0), (4, 2, 3, 0.5), (7, 1, 1, 1.0)])
def test_grids(n, nrow, padding, value):
    values = np.random.default_rng(0).random((n, 3, 4, 6), np.float32)
    grid = utils.make_grid(ct.from_numpy(values), nrow, padding, pad_value=value)
    assert np.array_equal(grid.numpy(), plain_grid(values, nrow, padding, value))
    assert np.array_equal(utils.make_grid([ct.from_numpy(v) for v in values], nrow, padding, pad_value=value).numpy(), grid.numpy())


def test_grids_of_other_shapes():
    values = ct.rand(3, 1, 4, 6)
    assert utils.make_grid(values).shape == (3, 8, 26)
    assert utils.make_grid(values[0]).shape == utils.make_grid(values[0, 0]).shape == (3, 4, 6)
    assert utils.make_grid(ct.rand(3, 2, 4, 6)).shape == (2, 8, 26)
    whole = utils.make_grid(picture()[None].repeat(2, 1, 1, 1))
    assert whole.dtype == ct.uint8
    assert not utils.make_grid(ct.rand(2, 3, 4, 4).requires_grad_()).requires_grad


def test_values_are_normalized():
    values = np.random.default_rng(0).normal(size=(3, 3, 4, 5)).astype(np.float32)
    t = ct.from_numpy(values)

    def scaled(x, low, high):
        return (np.clip(x, low, high) - low) / max(high - low, 1e-5)

    each = np.stack([scaled(x, x.min(), x.max()) for x in values])
    for named, expected in (({}, scaled(values, values.min(), values.max())), ({"scale_each": True}, each),
                            ({"value_range": (0, 1)}, scaled(values, 0, 1))):
        found = utils.make_grid(t, padding=0, normalize=True, **named)
        assert np.allclose(found.numpy(), plain_grid(expected, 8, 0, 0), rtol=1e-6, atol=1e-6)
    assert np.array_equal(t.numpy(), values)


@pytest.mark.parametrize(("call", "error", "said"), [
    (lambda: utils.make_grid(3), TypeError, "tensor or list of tensors expected, got <class 'int'>"),
    (lambda: utils.make_grid([3]), TypeError, "a list containing <class 'int'>"),
    (lambda: utils.make_grid([]), RuntimeError, "the list holds no picture"),
    (lambda: utils.make_grid(ct.rand(4)), RuntimeError, "pictures are"),
    (lambda: utils.make_grid(ct.rand(0, 3, 2, 2)), RuntimeError, "not empty"),
    (lambda: utils.make_grid(ct.rand(2, 3, 2, 2), nrow=0), ValueError, "nrow is 0"),
    (lambda: utils.make_grid(ct.rand(2, 3, 2, 2), normalize=True, value_range=[0, 1]), TypeError, "value_range has to be a tuple"),
    (lambda: utils.make_grid(picture(), normalize=True), TypeError, "normalize needs a floating dtype"),
    (lambda: utils.save_image(ct.rand(3, 2, 2), "x.xyz"), ValueError, "unknown file extension: .xyz")])
def test_what_is_wrong_with_grids(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_saved_pictures(tmp_path):
    values = ct.rand(5, 3, 4, 6) * 1.2 - 0.1
    utils.save_image(values, tmp_path / "x.png", nrow=2, padding=1)
    expected = np.clip(plain_grid(values.numpy(), 2, 1, 0) * np.float32(255) + np.float32(0.5), 0, 255).astype(np.uint8)
    with Image.open(tmp_path / "x.png") as image:
        assert np.array_equal(np.asarray(image).transpose(2, 0, 1), expected)
    out = io.BytesIO()
    utils.save_image(values[0], out, format="PNG")
    assert Image.open(out).size == (6, 4)


BOXES = [[3, 4, 20, 25], [10, 12, 45, 36]]


def drawn(fill=False, width=1, colors=("red", "#00ff80")):
    image = Image.fromarray(np.ascontiguousarray(picture().numpy().transpose(1, 2, 0)))
    draw = ImageDraw.Draw(image, "RGBA") if fill else ImageDraw.Draw(image)
    for box, color in zip(BOXES, colors, strict=True):
        rgb = Image.new("RGB", (1, 1), color).getpixel((0, 0))
        draw.rectangle(box, outline=rgb, width=width, fill=(*rgb, 100) if fill else None)
    return np.asarray(image).transpose(2, 0, 1)


@pytest.mark.parametrize("fill", [False, True])
@pytest.mark.parametrize("width", [1, 3])
def test_boxes(fill, width):
    boxes = ct.tensor(BOXES)
    found = utils.draw_bounding_boxes(picture(), boxes, colors=["red", "#00ff80"], fill=fill, width=width)
    assert np.array_equal(found.numpy(), drawn(fill, width))
    floats = utils.draw_bounding_boxes(picture(dtype=np.float32), boxes.float(), colors=["red", "#00ff80"], fill=fill, width=width)
    assert floats.dtype == ct.float32
    assert np.array_equal(np.rint(floats.numpy() * 255), drawn(fill, width))


#: arguments of draw_bounding_boxes -> the hash of what torchvision 0.29.1 draws with Pillow 13
DRAWN = [
    ({}, "85acc899e066"), ({"labels": ["cat", None], "width": 2}, "5678cb3500a4"),
    ({"labels": ["cat", "dog"], "fill_labels": True}, "e3d08989027c"),
    ({"labels": ["cat", "dog"], "fill_labels": True, "label_background_colors": "yellow", "label_colors": ["red", "blue"]},
     "86b177e96399"),
    ({"colors": (1, 2, 3), "labels": ["a", "b"], "label_colors": "white", "fill": True}, "4d1061bb5da3"),
]


@pytest.mark.parametrize(("named", "expected"), DRAWN)
def test_boxes_with_labels(named, expected):
    if int(Image.__version__.split(".")[0]) != 13:
        pytest.skip("the font of another Pillow")
    assert digest(utils.draw_bounding_boxes(picture(), ct.tensor(BOXES), **named)) == expected


def test_other_boxes():
    grey = utils.draw_bounding_boxes(picture(1), ct.tensor(BOXES))
    assert grey.shape == (3, 40, 50)
    turned = utils.draw_bounding_boxes(picture(), ct.tensor([[5, 5, 25, 5, 25, 20, 5, 20]]), colors=(255, 0, 0))
    row = (turned[:, 5].numpy() == np.array([[255], [0], [0]])).all(0)[5:26]
    assert row.tolist() == [True] * 6 + [False] * 4 + [True] * 6 + [False] * 4 + [True]
    assert utils.draw_bounding_boxes(picture(), ct.tensor([[5, 5, 25, 5, 25, 20, 5, 20]]), fill=True, width=2).shape == (3, 40, 50)
    with pytest.warns(UserWarning, match="boxes doesn't contain any box"):
        assert utils.draw_bounding_boxes(picture(), ct.zeros(0, 4)).shape == (3, 40, 50)
    with pytest.warns(UserWarning, match="'font_size' will be ignored"):
        utils.draw_bounding_boxes(picture(), ct.tensor(BOXES), labels=["a", "b"], font_size=9)


BOX, MASK = ct.vision.utils.draw_bounding_boxes, ct.vision.utils.draw_segmentation_masks


@pytest.mark.parametrize(("call", "error", "said"), [
    (lambda i, b: BOX(3, b), TypeError, "The image must be a tensor"),
    (lambda i, b: BOX(i.int(), b), ValueError, "The image dtype must be uint8 or float, got cltensor.int32"),
    (lambda i, b: BOX(i[0], b), ValueError, "Pass individual images, not batches"),
    (lambda i, b: BOX(i[:2], b), ValueError, "Only grayscale and RGB images are supported"),
    (lambda i, b: BOX(i, b.flip(1)), ValueError, "Boxes need to be in"),
    (lambda i, b: BOX(i, b[:, :3]), ValueError, r"boxes have shape \(2, 3\)"),
    (lambda i, b: BOX(i, b, ["a"]), ValueError, r"Number of boxes \(2\) and labels \(1\) mismatch"),
    (lambda i, b: BOX(i, b, colors=["red"]), ValueError, "but got 1 < 2"),
    (lambda i, b: BOX(i, b, colors=3), ValueError, "colors must be a tuple or a string, or a list thereof"),
    (lambda i, b: BOX(i, b, colors="nocolor"), ValueError, "unknown color specifier: 'nocolor'"),
    (lambda i, b: BOX(i, b, ["a", "b"], font="nowhere.ttf"), OSError, "cannot open resource"),
    (lambda i, b: MASK(i, i[0]), ValueError, "The masks must be of dtype bool"),
    (lambda i, b: MASK(i, 3), TypeError, "The masks must be a tensor"),
    (lambda i, b: MASK(i[:1], i[0] > 3), ValueError, "Only RGB images are supported"),
    (lambda i, b: MASK(i, i[0, :3] > 3), ValueError, "must have the same height and width"),
    (lambda i, b: MASK(i, i[None] > 3), ValueError, "masks must be of shape"),
    (lambda i, b: utils.draw_keypoints(i, b), ValueError, "keypoints must be of shape"),
    (lambda i, b: utils.draw_keypoints(i, b.reshape(2, 2, 2), visibility=ct.ones(2, 3)), ValueError, "the same dimensionality"),
    (lambda i, b: utils.flow_to_image(ct.zeros(2, 3, 3, dtype=ct.float64)), ValueError, "Flow should be of dtype torch.float"),
    (lambda i, b: utils.flow_to_image(ct.zeros(3, 3, 3)), ValueError, "Input flow should have shape")])
def test_what_is_wrong_is_said(call, error, said):
    with pytest.raises(error, match=said):
        call(picture(), ct.tensor(BOXES))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.8, 1.0])
def test_masks(dtype, alpha):
    image, masks = picture(dtype=dtype), np.random.default_rng(0).random((3, 40, 50)) > 0.6
    colors = np.array([(255, 0, 0), (1, 2, 3), (0, 255, 128)], np.float32)
    ground = image.numpy().astype(np.float32)
    over = ground.copy()
    for mask, color in zip(masks, colors / (1 if dtype == np.uint8 else 255), strict=True):
        over[:, mask] = color[:, None]
    over[:, masks.sum(0) > 1] = 0
    expected = (ground * (1 - alpha) + over * alpha).astype(dtype)
    found = utils.draw_segmentation_masks(image, ct.from_numpy(masks), alpha, ["red", (1, 2, 3), "#00ff80"])
    assert np.array_equal(found.numpy(), expected)


def test_other_masks():
    image = picture()
    one = image[0] > 100
    found = utils.draw_segmentation_masks(image, one)
    assert np.array_equal(found.numpy(), utils.draw_segmentation_masks(image, one[None]).numpy())
    with pytest.warns(UserWarning, match="masks doesn't contain any mask"):
        assert utils.draw_segmentation_masks(image, one[None][:0]) is image


def test_keypoints():
    points = np.array([[[5.7, 6.2], [20, 30], [40, 10]], [[9, 30], [30, 9], [12, 12]]], np.float32)
    seen = np.array([[True, True, False], [True, True, True]])
    image = Image.fromarray(np.ascontiguousarray(picture().numpy().transpose(1, 2, 0)))
    draw = ImageDraw.Draw(image)
    for (x, y) in ((5, 6), (20, 30)):
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=(255, 0, 0), outline=None, width=0)
    draw.line((5, 6, 20, 30), width=2)
    for (x, y) in ((9, 30), (30, 9), (12, 12)):
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=(255, 0, 0), outline=None, width=0)
    draw.line((9, 30, 30, 9), width=2)
    draw.line((9, 30, 12, 12), width=2)
    for shown in (seen, seen[..., None]):
        found = utils.draw_keypoints(picture(), ct.from_numpy(points), [(0, 1), (0, 2)], "red", 3, 2, ct.from_numpy(shown))
        assert np.array_equal(found.numpy(), np.asarray(image).transpose(2, 0, 1))
    assert utils.draw_keypoints(picture(dtype=np.float32), ct.from_numpy(points)).dtype == ct.float32


def test_flow():
    angles = np.arange(8) * np.pi / 4
    flow = np.stack([np.cos(angles), np.sin(angles)]).reshape(2, 1, 8).astype(np.float32)
    assert utils.flow_to_image(ct.zeros(2, 2, 2)).numpy().tolist() == np.full((3, 2, 2), 255).tolist()
    found = utils.flow_to_image(ct.from_numpy(flow))
    assert (found.shape, digest(found)) == ((3, 1, 8), "dca69f694016")
    both = utils.flow_to_image(ct.from_numpy(np.stack([flow, flow / 2])))
    assert np.array_equal(both[0].numpy(), found.numpy())
    assert (both[1].numpy() >= found.numpy()).all()
