"""Which methods give a view of their tensor, against PyTorch: nothing else may share its memory."""

import itertools
import warnings

import pytest

import cltensor as ct

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.device, pytest.mark.any_style]

SHAPES = ((0, 2, 0, 1), (0, 3), (3, 0), (3, 1), (1, 1), (2, 3), ())
ARGUMENTS = ((), (0,), (-1,), (1, -1), (0, 1), (1.0,), ("tensor",), (0, "index"), ("tensor", "tensor"))
NAMES = [n for n in dir(ct.Tensor) if not n.startswith("_") and not n.endswith("_") and hasattr(torch.Tensor, n)]

#: results that are views in PyTorch and copies here: nobody writes to them
COPIES = {"cov", "inner", "new", "repeat_interleave", "sum_to_size", "svd"}


def given(module, shape, kind):
    if kind == "tensor":
        return module.ones(shape)
    return module.zeros(shape, dtype=module.int64) if kind == "index" else kind


def results(module, name, shape, arguments):
    """(the tensor, the tensors its method gives); None where it is no method, or refuses the arguments."""
    t = module.ones(shape)
    try:
        method = getattr(t, name)
        if not callable(method):
            return None
        found = method(*(given(module, shape, a) for a in arguments))
    except (ArithmeticError, AttributeError, LookupError, NotImplementedError, RuntimeError, TypeError, ValueError):
        return None
    return t, [x for x in (found if isinstance(found, (tuple, list)) else (found,)) if isinstance(x, (torch.Tensor, ct.Tensor))]


def shares(t, x):
    """Whether x is over t's memory.  PyTorch's empty storages have no address, but views are marked."""
    if isinstance(x, ct.Tensor):
        return x._storage is t._storage
    return x is t or x._is_view() or x.untyped_storage()._cdata == t.untyped_storage()._cdata


@pytest.mark.parametrize("name", NAMES)
def test_only_what_pytorch_shares_is_shared(name):
    compared = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for shape, arguments in itertools.product(SHAPES, ARGUMENTS):
            ours, theirs = results(ct, name, shape, arguments), results(torch, name, shape, arguments)
            if ours is None or theirs is None:
                continue
            compared += 1
            for x, y in zip(ours[1], theirs[1], strict=False):
                if shares(ours[0], x):
                    assert shares(theirs[0], y), f"{name}{arguments} of shape {shape} shares memory"
                elif name not in COPIES:
                    assert not shares(theirs[0], y), f"{name}{arguments} of shape {shape} is a copy"
    if not compared:
        pytest.skip("no method, or one that takes other arguments than these")
