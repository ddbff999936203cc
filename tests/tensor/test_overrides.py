"""Subclasses of Tensor, `__torch_function__` and modes.  Another process shows what is so before anybody is asked."""

import copy
import inspect
import pickle
import subprocess
import sys
import textwrap
import threading
from collections import namedtuple
from typing import ClassVar

import pytest

import cltensor as ct
from cltensor import nn, overrides
from cltensor.nn import functional as F

pytestmark = pytest.mark.device


class Named(ct.Tensor):
    """A subclass that changes nothing."""


class More(Named):
    """A subclass of a subclass."""


class Logged(ct.Tensor):
    """A subclass that notes what is called."""

    seen: ClassVar[list] = []

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        cls.seen.append(func)
        return super().__torch_function__(func, types, args, kwargs)


class Duck:
    """No tensor, but it knows what functions are to do with it."""

    def __init__(self, value):
        self.value = value

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func is ct.exp:
            return NotImplemented
        return func.__name__, [a.value if isinstance(a, cls) else a for a in args], kwargs


@pytest.fixture
def x():
    return ct.tensor([[1.0, 2.0], [3.0, 4.0]]).as_subclass(Named)


KEPT = {
    "operator": lambda x, t: x + 1, "reflected": lambda x, t: 1 - x, "plain first": lambda x, t: t * x,
    "function": lambda x, t: ct.mul(t, x),
    "op": lambda x, t: ct.exp(x), "list": lambda x, t: ct.stack([t, x]), "keyword": lambda x, t: ct.matmul(t, other=x),
    "reduction": lambda x, t: x.sum(0), "comparison": lambda x, t: x > t, "layer": lambda x, t: F.linear(t, x),
    "view": lambda x, t: x[0],
    "transposed": lambda x, t: x.T, "data": lambda x, t: x.data, "detach": lambda x, t: x.detach(), "dtype": lambda x, t: x.half(),
    "in place": lambda x, t: x.add_(1), "into plain": lambda x, t: t.clone().add_(x), "linalg": lambda x, t: ct.linalg.inv(x),
    "like": lambda x, t: ct.zeros_like(x), "named tuple": lambda x, t: x.max(0).values, "tuple": lambda x, t: x.split(1)[0],
}


@pytest.mark.parametrize("case", KEPT)
def test_results_keep_the_class(x, case):
    t = ct.tensor([[5.0, 6.0], [7.0, 9.0]])
    assert type(KEPT[case](x, t)) is Named
    values = ct.tensor([[1.0, 2.0], [3.0, 4.0]])
    ct.testing.assert_close(KEPT[case](values.clone().as_subclass(Named), t), KEPT[case](values, t))


def test_what_is_no_tensor_stays(x):
    assert type(x.shape) is ct.Size
    assert isinstance(x.tolist(), list)
    assert (x.device, x.dtype, len(x), x.numel()) == (ct.get_default_device(), ct.float32, 2, 4)
    assert repr(x) == "Named([[1., 2.],\n       [3., 4.]])"


def test_gradients_flow_through_subclasses():
    plain = ct.tensor([1.0, 2.0], requires_grad=True)
    y = plain.as_subclass(Named)
    assert y.requires_grad
    (y * y).sum().backward()
    assert plain.grad.tolist() == [2.0, 4.0]
    leaf = Named([1.0, 2.0]).requires_grad_()
    loss = (leaf * 3).sum()
    loss.backward()
    assert leaf.is_leaf
    assert (type(loss), type(leaf.grad), leaf.grad.tolist()) == (Named, ct.Tensor, [3.0, 3.0])
    middle = (plain * 2).as_subclass(Named)
    assert middle.grad_fn is not None
    assert ct.autograd.grad(middle.sum(), plain)[0].tolist() == [2.0, 2.0]
    view = ct.zeros(3).as_subclass(Named)[1:]
    view.add_(1)
    assert view._base is not None


def test_classes_meet(x):
    more = ct.ones(2, 2).as_subclass(More)
    assert type(more + x) is More
    assert type(x + more) is More
    with pytest.raises(TypeError, match="no implementation found: each of"):
        x + ct.ones(2, 2).as_subclass(Logged)


def test_parameters_and_buffers_are_treated_as_tensors(x):
    assert type(nn.Parameter(ct.ones(2)) * 2) is ct.Tensor
    assert type(nn.Buffer(ct.ones(2)) * 2) is ct.Tensor
    assert not overrides.has_torch_function((nn.Parameter(ct.ones(2)), ct.ones(2)))
    assert type(nn.Linear(2, 3)(x)) is Named


def test_copies_keep_the_class(x):
    assert type(copy.copy(x)) is Named
    assert type(copy.deepcopy(x)) is Named
    assert pickle.loads(pickle.dumps(ct.ones(2))).tolist() == [1.0, 1.0]


def test_functions_are_handed_over():
    a, t = ct.ones(2).as_subclass(Logged), ct.ones(2)
    Logged.seen.clear()
    expected = [ct.Tensor.add, ct.Tensor.sub, ct.Tensor.add, F.relu, ct.exp, ct.cat, ct.Tensor.matmul, ct.Tensor.__getitem__,
                ct.Tensor.add_, ct.Tensor.gt, ct.Tensor.__eq__, ct.Tensor.neg, ct.linalg.norm]
    _ = a + 1, t - a, a.add(1), F.relu(a), ct.exp(a), ct.cat([t, a]), a @ a, a[0], a.add_(1), a > 0, a == a, -a, ct.linalg.norm(a)
    assert Logged.seen == expected
    Logged.seen.clear()
    _ = a.shape, a.requires_grad
    a.grad = None
    assert [f.__name__ for f in Logged.seen] == ["__get__", "__get__", "__set__"]
    assert overrides.resolve_name(Logged.seen[0]) == "cltensor.Tensor.shape.__get__"


def test_ducks():
    duck, t = Duck(5), ct.ones(2)
    assert ct.add(duck, 1) == ("add", [5, 1], {})
    assert ct.add(t, other=duck)[0] == "add"
    assert (t + duck)[0] == "add"
    assert F.relu(duck) == ("relu", [5], {})
    assert ct.stack([t, duck])[0] == "stack"
    with pytest.raises(TypeError, match="exp: no implementation found: each of Duck"):
        ct.exp(duck)


class Doubling(overrides.TorchFunctionMode):
    """A mode that doubles what ones makes, and notes what is called."""

    def __init__(self):
        self.seen = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.seen.append(func.__name__)
        result = func(*args, **(kwargs or {}))
        return result * 2 if func is ct.ones else result


def test_modes():
    with Doubling() as outer, Doubling() as inner:
        assert ct.ones(2).tolist() == [4.0, 4.0]
        with overrides.DisableTorchFunctionSubclass():
            ct.zeros(2)
        with overrides.DisableTorchFunction():
            ct.zeros(2)
    assert ct.ones(2).tolist() == [1.0, 1.0]
    assert inner.seen == ["ones", "tolist", "zeros"]
    assert outer.seen == ["ones", "mul", "tolist", "zeros"]
    with overrides.BaseTorchFunctionMode():
        assert type(ct.ones(2).as_subclass(Named) + 1) is Named
    with overrides.TorchFunctionMode(), pytest.raises(NotImplementedError, match="must define __torch_function__"):
        ct.ones(2)


def test_modes_belong_to_a_thread():
    with Doubling() as mode:
        thread = threading.Thread(target=lambda: ct.ones(2))
        thread.start()
        thread.join()
    assert not mode.seen


def test_nobody_is_asked_inside(x):
    with overrides.DisableTorchFunctionSubclass():
        assert type(x + 1) is ct.Tensor
        assert not overrides.has_torch_function_unary(x)
    with overrides.DisableTorchFunction():
        assert type(x.sum()) is ct.Tensor
        assert not overrides.has_torch_function_variadic(x, 1)
    assert overrides.has_torch_function_variadic(1, x)


def test_functions_of_ones_own(x):
    @overrides.wrap_torch_function(lambda a, b=None: (a, b))
    def twice(a, b=None):
        return a * 2

    assert twice(Duck(1)) == ("twice", [1], {})
    assert type(twice(x)) is Named
    assert type(twice(ct.ones(2))) is ct.Tensor
    assert overrides.handle_torch_function(twice, (x,), x).tolist() == [[2.0, 4.0], [6.0, 8.0]]


def test_redispatch():
    depth = []

    class Deep(ct.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            depth.append(func.__name__)
            if func.__name__ in ("relu", "exp"):
                return overrides.redispatch_function(func, types, args, kwargs)
            return super().__torch_function__(func, types, args, kwargs)

    a = ct.ones(2).as_subclass(Deep)
    assert F.relu(a).tolist() == [1.0, 1.0]
    assert type(ct.exp(a)) is ct.Tensor
    assert depth[0] == "relu"


def test_lists_of_functions():
    functions = overrides.get_overridable_functions()
    assert ct.add in functions[ct]
    assert F.relu in functions[F]
    assert ct.Tensor.add in functions[ct.Tensor]
    assert ct.Tensor.shape.__get__ in functions[ct.Tensor]
    assert ct.is_tensor in overrides.get_ignored_functions()
    assert not overrides.get_ignored_functions() & set(functions[ct])
    dummies = overrides.get_testing_overrides()
    assert dummies[ct.add](1, 2) == -1
    assert "dim" in inspect.signature(dummies[ct.sum]).parameters
    names = [overrides.resolve_name(f) for f in (ct.add, ct.Tensor.add, F.relu, ct.linalg.inv, len)]
    assert names == ["cltensor.add", "cltensor.Tensor.add", "cltensor.nn.functional.relu", "cltensor.linalg.inv", None]
    assert overrides.is_tensor_method_or_property(ct.Tensor.add)
    assert not overrides.is_tensor_method_or_property(ct.add)
    assert [overrides.is_tensor_like(v) for v in (ct.ones(1), Duck(1), 3)] == [True, True, False]


@pytest.mark.parametrize("name", ["sum", "add", "stack", "linspace", "einsum"])
def test_signatures_stay(name):
    assert inspect.signature(getattr(ct, name)).parameters.keys() - {"args", "kwargs"}


def test_errors_still_name_the_call(x):
    with pytest.raises(IndexError, match=r"^sum: .*dimension 5|^sum.*5"):
        x.sum(5)
    with pytest.raises(TypeError, match="as_subclass: cls must be a subclass"):
        ct.ones(2).as_subclass(int)


def test_nothing_changes_until_someone_is_to_be_asked():
    program = """
        import cltensor as ct
        from cltensor.base import overriding
        from cltensor.nn import Parameter, functional as F
        class Weight(Parameter):
            pass
        before = ct.add.__code__, F.relu.__code__, ct.Tensor.__add__.__code__
        assert not overriding._armed.yes
        class Duck:
            def __torch_function__(self, *args):
                return 3
        try:
            ct.add(Duck(), 1)
        except TypeError as error:
            assert "import cltensor.overrides first" in str(error), error
        class Mine(ct.Tensor):
            pass
        assert overriding._armed.yes and all(a is not b.__code__ for a, b in zip(before, (ct.add, F.relu, ct.Tensor.__add__)))
        assert type(F.relu(ct.ones(2).as_subclass(Mine))) is Mine
    """
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr


Pair = namedtuple("Pair", "a b")


def test_results_in_tuples_of_the_users_own(x):
    @overrides.wrap_torch_function(lambda a: (a,))
    def both(a):
        return Pair(ct.Tensor.as_subclass(a, ct.Tensor), [ct.ones(2)])

    found = both(x)
    assert isinstance(found, Pair)
    assert (type(found.a), type(found.b[0])) == (Named, Named)
