"""Views: shapes, strides and offsets without a copy, and what cannot be one."""

import numpy as np
import pytest

import cltensor as ct

pytestmark = pytest.mark.device

VIEWS = {
    "slice": (lambda t: t[1:, ::2, 1], lambda a: a[1:, ::2, 1]),
    "ellipsis": (lambda t: t[..., None, 1], lambda a: a[..., None, 1]),
    "transpose": (lambda t: t.transpose(0, -1), lambda a: a.swapaxes(0, -1)),
    "permute": (lambda t: t.permute(2, 0, 1), lambda a: a.transpose(2, 0, 1)),
    "movedim": (lambda t: t.movedim(0, 2), lambda a: np.moveaxis(a, 0, 2)),
    "view": (lambda t: t.view(6, -1), lambda a: a.reshape(6, -1)),
    "view of transposed": (lambda t: t.transpose(0, 1).view(3, 2, 2, 2), lambda a: a.swapaxes(0, 1).reshape(3, 2, 2, 2)),
    "flatten": (lambda t: t.flatten(1), lambda a: a.reshape(2, 12)),
    "unflatten": (lambda t: t.unflatten(2, (2, -1)), lambda a: a.reshape(2, 3, 2, 2)),
    "squeeze": (lambda t: t[:1].squeeze(0).unsqueeze(-1), lambda a: a[0][..., None]),
    "expand": (lambda t: t[:, :1].expand(-1, 5, 4), lambda a: np.broadcast_to(a[:, :1], (2, 5, 4))),
    "narrow": (lambda t: t.narrow(1, 1, 2), lambda a: a[:, 1:3]),
    "select": (lambda t: t.select(-1, -1), lambda a: a[..., -1]),
    "diagonal": (lambda t: t.diagonal(1, 1, 2), lambda a: a.diagonal(1, 1, 2)),
    "unfold": (lambda t: t.unfold(2, 3, 1), lambda a: np.lib.stride_tricks.sliding_window_view(a, 3, 2)),
    "as_strided": (lambda t: t.as_strided((2, 2), (12, 3), 1), lambda a: a.reshape(-1)[1:][[[0, 3], [12, 15]]]),
    "split": (lambda t: t.split(2, 2)[1], lambda a: a[..., 2:]),
    "chunk": (lambda t: t.chunk(2, 1)[1], lambda a: a[:, 2:]),
    "unbind": (lambda t: t.unbind(1)[2], lambda a: a[:, 2]),
    "mT": (lambda t: t.mT, lambda a: a.swapaxes(-1, -2)),
    "detach": (lambda t: t.detach(), lambda a: a),
}


@pytest.fixture
def array(rng):
    return rng.integers(0, 100, (2, 3, 4))


@pytest.mark.parametrize("name", VIEWS)
def test_values(name, array):
    view, expected = VIEWS[name]
    np.testing.assert_array_equal(view(ct.tensor(array)).numpy(), expected(array))


@pytest.mark.parametrize("name", VIEWS)
def test_memory_is_shared(name, array):
    t = ct.tensor(array)
    view = VIEWS[name][0](t)
    assert view.untyped_storage() is t.untyped_storage()
    if name not in ("expand", "unfold"):  # several elements in one place are not written to
        view.fill_(-1)
        assert (t == -1).sum().item() == view.numel()
        assert t._version == view._version == 1


@pytest.mark.parametrize("name", sorted(set(VIEWS) - {"as_strided"}))  # which counts from the start of the storage
def test_view_of_a_view(name, array):
    t = ct.tensor(np.stack([array, array + 1, array + 2], -1).transpose(3, 0, 1, 2).copy())[1]
    view, expected = VIEWS[name]
    np.testing.assert_array_equal(view(t).numpy(), expected(array + 1))


def test_what_needs_a_copy(array):
    t = ct.tensor(array).transpose(0, 2)
    with pytest.raises(RuntimeError, match=r"not compatible.*reshape"):
        t.view(-1)
    copy = t.reshape(-1)
    assert copy.untyped_storage() is not t.untyped_storage()
    np.testing.assert_array_equal(copy.numpy(), array.swapaxes(0, 2).reshape(-1))


def test_contiguous(array):
    t = ct.tensor(array)
    assert t.contiguous() is t
    turned = t.transpose(0, 1)
    dense = turned.contiguous()
    assert not turned.is_contiguous()
    assert dense.is_contiguous()
    assert dense.tolist() == turned.tolist()


def test_strides_of_results(array):
    t = ct.tensor(array).permute(1, 2, 0)
    assert (t + 1).stride() == t.stride()
    assert (t + t.contiguous()).shape == t.shape
    assert t[:, :1].expand(3, 4, 2).clone().stride() == (1, 3, 12)
    assert ct.zeros(3, 1, 2).expand(3, 4, 2).clone().is_contiguous()


def test_other_dtype_of_the_same_size():
    t = ct.tensor([1.0, -2.0])
    bits = t.view(ct.int32)
    assert bits.tolist() == [0x3F800000, 0xC0000000 - (1 << 32)]
    assert bits.untyped_storage() is t.untyped_storage()


def test_empty_views(array):
    t = ct.tensor(array)
    for view in (t[:0], t[2:], t[:, 3:], t.narrow(0, 1, 0), t[:0].expand(0, 3, 4)):
        assert view.numel() == 0
        assert view.numpy().shape == tuple(view.shape)
        view.fill_(1)
    assert t[:0].sum().item() == 0


@pytest.mark.oclgrind
@pytest.mark.parametrize(("offset", "times"), [(0, [0, 0, 0, 0]), (4, [2, 1, 0, 0]), (7, [0, 0, 1, 2]), (9, [0, 0, 0, 0])])
def test_gradient_of_a_view_that_reaches_past_its_slice(offset, times):
    """Of what lies outside the slice nothing is written, nor read for the second gradient."""
    x = ct.arange(14.0)[5:9].detach().requires_grad_()
    y = x.as_strided((2, 2), (1, 1), offset)
    (g,) = ct.autograd.grad((y * y / 2).sum(), x, create_graph=True)
    np.testing.assert_array_equal(g.detach(), times * x.detach().numpy())
    (again,) = ct.autograd.grad(g.sum(), x)
    np.testing.assert_array_equal(again, times)


@pytest.mark.oclgrind
def test_gradient_of_writing_past_a_slice():
    whole = ct.arange(14.0)
    x = whole[5:9].detach()
    w = ct.ones(2, requires_grad=True)
    x.as_strided((2,), (1,), 4).mul_(w)
    (g,) = ct.autograd.grad(x.sum(), w)
    assert g.tolist() == [0, 5]
    assert whole.tolist() == list(range(14))


@pytest.mark.parametrize(("shape", "wanted"), [
    ((2,), (1, 2)), ((6,), (1, 2, 1, 3, 1)), ((2, 3), (1, 6)), ((2, 3), (2, 1, 3)), ((4,), (4, 1)), ((2, 3, 4), (1, 2, 1, 12, 1))])
@pytest.mark.parametrize("step", [1, 2])
def test_strides_of_dimensions_of_one_element_are_pytorchs(shape, wanted, step):
    torch = pytest.importorskip("torch")
    found, expected = (lib.ones([*shape[:-1], shape[-1] * step])[..., ::step] for lib in (ct, torch))
    if step == 2 and len(shape) > 1 and wanted[-1] != shape[-1] and wanted[-2] != shape[-1]:
        found, expected = found.contiguous(), expected.contiguous()
    assert found.view(wanted).stride() == expected.view(wanted).stride()


def test_bytes_of_a_row_shown_as_wider_numbers():
    x = ct.tensor([0, 63], dtype=ct.int8).reshape(1, 2)
    assert x.view(ct.bfloat16).tolist() == [[0.5]]


@pytest.mark.parametrize("k", [0, 1, 2, 3, -1])
def test_rot90_is_laid_out_as_in_pytorch(k):
    torch = pytest.importorskip("torch")
    found, expected = (lib.arange(24.0).reshape(2, 3, 4).requires_grad_() for lib in (ct, torch))
    turned, wanted = found.rot90(k, (1, 2)), expected.rot90(k, (1, 2))
    assert (turned.tolist(), turned.stride()) == (wanted.tolist(), wanted.stride())
    (turned * turned).sum().backward()
    assert found.grad.tolist() == (2 * found).tolist()


def test_dividing_nothing_by_zero_is_no_error():
    assert (ct.zeros(0, dtype=ct.int64) // ct.tensor(0)).tolist() == []
    assert (ct.zeros(0, dtype=ct.int64) % ct.zeros(1, dtype=ct.int64)).tolist() == []
