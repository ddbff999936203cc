"""x[...] in cases that are easy to get wrong; expected results are written out."""

import numpy as np
import pytest

import cltensor as ct

pytestmark = pytest.mark.device


@pytest.mark.parametrize("holds", [ct.tensor, bool, np.array])
def test_a_truth_value_makes_a_dimension(holds):
    x = ct.arange(6.0).reshape(2, 3)
    assert x[holds(True)].tolist() == [x.tolist()]
    assert x[holds(False)].shape == (0, 2, 3)
    assert x[holds(True), 1].tolist() == [[3.0, 4.0, 5.0]]


def test_a_truth_value_of_a_scalar():
    x = ct.tensor(5.0, requires_grad=True)
    assert x[ct.tensor(False)].tolist() == []
    x[ct.tensor(True)].sum().backward()
    assert x.grad.item() == 1


def test_a_truth_value_chooses_all_or_nothing_to_write():
    x = ct.zeros(2, 3)
    x[ct.tensor(False)] = 7
    assert x.tolist() == [[0, 0, 0]] * 2
    x[ct.tensor(True)] = ct.arange(3.0) + 1
    assert x.tolist() == [[1, 2, 3]] * 2


def test_a_list_of_lists_is_a_tuple_of_indices():
    x = ct.arange(24).reshape(2, 3, 4)
    assert x[[[0, 1], [1, 0]]].tolist() == [[4, 5, 6, 7], [12, 13, 14, 15]]
    assert x[[0, ct.tensor(1)]].tolist() == [4, 5, 6, 7]
    assert x[np.array([[0, 1], [1, 0]])].shape == (2, 2, 3, 4)


def test_tensors_beside_a_truth_value():
    x = ct.arange(12).reshape(3, 4)
    assert x[ct.tensor(True), ct.tensor([0, 1])].tolist() == x[:2].tolist()
    assert x[ct.tensor([0, 1]), ct.tensor(True)].tolist() == x[:2].tolist()


@pytest.mark.parametrize(("value", "stored"), [(0.5, True), (-0.5, True), (0.0, False), (float("nan"), True), (300, True)])
def test_a_number_written_into_bools(value, stored):
    for write in (lambda x: x.__setitem__(..., value), lambda x: x.fill_(value), lambda x: x.__setitem__([0, 1], value),
                  lambda x: x.masked_fill_(ct.tensor([True, True]), value)):
        x = ct.tensor([not stored] * 2)
        write(x)
        assert x.tolist() == [stored] * 2


@pytest.mark.parametrize(("dtype", "value"), [(ct.uint8, 300), (ct.int8, -129), (ct.int16, 70000),
                                              (ct.int64, float("nan")), (ct.uint8, -0.5)])
def test_a_number_beyond_the_range_is_refused(dtype, value):
    x = ct.zeros(2, dtype=dtype)
    for write in (lambda: x.__setitem__(0, value), lambda: x.fill_(value), lambda: ct.full((2,), value, dtype=dtype),
                  lambda: x.masked_fill(ct.tensor([True, False]), value), lambda: x.__setitem__([0], value),
                  lambda: x.index_fill(0, ct.tensor([0]), value)):
        with pytest.raises(RuntimeError, match="without overflow"):
            write()
    assert x.tolist() == [0, 0]


def test_in_place_within_a_category():
    assert ct.ones(3, dtype=ct.uint8).add_(ct.tensor([1, 2, 3])).tolist() == [2, 3, 4]
    assert ct.ones(3, dtype=ct.float16).mul_(ct.tensor([1.0, 2.0, 3.0], dtype=ct.float64)).dtype is ct.float16
    with pytest.raises(RuntimeError, match="can't be cast"):
        ct.ones(3, dtype=ct.uint8).add_(1.5)


def test_bytes_seen_as_other_elements():
    x = ct.arange(8, dtype=ct.uint8)
    assert x.view(ct.int32).tolist() == [0x03020100, 0x07060504]
    assert ct.ones(2).view(ct.uint8).tolist() == [0, 0, 128, 63] * 2
    assert x.view(2, 4)[:, 2:].view(ct.int16).tolist() == [[0x0302], [0x0706]]
    x.view(ct.int16)[0] = -1
    assert x.tolist() == [255, 255, 2, 3, 4, 5, 6, 7]
    assert x.view(float).shape == (1,)


@pytest.mark.parametrize(("x", "words"), [
    (lambda: ct.tensor(1, dtype=ct.uint8), r"self.dim\(\) cannot be 0"),
    (lambda: ct.zeros(6, dtype=ct.uint8), r"self.size\(-1\) must be divisible by 4"),
    (lambda: ct.zeros(8, dtype=ct.uint8)[1:5], r"self.storage_offset\(\) must be divisible by 4"),
    (lambda: ct.zeros(3, 6, dtype=ct.uint8)[:, :4], r"self.stride\(0\) must be divisible by 4"),
    (lambda: ct.zeros(4, 4, dtype=ct.uint8).t(), r"self.stride\(-1\) must be 1")])
def test_bytes_that_make_no_elements(x, words):
    with pytest.raises(RuntimeError, match=words):
        x().view(ct.int32)


@pytest.mark.parametrize("call", [
    lambda x: x[1:2.0], lambda x: x[: ct.tensor(1.0)], lambda x: x.narrow(0, 0.0, 1), lambda x: x.topk(1.0), lambda x: ct.eye(2.0),
    lambda x: ct.randint(2.5, (2,)), lambda x: x.tril(1.0), lambda x: ct.multinomial(x[0], 1.0), lambda x: x.rot90(1.0),
    lambda x: ct.triu_indices(2.0, 2), lambda x: ct.hann_window(3.0), lambda x: ct.ones(True), lambda x: x.chunk(2.0),
    lambda x: ct.zeros(2.0), lambda x: x.sum(0.0), lambda x: ct.linspace(0, 1, 3.0), lambda x: ct.split(x, 1.0)])
def test_counts_are_ints(call):
    with pytest.raises(TypeError, match=r"int|__index__"):
        call(ct.ones(2, 2))


def test_a_dimension_may_be_any_int():
    x = ct.ones(2, 3)
    assert x.sum(np.int64(0)).tolist() == x.sum(ct.tensor(0)).tolist() == [2, 2, 2]


@pytest.mark.parametrize("dtype", [ct.uint8, ct.int8, ct.int32, ct.int64])
def test_products_over_a_dimension_of_one(dtype):
    a, b = ct.ones(2, 1, dtype=dtype), ct.ones(3, 3, dtype=dtype)
    assert ct.tensordot(a, b, 1).tolist() == [[3, 3, 3]] * 2
    assert ct.inner(a, ct.ones(1, dtype=dtype)).tolist() == [1, 1]
    assert ct.tensordot(b, a, ([0], [1])).dtype is dtype


def test_gradients_of_nothing_chosen():
    none = ct.tensor([], dtype=ct.int64)
    for choose in (lambda x: x[none], lambda x: x.gather(0, none), lambda x: x.index_select(0, none), lambda x: x.take(none),
                   lambda x: ct.cat([x[:0], x[:0]])):
        x = ct.ones(2, requires_grad=True)
        y = choose(x)
        assert y.requires_grad
        y.sum().backward()
        assert x.grad.tolist() == [0, 0]


def test_gradients_of_nothing_added():
    none = ct.tensor([], dtype=ct.int64)
    for name in ("scatter_add", "index_add", "index_copy"):
        x, source = ct.ones(2, requires_grad=True), ct.ones(0, requires_grad=True)
        getattr(x, name)(0, none, source).sum().backward()
        assert (x.grad.tolist(), source.grad.tolist()) == ([1, 1], [])
    source = ct.ones(3, requires_grad=True)
    ct.ones(2).scatter_reduce(0, none, source, "amax").sum().backward()
    assert source.grad.tolist() == [0, 0, 0]


def test_an_empty_vector_counts_in_cat():
    x = ct.ones(0, requires_grad=True)
    y = ct.cat([ct.ones(2, 3), x, ct.ones(0, dtype=ct.float64)])
    assert (y.dtype, y.requires_grad) == (ct.float64, True)
    y.sum().backward()
    assert x.grad.tolist() == []
