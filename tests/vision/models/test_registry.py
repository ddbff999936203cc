"""The registry of models and their published weights; nothing is downloaded."""

import inspect
import math
import pickle
import re
import typing

import pytest

import cltensor as ct
from cltensor.vision import models
from cltensor.vision.models import _api

pytestmark = pytest.mark.any_style
BUILDERS = [name for name in models.list_models(models) if name != "lenet5"]


def test_models_are_listed_by_patterns_and_modules():
    assert models.list_models(include="resnet*") == ["resnet101", "resnet152", "resnet18", "resnet34", "resnet50"]
    assert models.list_models(include=["vgg1*", "alexnet"], exclude=["*bn", "*6"]) == ["alexnet", "vgg11", "vgg13", "vgg19"]
    assert models.list_models(include=[], exclude=[]) == models.list_models()
    assert models.list_models(module=math) == []


@pytest.mark.device
def test_models_are_found_by_name():
    assert models.get_model_builder("ResNet18") is models.resnet18
    assert models.get_model("lenet5", num_classes=3).classifier[-1].out_features == 3
    with pytest.raises(ValueError, match="'nope'; list_models"):
        models.get_model("nope")


def test_a_name_is_registered_once(monkeypatch):
    monkeypatch.setattr(_api, "_BUILDERS", dict(_api._BUILDERS))
    made = models.register_model("Mine")(lambda **kwargs: ct.nn.Identity(**kwargs))
    assert models.get_model_builder("mine") is made
    with pytest.raises(ValueError, match="'mine' already; give"):
        models.register_model("mine")(made)


@pytest.mark.parametrize("name", BUILDERS)
def test_builders_say_what_they_take(name):
    build = models.get_model_builder(name)
    kind = models.get_model_weights(name)
    assert models.get_model_weights(build) is kind
    assert getattr(models, name) is build
    assert getattr(models, kind.__name__) is kind
    parameters = inspect.signature(build).parameters
    assert list(parameters) == ["weights", "progress", "kwargs"]
    assert parameters["weights"].annotation == typing.Optional[kind]  # noqa: UP045
    assert kind.DEFAULT in list(kind)
    for weights in kind:
        assert re.fullmatch(r"https://download\.pytorch\.org/models/[\w.-]+-[0-9a-f]{8,10}\.pth", weights.url)
        assert weights.meta["num_params"] > 10**6
        assert weights.meta["categories"] is None or len(weights.meta["categories"]) == 1000


def test_weights_are_found_by_name():
    weights = models.get_weight("ResNet50_Weights.DEFAULT")
    assert weights is models.ResNet50_Weights.IMAGENET1K_V2
    assert repr(weights) == str(weights) == "ResNet50_Weights.IMAGENET1K_V2"
    assert pickle.loads(pickle.dumps(weights)) is weights
    assert weights.meta["categories"][0] == "tench"
    assert weights.meta["categories"][-1] == "toilet tissue"
    with pytest.raises(ValueError, match="names no weights"):
        models.get_weight("DEFAULT")
    with pytest.raises(ValueError, match="no weights named 'Nope'"):
        models.get_weight("Nope.DEFAULT")
    with pytest.raises(ValueError, match="no weights named 'ResNet'"):
        models.get_weight("ResNet.DEFAULT")
    with pytest.raises(KeyError):
        models.get_weight("ResNet50_Weights.NOPE")
    with pytest.raises(ValueError, match="no published weights"):
        models.get_model_weights("lenet5")


def test_weights_equal_by_what_they_say():
    first, second = (models.Weights("u", None, {"a": 1}) for _ in range(2))
    assert first == second
    assert first != models.Weights("v", None, {"a": 1})
    assert first != 3
    assert models.ResNet18_Weights.DEFAULT.value == models.ResNet18_Weights.DEFAULT.value


def test_wrong_weights_are_refused_before_anything_is_made():
    with pytest.raises(TypeError, match=r"member of ResNet18_Weights.* but ResNet34_Weights"):
        models.resnet18(weights=models.ResNet34_Weights.DEFAULT)
    with pytest.raises(TypeError, match="but 3 was given"):
        models.resnet18(weights=3)
    with pytest.raises(KeyError):
        models.resnet18(weights="NOPE")
    with pytest.raises(ValueError, match="num_classes=3 was given where num_classes=1000"):
        models.resnet18(weights="IMAGENET1K_V1", num_classes=3)
    with pytest.raises(ValueError, match="image_size=32 was given where image_size=384"):
        models.vit_b_16(weights="IMAGENET1K_SWAG_E2E_V1", image_size=32)
    with pytest.raises(ValueError, match="groups=2 was given where groups=32"):
        models.resnext50_32x4d(groups=2)
    with pytest.raises(TypeError, match="unexpected keyword"):
        models.mobilenet_v3_small(nope=3)
    with pytest.raises(ValueError, match="none are published"):
        models.lenet5(weights="DEFAULT")


def given(monkeypatch, state):
    """Let weights be `state`, and note how they were asked for."""
    asked = []

    def get_state_dict(self, *args, **kwargs):
        asked.append((self, kwargs))
        return dict(state)

    monkeypatch.setattr(models.WeightsEnum, "get_state_dict", get_state_dict)
    return asked


@pytest.mark.device
def test_a_model_with_weights(monkeypatch):
    ct.manual_seed(0)
    state = models.shufflenet_v2_x0_5().state_dict()
    asked = given(monkeypatch, state)
    model = models.shufflenet_v2_x0_5(weights="DEFAULT", progress=False)
    assert asked == [(models.ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1, {"progress": False, "check_hash": True})]
    assert all(ct.equal(value, state[name]) for name, value in model.state_dict().items())
    with pytest.warns(UserWarning, match="older versions"):
        assert ct.equal(models.shufflenet_v2_x0_5(pretrained=True).fc.weight, state["fc.weight"])
    with pytest.warns(UserWarning, match="weights=None is taken"):
        models.shufflenet_v2_x0_5(weights=False)


def test_names_of_old_densenets(monkeypatch):
    with ct.device("meta"):
        state = models.densenet121().state_dict()
    old = {name.replace(".norm1.", ".norm.1.").replace(".conv2.", ".conv.2."): value for name, value in state.items()}
    assert set(old) != set(state)
    given(monkeypatch, old)
    with ct.device("meta"):
        models.densenet121(weights="DEFAULT")


@pytest.mark.parametrize("heads", [True, False, None])
def test_auxiliary_heads_come_and_go(monkeypatch, heads, recwarn):
    arguments = {} if heads is None else {"aux_logits": heads}
    with ct.device("meta"):
        given(monkeypatch, models.googlenet().state_dict())
        model = models.googlenet(weights="DEFAULT", **arguments)
        assert (model.aux1 is not None) == model.aux_logits == bool(heads)
        assert model.transform_input
        assert [str(w.message) for w in recwarn] == ["googlenet: the auxiliary heads of the published weights are not trained; "
                                                     "train them"] * bool(heads)
        given(monkeypatch, models.inception_v3().state_dict())
        model = models.inception_v3(weights="DEFAULT", transform_input=False, **arguments)
        assert (model.AuxLogits is not None) == model.aux_logits == (heads is not False)
        assert not model.transform_input


def test_weights_say_how_images_are_prepared():
    pytest.importorskip("cltensor.vision.transforms._presets")
    prepared = models.ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1.transforms()
    assert (prepared.crop_size, prepared.resize_size, prepared.interpolation.value) == ([384], [384], "bicubic")
    prepared = models.ResNet18_Weights.DEFAULT.transforms(resize_size=240)
    assert (prepared.crop_size, prepared.resize_size, prepared.interpolation.value) == ([224], [240], "bilinear")
