"""What else a Module can do: conversions, hooks of all modules, replaced submodules, its bases' constructors."""

import pytest

import cltensor
from cltensor import nn
from cltensor.nn.modules import module as everywhere

pytestmark = pytest.mark.device


def test_memory_without_values():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    weight = model[0].weight
    assert model.to_empty(device=None) is model
    assert model[0].weight is weight
    assert weight.shape == (3, 2)
    with pytest.raises(TypeError, match="device"):
        model.to_empty()
    before = model[0].weight.tolist()
    model.to_empty(device=None, recurse=False)
    assert model[0].weight.tolist() == before


def test_conversions():
    layer = nn.Conv2d(2, 3, 3)
    assert layer.to(memory_format=cltensor.channels_last).weight.is_contiguous(memory_format=cltensor.channels_last)
    if cltensor.get_default_device().profile.kind == "cpu":
        assert layer.cpu() is layer
    assert layer.compile(mode="max-autotune") is None
    assert not hasattr(layer, "cuda")
    with pytest.raises(AttributeError, match="OpenCL"):
        layer.cuda()


def test_replacing_submodules():
    model = nn.Sequential(nn.Linear(2, 3))
    model.set_submodule("1", nn.ReLU())
    assert len(model) == 2
    model.set_submodule("0", nn.Identity(), strict=True)
    assert type(model[0]) is nn.Identity
    for target, value, error in (("5", nn.ReLU(), AttributeError), ("", nn.ReLU(), ValueError), ("7.0", nn.ReLU(), AttributeError),
                                 ("1", 3, ValueError)):
        with pytest.raises(error):
            model.set_submodule(target, value, strict=True)
    with pytest.raises(AttributeError, match="`weight` is not"):
        nn.Sequential(nn.Linear(2, 3)).set_submodule("0.weight", nn.ReLU())
    assert len(list(nn.Sequential(model, model).modules(remove_duplicate=False))) == 7


class Base:
    def __init__(self, *args, **kwargs):
        self.given = args, kwargs


class Mixed(nn.Module, Base):
    call_super_init = True

    def __init__(self):
        super().__init__(1, x=2)


def test_constructors_of_other_bases():
    assert Mixed().given == ((1,), {"x": 2})
    with pytest.raises(TypeError, match="takes no arguments"):
        nn.Module(1)
    with pytest.raises(TypeError, match="'a'"):
        nn.Module(a=1)


class Failing(nn.Module):
    def forward(self, x):
        raise ValueError("boom")


def test_hooks_that_are_always_called():
    seen = []
    module = Failing()
    module.register_forward_hook(lambda *a: seen.append("usual"))
    module.register_forward_hook(lambda m, args, output: seen.append((args, output)), always_call=True)
    with pytest.raises(ValueError, match="boom"):
        module(3)
    assert seen == [((3,), None)]
    module.register_forward_hook(lambda *a: 1 / 0, always_call=True)
    with pytest.raises(ValueError, match="boom"), pytest.warns(UserWarning, match="division by zero"):
        module(3)


def test_older_backward_hooks():
    layer, seen = nn.ReLU(), []
    handle = layer.register_backward_hook(lambda m, g, out: seen.append((g[0].tolist(), out[0].tolist())))
    layer(cltensor.ones(2, requires_grad=True)).sum().backward()
    assert seen == [([1, 1], [1, 1])]
    with pytest.raises(RuntimeError, match="both regular backward hooks"):
        layer.register_full_backward_hook(print)
    handle.remove()
    layer.register_full_backward_hook(lambda *a: None)
    with pytest.raises(RuntimeError, match="both regular backward hooks"):
        layer.register_backward_hook(print)


def test_hooks_of_all_modules():
    seen = []
    model = nn.Sequential(nn.ReLU())
    model.register_forward_pre_hook(lambda *a: seen.append("own before"))
    model.register_forward_hook(lambda *a: seen.append("own after"))
    model.register_full_backward_pre_hook(lambda *a: seen.append("own gradient before"))

    def note(word):
        return lambda module, *_: seen.append((word, type(module).__name__))

    handles = [everywhere.register_module_forward_pre_hook(note("before")), everywhere.register_module_forward_hook(note("after")),
               everywhere.register_module_full_backward_pre_hook(note("gradient before")),
               everywhere.register_module_full_backward_hook(note("gradient"))]
    with pytest.raises(RuntimeError, match="global Module hook"):
        everywhere.register_module_backward_hook(print)
    model(cltensor.ones(1, requires_grad=True)).sum().backward()
    for handle in handles:
        handle.remove()
    assert seen == [("before", "Sequential"), "own before", ("before", "ReLU"), ("after", "ReLU"), ("after", "Sequential"),
                    "own after", ("gradient before", "Sequential"), "own gradient before", ("gradient before", "ReLU"),
                    ("gradient", "ReLU"), ("gradient", "Sequential")]
    seen.clear()
    nn.ReLU()(cltensor.ones(1))
    with everywhere.register_module_backward_hook(note("gradient")):
        nn.ReLU()(cltensor.ones(1, requires_grad=True)).sum().backward()
    assert seen == [("gradient", "ReLU")]


def test_hooks_of_registration():
    with everywhere.register_module_parameter_registration_hook(lambda m, name, p: nn.Parameter(p * 2)):
        module = nn.Module()
        module.scale = nn.Parameter(cltensor.ones(1))
        module.register_parameter("nothing", None)
    assert module.scale.tolist() == [2]
    names = []
    with everywhere.register_module_buffer_registration_hook(lambda m, name, b: names.append(name)), \
            everywhere.register_module_module_registration_hook(lambda m, name, x: names.append(name)):
        module.mean = nn.Buffer(cltensor.ones(1))
        module.register_buffer("none", None)
        module.layer = nn.ReLU()
        module.add_module("other", nn.ReLU())
    assert names == ["mean", "layer", "other"]


def test_parameter_dict():
    d = nn.ParameterDict({"a": cltensor.ones(2), "b": 3})
    again = d.copy()
    assert again["a"] is d["a"]
    assert d.setdefault("c") is None
    assert isinstance(d.setdefault("e", cltensor.zeros(1)), nn.Parameter)
    assert list(reversed(d)) == ["e", "c", "b", "a"]
    assert d.popitem()[0] == "e"
    assert list(d | {"z": 1}) == ["a", "b", "c", "z"]
    assert list({"q": 1} | d) == ["q", "a", "b", "c"]
    d |= {"w": 1}
    assert "w" in d
    assert list(d.fromkeys("xy", 1).items()) == [("x", 1), ("y", 1)]
    with pytest.raises(KeyError, match="empty"):
        nn.ParameterDict().popitem()


def test_older_containers_and_types():
    with pytest.warns(FutureWarning, match="nn.Container"):
        assert repr(nn.Container(a=nn.ReLU())) == "Container(\n  (a): ReLU()\n)"
    assert nn.ModuleList([nn.ReLU(), nn.Tanh()]).pop(key=0).__class__ is nn.ReLU
    assert len(nn.Sequential(nn.ReLU()).extend(sequential=nn.Sequential(nn.Tanh()))) == 2
    assert nn.common_types._size_2_t == int | tuple[int, int]
    assert nn.modules.batchnorm._BatchNorm in nn.BatchNorm2d.__mro__
    assert nn.modules.conv._ConvNd in nn.ConvTranspose1d.__mro__
    assert nn.modules.conv.Conv2d is nn.Conv2d


def test_factory_keywords():
    assert nn.factory_kwargs(None) == {}
    with pytest.raises(TypeError, match="foo"):
        nn.factory_kwargs({"foo": 1})
    with pytest.raises(TypeError, match="dtype specified twice"):
        nn.factory_kwargs({"dtype": None, "factory_kwargs": {"dtype": None}})


def test_merged_masks():
    attention = nn.MultiheadAttention(8, 2)
    query = cltensor.zeros(2, 3, 8)
    padding = cltensor.tensor([[False, False, True], [False, True, True]])
    assert attention.merge_masks(None, None, query) == (None, None)
    assert attention.merge_masks(None, padding, query)[1] == 1
    mask, kind = attention.merge_masks(cltensor.zeros(3, 3).bool(), padding, query)
    assert (mask.shape, kind) == ((2, 2, 3, 3), 2)
    assert mask[1, 0, 2].tolist() == [False, True, True]
    assert attention.merge_masks(cltensor.zeros(4, 3, 3), None, query)[0].shape == (2, 2, 3, 3)
