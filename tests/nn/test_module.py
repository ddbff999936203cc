"""Module: registration, traversal, modes, conversion, text, copies."""

import copy
import pickle

import pytest

import cltensor
from cltensor import nn

pytestmark = pytest.mark.device


class Net(nn.Module):
    """A parameter, two kinds of buffer, a child, and the same child again."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(cltensor.ones(2))
        self.register_buffer("count", cltensor.zeros(1))
        self.register_buffer("scratch", cltensor.zeros(1), persistent=False)
        self.first = nn.Linear(2, 2)
        self.again = self.first
        self.none = None

    def forward(self, x, times=1):
        return self.first(x) * self.scale * times


def names(pairs):
    return [name for name, _ in pairs]


# --- registration ------------------------------------------------------------------------------------------------------


def test_traversal_visits_each_member_once():
    net = Net()
    assert names(net.named_parameters()) == ["scale", "first.weight", "first.bias"]
    assert names(net.named_parameters(prefix="net", recurse=False)) == ["net.scale"]
    assert names(net.named_parameters(remove_duplicate=False))[-2:] == ["again.weight", "again.bias"]
    assert names(net.named_buffers()) == ["count", "scratch"]
    assert names(net.named_modules()) == ["", "first"]
    assert names(net.named_modules(remove_duplicate=False)) == ["", "first", "again"]
    assert names(net.named_children()) == ["first"]
    assert (len(list(net.parameters())), len(list(net.buffers())), len(list(net.modules()))) == (3, 2, 2)


def test_attributes_move_between_kinds():
    net = Net()
    net.scale = None
    assert net.scale is None
    assert "scale" in net._parameters
    net.scale = nn.Parameter(cltensor.zeros(3))
    assert net.scale.shape == (3,)
    net.count = nn.Parameter(cltensor.ones(1))
    assert "count" not in names(net.named_buffers())
    net.first = nn.Buffer(cltensor.ones(1))
    assert "first" in names(net.named_buffers())
    del net.first
    assert not hasattr(net, "first")
    net.plain = cltensor.ones(1)
    assert "plain" not in names(net.named_buffers())
    net.plain = nn.Identity()
    assert "plain" in names(net.named_children())
    assert {"scale", "plain", "forward"} <= set(dir(net))


@pytest.mark.parametrize(("change", "error", "words"), [
    (lambda n: setattr(n, "scale", cltensor.ones(2)), TypeError, "as parameter 'scale' .*Parameter or None expected"),
    (lambda n: setattr(n, "first", 3), TypeError, "'int' as child module 'first'"),
    (lambda n: setattr(n, "count", 3), TypeError, "'int' as buffer 'count'"),
    (lambda n: n.register_parameter("a.b", None), KeyError, "t contain"),
    (lambda n: n.register_parameter("", None), KeyError, "empty string"),
    (lambda n: n.register_parameter(3, None), TypeError, "should be a string. Got int"),
    (lambda n: n.register_parameter("forward", None), KeyError, "attribute 'forward' already exists"),
    (lambda n: n.register_parameter("q", cltensor.ones(1)), TypeError, "Parameter or None required"),
    (lambda n: n.register_buffer("q", 3), TypeError, "'int' object to buffer 'q'"),
    (lambda n: n.register_buffer("scale", None), KeyError, "already exists"),
    (lambda n: n.add_module("q", 3), TypeError, "int is not a Module subclass"),
    (lambda n: n.missing, AttributeError, "'Net' object has no attribute 'missing'"),
    (lambda n: n.train("x"), ValueError, "expected to be boolean"),
    (lambda n: n.to(cltensor.int32), TypeError, "only accepts floating point"),
    (lambda n: n.get_submodule("first.x"), AttributeError, "Linear has no attribute `x`"),
    (lambda n: n.get_submodule("scale"), AttributeError, "`scale` is not an nn.Module"),
    (lambda n: n.get_parameter("count"), AttributeError, "`count` is not an nn.Parameter"),
    (lambda n: nn.Module()(1), NotImplementedError, 'missing the required "forward"'),
])
def test_mistakes_are_named(change, error, words):
    with pytest.raises(error, match=words):
        change(Net())


@pytest.mark.parametrize("value", [lambda: nn.Identity(), lambda: nn.Parameter(cltensor.ones(1)), lambda: nn.Buffer()])
def test_members_before_init(value):
    class Late(nn.Module):
        def __init__(self):
            self.x = value()

    with pytest.raises(AttributeError, match=r"before Module\.__init__"):
        Late()


def test_lookup_by_dotted_name():
    net = nn.Sequential(Net(), nn.Identity())
    assert net.get_submodule("0.first") is net[0].first
    assert net.get_parameter("0.first.weight") is net[0].first.weight
    assert net.get_buffer("0.count") is net[0].count
    assert net.get_submodule("") is net
    net.set_submodule("0.first", nn.Identity())
    assert isinstance(net[0].first, nn.Identity)


# --- modes and conversion ----------------------------------------------------------------------------------------------


def test_modes_and_gradients():
    net = Net()
    assert net.training
    assert not net.eval().first.training
    assert net.train().first.training
    net(cltensor.ones(2)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert net.scale.grad.tolist() == [0, 0]
    net.zero_grad()
    assert net.scale.grad is None
    assert not any(p.requires_grad for p in net.requires_grad_(False).parameters())
    seen = []
    net.apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "Net"]


def test_conversion_keeps_the_parameters_themselves():
    net = Net()
    net.register_buffer("number", cltensor.zeros(1, dtype=cltensor.int64))
    net(cltensor.ones(2)).sum().backward()
    before = list(net.parameters())
    assert net.half() is net
    assert all(a is b for a, b in zip(net.parameters(), before, strict=True))
    kinds = {str(t.dtype) for t in (*net.parameters(), net.count, net.scale.grad)}
    assert (kinds, net.number.dtype) == ({"cltensor.float16"}, cltensor.int64)
    assert net.float().scale.dtype is cltensor.float32
    assert net.to(cltensor.ones(1, dtype=cltensor.bfloat16)).scale.dtype is cltensor.bfloat16
    assert net.to(net.scale.device, cltensor.float32).scale.grad.dtype is cltensor.float32
    assert net.type(cltensor.float16).number.dtype is cltensor.float16


# --- copies and text ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_stand_alone_and_keep_what_is_tied(duplicate):
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.BatchNorm1d(2))
    net[1].weight = net[0].weight
    other = duplicate(net)
    assert other[0].weight is other[1].weight is not net[0].weight
    assert isinstance(other[0].weight, nn.Parameter)
    other[0].weight.data.fill_(7)
    assert net[0].weight.tolist() != other[0].weight.tolist()
    assert names(other.named_buffers()) == names(net.named_buffers())
    assert other[0].bias.requires_grad


def test_text():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(1, 2), nn.Linear(1, 2), nn.ReLU()])
            self.out = nn.Sequential()

        def extra_repr(self):
            return "a=1\nb=2"

    assert repr(Block()) == """Block(
  a=1
  b=2
  (layers): ModuleList(
    (0-1): 2 x Linear(in_features=1, out_features=2, bias=True)
    (2): ReLU()
  )
  (out): Sequential()
)"""


def test_forward_takes_keywords():
    net = Net()
    x = cltensor.ones(2)
    assert net(x, times=3).tolist() == pytest.approx([3 * v for v in net(x).tolist()])
