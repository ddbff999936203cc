"""tv_tensors: what they hold, what operations on them give, copies and pickles."""

import copy
import pickle

import numpy as np
import PIL.Image
import pytest

import cltensor as ct
from cltensor.vision import tv_tensors
from cltensor.vision.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, Video

pytestmark = [pytest.mark.device, pytest.mark.any_style]


def boxes(**more):
    return BoundingBoxes([[1, 2, 30, 40]], **({"format": "XYXY", "canvas_size": (20, 25)} | more))


def test_printed_forms():
    assert repr(boxes()) == ("BoundingBoxes([[ 1,  2, 30, 40]], format=BoundingBoxFormat.XYXY, canvas_size=(20, 25), "
                             "clamping_mode=soft)")
    assert repr(KeyPoints([[1, 2]], canvas_size=(3, 4))) == "KeyPoints([[1, 2]], canvas_size=(3, 4))"
    assert repr(Mask([[1]])) == "Mask([[1]], )"


def test_operations_give_plain_tensors_and_some_keep_the_class():
    b = boxes()
    for result in (b + 1, b[0], b.float(), b.view(-1), ct.stack([b, b])):
        assert type(result) is ct.Tensor
    for result in (b.clone(), b.to(ct.float32), b.detach(), b.float().as_subclass(ct.Tensor).requires_grad_()):
        assert type(result) in (BoundingBoxes, ct.Tensor)
    assert type(b.clone()) is BoundingBoxes
    assert b.to(ct.float64).canvas_size == (20, 25)
    assert type(b.add_(1)) is ct.Tensor
    assert type(b) is BoundingBoxes
    assert b.tolist() == [[2, 3, 31, 41]]


def test_the_return_type_can_be_set():
    b, image = boxes(), Image(ct.zeros(1, 2, 2))
    with tv_tensors.set_return_type("TVTensor"):
        assert type(image + 1) is Image
        assert type(image.unbind(0)[0]) is Image
        assert (b + 1).format is tv_tensors.BoundingBoxFormat.XYXY
    assert type(image + 1) is ct.Tensor
    tv_tensors.set_return_type("tvtensor")
    assert type(image + 1) is Image
    tv_tensors.set_return_type("Tensor")
    assert type(image + 1) is ct.Tensor
    with pytest.raises(ValueError, match="return_type"):
        tv_tensors.set_return_type("x")


def test_copies_and_pickles_keep_what_is_known():
    for one in (boxes(clamping_mode=None), KeyPoints([[1.0, 2.0]], canvas_size=(3, 4)), Image(ct.ones(1, 2, 2))):
        for other in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
            assert type(other) is type(one)
            assert repr(other) == repr(one)
    b = boxes()
    assert tv_tensors.wrap(ct.zeros(2, 4), like=b, canvas_size=(3, 3)).canvas_size == (3, 3)
    assert tv_tensors.wrap(ct.zeros(2, 4), like=b).format is b.format


def test_gradients_flow_through():
    x = ct.ones(1, 2, 2, requires_grad=True)
    image = Image(x)
    assert image.requires_grad
    (image * 3).sum().backward()
    assert x.grad.tolist() == [[[3, 3], [3, 3]]]
    assert Image(ct.zeros(1, 1, 1), requires_grad=True).requires_grad


def test_memory_is_shared_and_dtypes_are_chosen():
    x = ct.zeros(3, 2, 2)
    Image(x).add_(1)
    assert float(x.sum()) == 12
    assert Image(x, dtype=ct.float64).dtype is ct.float64
    assert Image(ct.zeros(2, 3)).shape == (1, 2, 3)
    picture = PIL.Image.fromarray(np.arange(12, dtype=np.uint8).reshape(2, 2, 3))
    assert np.array_equal(Image(picture).numpy(), np.arange(12).reshape(2, 2, 3).transpose(2, 0, 1))
    assert boxes().shape == BoundingBoxes([1, 2, 3, 4], format="XYWH", canvas_size=(2, 2)).shape == (1, 4)


ERRORS = [(lambda: boxes(format="xyxx"), KeyError, "XYXX"), (lambda: boxes(clamping_mode="x"), ValueError, "clamping_mode"),
          (lambda: BoundingBoxes(ct.zeros(1, 1, 4), format="XYXY", canvas_size=(2, 2)), ValueError, "1D or 2D"),
          (lambda: BoundingBoxes([[1, 2, 3, 4, 5]], format="XYWHR", canvas_size=(2, 2)), ValueError, "floating point"),
          (lambda: Image(ct.zeros(2)), ValueError, "2D or higher"), (lambda: Video(ct.zeros(1, 2, 3)), ValueError, "dimensions"),
          (lambda: KeyPoints([[1, 2, 3]], canvas_size=(2, 2)), ValueError, "shape"),
          (lambda: tv_tensors.wrap([1], like=boxes()), TypeError, "expected a tensor")]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS, ids=[t for _, _, t in ERRORS])
def test_errors_say_what_is_wrong(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_rotated_formats():
    assert [f for f in tv_tensors.BoundingBoxFormat.__members__ if tv_tensors.is_rotated_bounding_format(f)] == [
        "XYWHR", "CXCYWHR", "XYXYXYXY"]
