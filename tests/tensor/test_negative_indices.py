"""Negative indices: some functions count them from the end, others refuse them, as in PyTorch; gradients of the former."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.autograd import gradcheck, gradgradcheck

pytestmark = pytest.mark.device
SHAPE = (3, 4)


def case(lib, dtype="int64", index=(-1, 0)):
    """(lib, a 3 x 4 matrix, an index vector, two rows) of cltensor or PyTorch."""
    x = lib.arange(1, 13, dtype=lib.float64).reshape(3, 4)
    rows = lib.arange(2, 10, dtype=lib.float64).reshape(2, 4)
    return lib, x, lib.tensor(list(index), dtype=getattr(lib, dtype)), rows


def wide(index):
    return index.reshape(2, 1).expand(2, 4)


REFUSED = {
    "gather": lambda lib, x, i, rows: x.gather(0, wide(i)),
    "gather along the last": lambda lib, x, i, rows: x.t().gather(1, i.reshape(1, 2)),
    "gather of 0-d": lambda lib, x, i, rows: x[0, 0].gather(0, i[0]),
    "index_select": lambda lib, x, i, rows: x.index_select(0, i),
    "index_select of 0-d": lambda lib, x, i, rows: x[0, 0].index_select(0, i[:1]),
    "take_along_dim of all": lambda lib, x, i, rows: lib.take_along_dim(x, i),
    "scatter": lambda lib, x, i, rows: x.scatter(0, wide(i), rows),
    "scatter a number": lambda lib, x, i, rows: x.scatter(0, wide(i), 2.0),
    "scatter adding": lambda lib, x, i, rows: x.scatter(0, wide(i), rows, reduce="add"),
    "scatter multiplying": lambda lib, x, i, rows: x.scatter(0, wide(i), rows, reduce="multiply"),
    "scatter_": lambda lib, x, i, rows: x.scatter_(0, wide(i), rows),
    "scatter_add": lambda lib, x, i, rows: x.scatter_add(0, wide(i), rows),
    **{f"scatter_reduce {how}": lambda lib, x, i, rows, how=how: x.scatter_reduce(0, wide(i), rows, how)
       for how in ("sum", "mean", "prod", "amax", "amin")},
    "scatter_reduce alone": lambda lib, x, i, rows: x.scatter_reduce(0, wide(i), rows, "amax", include_self=False),
    **{f"index_reduce {how}": lambda lib, x, i, rows, how=how: x.index_reduce(0, i, rows, how)
       for how in ("mean", "prod", "amax", "amin")},
    "index_add": lambda lib, x, i, rows: x.index_add(0, i, rows),
    "index_add of 0-d": lambda lib, x, i, rows: x[0, 0].index_add(0, i[:1], rows[0, 0]),
    "index_copy": lambda lib, x, i, rows: x.index_copy(0, i, rows),
    "index_copy_": lambda lib, x, i, rows: x.index_copy_(0, i, rows),
}

FROM_THE_END = {
    "x[i]": (0, lambda lib, x, i, rows: x[i]),
    "x[:, i]": (1, lambda lib, x, i, rows: x[:, i]),
    "x[i, i]": (0, lambda lib, x, i, rows: x[:, :3][i, i]),
    "x[matrix]": (0, lambda lib, x, i, rows: x[i.reshape(2, 1)]),
    "x[i] =": (0, lambda lib, x, i, rows: _set(x, i, rows)),
    "x[i, i] =": (0, lambda lib, x, i, rows: _set(x[:, :3], (i, i), rows[:, 0])),
    "index_put": (0, lambda lib, x, i, rows: x.index_put((i,), rows)),
    "index_put adding": (0, lambda lib, x, i, rows: x[:, :3].index_put((i, i), rows[:, 0], accumulate=True)),
    "index_fill": (0, lambda lib, x, i, rows: x.index_fill(0, i, 7.0)),
    "index_fill of 0-d": (None, lambda lib, x, i, rows: x[0, 0].index_fill(0, i[:1], 7.0)),
    "take": (None, lambda lib, x, i, rows: x.take(i)),
    "put": (None, lambda lib, x, i, rows: x.put(i, rows[:, 0])),
    "put adding": (None, lambda lib, x, i, rows: x.put(i, rows[:, 0], accumulate=True)),
    "take_along_dim": (0, lambda lib, x, i, rows: lib.take_along_dim(x, wide(i), 0)),
    "take_along_dim of a row": (1, lambda lib, x, i, rows: lib.take_along_dim(x, i.reshape(1, 2), -1)),
}
INT64_ONLY = ("take_along_dim", "take_along_dim of a row", "take_along_dim of all")


def _set(x, index, value):
    y = x.clone()
    y[index] = value
    return y


def dtypes_of(names):
    return [pytest.param(n, d, id=f"{n}-{d}") for n in names for d in ("int64", "int32") if d == "int64" or n not in INT64_ONLY]


@pytest.mark.parametrize(("name", "dtype"), dtypes_of(REFUSED))
def test_refused(name, dtype):
    with pytest.raises(IndexError, match="index -1 is out of bounds for dimension with size"):
        REFUSED[name](*case(ct, dtype)).tolist()


@pytest.mark.parametrize("name", REFUSED)
def test_pytorch_refuses(name):
    torch = pytest.importorskip("torch")
    with pytest.raises((IndexError, RuntimeError), match=r"out of bounds|out of range|out of DATA bounds"):
        REFUSED[name](*case(torch))


@pytest.mark.parametrize(("name", "dtype"), dtypes_of(FROM_THE_END))
def test_counted_from_the_end(name, dtype):
    dim, call = FROM_THE_END[name]
    size = 1 if name.endswith("0-d") else 12 if dim is None else SHAPE[dim]
    found = call(*case(ct, dtype)).tolist()
    assert found == call(*case(ct, dtype, (size - 1, 0))).tolist()
    with pytest.raises(IndexError, match="out of bounds"):
        call(*case(ct, dtype, (-size - 1, 0))).tolist()


@pytest.mark.parametrize("name", FROM_THE_END)
def test_pytorch_counts_from_the_end(name):
    torch = pytest.importorskip("torch")
    _, call = FROM_THE_END[name]
    assert call(*case(ct)).tolist() == call(*case(torch)).tolist()


@pytest.mark.parametrize("name", FROM_THE_END)
def test_gradients_counted_from_the_end(name):
    _, call = FROM_THE_END[name]
    lib, x, index, rows = case(ct, "int64")
    inputs = [x.requires_grad_(), rows.requires_grad_()]

    def function(x, rows):
        return call(lib, x, index, rows) * 1.5 + 0 * (x.sum() + rows.sum())

    assert gradcheck(function, inputs, fast_mode=True)
    assert gradgradcheck(function, inputs, fast_mode=True)


def test_the_gradient_of_a_repeated_row_is_summed():
    x = ct.ones(3, 2, requires_grad=True)
    x[ct.tensor([-1, 2, -3])].sum().backward()
    assert x.grad.tolist() == [[1, 1], [0, 0], [2, 2]]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("wrong", [2, -3])
def test_an_index_out_of_range_in_every_dimension(count, wrong):
    """No number of them adds up to a place that exists."""
    index = ct.tensor([wrong])
    with pytest.raises(IndexError, match="out of bounds"):
        ct.ones((2,) * count)[(index,) * count].tolist()


@pytest.mark.parametrize("at", [0, 1, 2])
def test_an_index_out_of_range_in_one_dimension_of_three(at):
    index = [ct.tensor([1]), ct.tensor([-1]), ct.tensor([0])]
    assert ct.arange(8).reshape(2, 2, 2)[tuple(index)].tolist() == [6]
    index[at] = ct.tensor([2])
    with pytest.raises(IndexError, match=r"x\[index\]: index 2 is out of bounds .*called at .*test_negative_indices.py:"):
        ct.ones(2, 2, 2)[tuple(index)].tolist()


def test_in_a_vmap():
    x, index = ct.arange(12).reshape(2, 3, 2), ct.tensor([[[-1, 0]], [[1, -3]]])
    mapped = ct.func.vmap(lambda x, i: ct.take_along_dim(x, i, 0))(x, index)
    np.testing.assert_array_equal(mapped.numpy(), np.take_along_axis(x.numpy(), index.numpy(), 1))
    rows = ct.func.vmap(lambda x, i: x[i])(x, index[:, 0])
    np.testing.assert_array_equal(rows.numpy(), [x.numpy()[0][[-1, 0]], x.numpy()[1][[1, -3]]])
    with pytest.raises(IndexError):
        ct.func.vmap(lambda x, i: x.gather(0, i))(x, index).tolist()


def test_in_the_array_api():
    """Its take and take_along_axis count from the end."""
    xp, x = ct.array_api, ct.arange(12).reshape(3, 4)
    for dtype in (ct.int64, ct.int32, ct.int8):
        assert xp.take(x, ct.tensor([-1, 0], dtype=dtype), axis=-1).tolist() == [[3, 0], [7, 4], [11, 8]]
    assert xp.take(x[0], ct.tensor([-2])).tolist() == [2]
    assert xp.take_along_axis(x, ct.tensor([[-1], [0], [1]])).tolist() == [[3], [4], [9]]


@pytest.mark.parametrize("call", [
    lambda x, i, v: x.index_add(0, i, v), lambda x, i, v: x.scatter(0, i, v), lambda x, i, v: x.index_copy(0, i, v),
    lambda x, i, v: x.index_fill(0, i, 1.0), lambda x, i, v: x.scatter_add(0, i, v), lambda x, i, v: x.put(i, v),
    lambda x, i, v: x.scatter_reduce(0, i, v, "sum"), lambda x, i, v: x.index_put((i,), v), lambda x, i, v: x[i],
    lambda x, i, v: x.gather(0, i), lambda x, i, v: x.index_select(0, i)])
def test_no_index_is_within_a_dimension_of_no_elements(call):
    """No kernel runs that could notice it."""
    with pytest.raises(IndexError, match=r"(index|x\[index\]|index 0) is out of bounds"):
        call(ct.ones(0), ct.tensor([0]), ct.ones(1)).tolist()
    assert call(ct.ones(0), ct.tensor([], dtype=ct.int64), ct.ones(0)).tolist() == []
