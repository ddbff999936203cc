"""An error begins with the name of the user's call, not with that of the op that raised it."""

import pickle

import pytest

import cltensor as ct
from cltensor import nn
from cltensor.nn import functional as F

pytestmark = [pytest.mark.device, pytest.mark.any_style]


@pytest.fixture
def x():
    return ct.arange(6.0).reshape(2, 3)


#: how the message begins -> a call
NAMED = {
    # functions made of other ops
    "hstack": lambda x: ct.hstack([x, ct.ones(3, 3)]),
    "vstack": lambda x: ct.vstack([x, ct.ones(2, 2)]),
    "outer": lambda x: ct.outer(x, x),
    "tensordot": lambda x: ct.tensordot(x, x, 1),
    "addmm": lambda x: ct.addmm(ct.ones(5), x, ct.ones(3, 2)),
    "index_fill": lambda x: x.index_fill(0, ct.tensor([0]), ct.ones(2)),
    "one_hot": lambda x: F.one_hot(x),
    "mse_loss": lambda x: F.mse_loss(x, ct.ones(2, 3), reduction="median"),
    "linear": lambda x: F.linear(x, ct.ones(4, 4)),
    "scaled_dot_product_attention": lambda x: F.scaled_dot_product_attention(x, ct.ones(2, 4), x),
    "max_pool2d": lambda x: F.max_pool2d(ct.ones(1, 1, 2, 2), 5),
    "xavier_uniform_": lambda x: nn.init.xavier_uniform_(ct.ones(2)),
    "linalg.inv": lambda x: ct.linalg.inv(x),
    # reductions and in-place forms
    "max": lambda x: x[:0].max(0),
    "argmax": lambda x: x[:0].argmax(0),
    "amax": lambda x: x[:0].amax(0),
    "std": lambda x: x.long().std(),
    "add_": lambda x: x.add_(ct.ones(4)),
    "clamp_": lambda x: x.clamp_(),
    "masked_fill": lambda x: x.masked_fill(x > 0, ct.ones(2)),
    "broadcast_to": lambda x: ct.broadcast_to(x, (4,)),
    "zeros": lambda x: ct.zeros(2, -1),
    "full": lambda x: ct.full((2,), 300, dtype=ct.uint8),
    # operators
    "add": lambda x: x + ct.ones(4),
    "pow": lambda x: x ** ct.ones(4),
    "matmul": lambda x: x @ x,
    "bitwise_not": lambda x: ~x,
    "eq": lambda x: x == ct.ones(4),
    "x[index]": lambda x: x[5],
    "x[index] = value": lambda x: x.requires_grad_().__setitem__(0, 1.0),
    "bool(x)": lambda x: bool(x),
    # layers: the function they call, or themselves
    "softmax": lambda x: nn.Softmax(5)(x),
    "conv2d": lambda x: nn.Conv2d(1, 1, 2)(ct.ones(5)),
    "LSTM": lambda x: nn.LSTM(3, 4)(ct.ones(2)),
    "Linear": lambda x: nn.Linear(2, -1),
    "BatchNorm2d": lambda x: nn.BatchNorm2d(3)(x),
    "Parameter": lambda x: nn.Parameter(x.long()),
    "SGD": lambda x: ct.optim.SGD([x], lr=-1),
    "backward": lambda x: x.sum().backward(),
    "numpy": lambda x: x.requires_grad_().numpy(),
}


@pytest.mark.parametrize("name", NAMED)
def test_the_call_is_named(name, x):
    with pytest.raises(ct.CLTensorError) as caught:
        NAMED[name](x)
    begins = str(caught.value)[:len(name) + 1]
    assert begins[:-1] == name
    assert not begins[-1].isalnum()


def test_a_layer_of_the_users_is_not_in_the_way(x):
    class Net(nn.Module):
        def forward(self, input):
            return F.linear(input, ct.ones(4, 4))

    with pytest.raises(RuntimeError, match=r"^linear: "):
        Net()(x)
    with pytest.raises(RuntimeError, match=r"^linear: "):
        nn.Sequential(nn.Identity(), nn.Linear(4, 4))(x)


def test_a_pickled_error_says_the_same(x):
    with pytest.raises(ct.CLTensorError) as caught:
        ct.hstack([x, ct.ones(3, 3)])
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_an_error_of_the_users_own_is_left_alone():
    assert str(ct.ShapeError("cat: mine")) == "cat: mine"


def test_advice_fits(x):
    with pytest.raises(TypeError) as caught:
        ct.bitwise_not(x)
    assert ".float()" not in str(caught.value)


def test_a_module_without_forward(x):
    with pytest.raises(NotImplementedError, match='missing the required "forward" function'):
        nn.Module()(x)


def test_what_was_accepted_and_is_wrong(x):
    target = ct.tensor([0, 1], dtype=ct.int32)
    for call in (lambda: F.cross_entropy(x, target), lambda: F.nll_loss(x, target), lambda: ct.where(x, x, x),
                 lambda: ct.where(target, x[:, 0], x[:, 0])):
        with pytest.raises(RuntimeError):
            call()


@pytest.mark.parametrize(("call", "error"), [
    (lambda x: float(x), ValueError), (lambda x: F.cross_entropy(x, ct.tensor([0])), ValueError),
    (lambda x: F.binary_cross_entropy(x, ct.ones(2)), ValueError), (lambda x: nn.BatchNorm1d(3)(ct.ones(2)), ValueError),
    (lambda x: x[:0].index_select(0, ct.tensor([0])), IndexError),
    (lambda x: x[:, :0].index_select(-1, ct.tensor([0])), IndexError),
    (lambda x: x.index_select(0, ct.tensor([[0]])), IndexError), (lambda x: x[:0].argmax(), IndexError),
    (lambda x: nn.Embedding(3, 2, padding_idx=7), AssertionError), (lambda x: ct.sum(3), TypeError),
    (lambda x: ct.kron(x, 3), TypeError), (lambda x: ct.result_type("a", 1), TypeError), (lambda x: x @ x, RuntimeError)])
def test_classes(call, error, x):
    with pytest.raises(error) as caught:
        call(x)
    assert isinstance(caught.value, RuntimeError)


@pytest.mark.parametrize("name", sorted(n for n in dir(ct.Tensor) if not n.startswith("_")))
def test_no_method_tells_what_python_missed_in_an_argument(name):
    """An argument that is no tensor is named: no AttributeError of a number's or text's comes out of a method."""
    for arguments in ((3,), ("text",), (0, 3), (0, 0, "text"), (object(), object()), ([1, 2],)):
        error = raised(ct.ones(2, 2), name, arguments)
        assert not isinstance(error, AttributeError) or isinstance(error, ct.CLTensorError), f"{name}{arguments}: {error}"


def raised(x, name, arguments):
    """The error of a method's call, or None."""
    try:
        method = getattr(x, name)
        if callable(method):
            method(*arguments)
    except Exception as error:
        return error
    return None
