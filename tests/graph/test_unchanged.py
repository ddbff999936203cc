"""Guards by identity: they hold while nothing changes, and no change that the guards see escapes them."""

import itertools

import pytest

import cltensor as ct
from cltensor import nn, optim
from cltensor.compiler import compile
from cltensor.graph import compiled as compiled_module
from cltensor.graph.guards import Environment
from cltensor.graph.unchanged import Term, of_dict, unchanged

pytestmark = [pytest.mark.device, pytest.mark.any_style]
FACTOR = 2
TABLE = {"scale": 3.0}


class Settings:
    """An object of the program's own."""

    def __init__(self):
        self.power, self.names = 2, ["a"]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))
        self.scale, self.list, self.settings = 1.5, [1, 2], Settings()
        self.register_buffer("shift", ct.zeros(3))

    def forward(self, x):
        return self.inner(x) * self.scale + self.shift * FACTOR * TABLE["scale"] * self.settings.power * len(self.list)


def seen():
    """(a Net, an optimiser of it, what a closure holds, the Environment of a function that uses all of them)."""
    net = Net().eval()
    opt, box = optim.SGD(net.parameters(), lr=0.1), [5]
    number = 3

    def f(x):
        nonlocal number
        opt.step()
        return net(x) * number + box[0]

    def set_number(n):
        nonlocal number
        number = n

    return net, opt, box, set_number, Environment(f)


def hook(*args):
    return None


CHANGES = {
    "training": lambda net, opt, box, put: net.inner[1].train(),
    "an attribute": lambda net, opt, box, put: setattr(net, "scale", 2.5),
    "an attribute of another type": lambda net, opt, box, put: setattr(net.inner[1], "p", 0),
    "a new attribute": lambda net, opt, box, put: setattr(net, "more", 1),
    "an attribute that is gone": lambda net, opt, box, put: delattr(net, "scale"),
    "a list": lambda net, opt, box, put: net.list.append(3),
    "an item": lambda net, opt, box, put: box.__setitem__(0, 6),
    "a closure": lambda net, opt, box, put: put(4),
    "an object inside": lambda net, opt, box, put: setattr(net.settings, "power", 3),
    "a list in an object": lambda net, opt, box, put: net.settings.names.append("b"),
    "a module": lambda net, opt, box, put: net.inner.append(nn.ReLU()),
    "another module": lambda net, opt, box, put: net.inner.__setitem__(0, nn.Linear(3, 3)),
    "a parameter": lambda net, opt, box, put: setattr(net.inner[0], "weight", nn.Parameter(ct.ones(3, 3))),
    "no parameter": lambda net, opt, box, put: setattr(net.inner[0], "bias", None),
    "its memory": lambda net, opt, box, put: setattr(net.inner[0].weight, "data", ct.ones(3, 3)),
    "requires_grad": lambda net, opt, box, put: net.inner[0].weight.requires_grad_(False),
    "a buffer": lambda net, opt, box, put: setattr(net, "shift", ct.ones(3)),
    "a buffer's layout": lambda net, opt, box, put: net.shift.resize_(2),
    "a hook": lambda net, opt, box, put: net.inner[0].register_forward_hook(hook),
    "a hook of all modules": lambda net, opt, box, put: nn.modules.module.register_module_forward_hook(hook),
    "a hook of a tensor": lambda net, opt, box, put: net.inner[0].weight.register_hook(hook),
    "a hook of the optimiser": lambda net, opt, box, put: opt.register_step_pre_hook(hook),
    "a setting": lambda net, opt, box, put: opt.param_groups[0].__setitem__("nesterov", True),
    "a .grad": lambda net, opt, box, put: setattr(net.inner[0].weight, "grad", ct.ones(3, 3)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changes(name):
    net, opt, box, put, environment = seen()
    state, gradients = environment.state(), environment.gradients()
    same = unchanged(environment.terms())
    assert same()
    made = CHANGES[name](net, opt, box, put)
    try:
        assert (environment.state(), environment.gradients()) != (state, gradients)
        assert not same()
    finally:
        if hasattr(made, "remove"):
            made.remove()


def test_globals(monkeypatch):
    net = Net().eval()
    same = unchanged(Environment(net).terms())
    assert same()
    monkeypatch.setitem(TABLE, "scale", 4.0)
    assert not same()
    monkeypatch.undo()
    assert unchanged(Environment(net).terms())()
    monkeypatch.setitem(globals(), "FACTOR", 2.5)
    assert not same()


def test_a_gradient_in_another_layout():
    p = nn.Parameter(ct.ones(2, 2))
    p.grad = ct.ones(2, 2)
    same = unchanged(Environment(lambda: p).terms())
    assert same()
    p.grad = ct.zeros(2, 2)  # its contents and its memory do not matter
    assert same()
    p.grad = ct.zeros(2, 2).t()
    assert not same()
    p.grad = None
    assert not same()


def test_values_in_place_are_no_change():
    net, opt, _, _, environment = seen()
    same = unchanged(environment.terms())
    with ct.no_grad():
        net.inner[0].weight.mul_(2)
        net.shift.add_(1)
    opt.param_groups[0]["lr"] = 0.7
    assert same()


def test_equal_objects_are_left_to_the_guards():
    """What is equal but not the same is found equal by the guards, and then by identity again."""
    net = nn.Linear(2, 2)
    net.scale = 10**6
    f = compile(lambda x: net(x) * net.scale)
    with ct.no_grad():
        for _ in range(40):
            net.scale = int("1000000")
            f(ct.ones(1, 2))
    assert f.captures == 1
    assert f.programs[0].asked >= max(x for x in compiled_module._COMPARED if x < 40)
    assert f.programs[0].same is not None


def test_keys_that_are_no_words_are_left_to_the_guards():
    assert of_dict({"a b": 1}) is None
    assert of_dict({1: 1}) is None
    assert of_dict({"{}": 1}) is None
    assert len(of_dict({"0": 1})) == 2


def test_many_terms():
    numbers = list(map(float, range(3000)))
    table = {f"n{i}": n for i, n in enumerate(numbers)}
    same = unchanged(of_dict(table))
    assert same()
    table["n2999"] = -1.0
    assert not same()
    assert unchanged([])()
    assert not unchanged([Term("{}[9]", (numbers[:3],))])()


def test_programs_of_one_kind_share_a_function():
    codes = [unchanged(of_dict({"a": object(), "b": None})).__code__ for _ in range(2)]
    assert all(a is b for a, b in itertools.pairwise(codes))


def test_a_gradient_that_is_only_read_is_looked_at():
    """That of a parameter which lies deeper than guards look."""
    p = nn.Parameter(ct.zeros(3))
    deep = [p]
    for _ in range(12):
        deep = [deep]

    def doubled():
        found = deep
        for _ in range(12):
            found = found[0]
        return found[0].grad * 2

    f = compile(doubled, options={"wait": True})
    for i in range(2 * compiled_module._COMPARED[1]):
        p.grad = ct.full((3,), float(i))
        assert f().tolist() == [2.0 * i] * 3
    p.grad = ct.arange(6.0)[::2]
    assert f().tolist() == [0.0, 4.0, 8.0]
    p.grad = None
    with pytest.raises(TypeError, match="NoneType"):
        f()
