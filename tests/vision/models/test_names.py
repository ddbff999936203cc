"""Every model has the names, shapes and dtypes of torchvision's, and its number of parameters; all on the meta device."""

import hashlib
import json
from pathlib import Path

import pytest

import cltensor as ct
from cltensor.vision import models

pytestmark = pytest.mark.any_style
EXPECTED = json.loads(Path(__file__).with_name("models.json").read_text(encoding="utf-8"))
IMAGES = {"inception_v3": 75, "maxvit_t": 224, "vit_h_14": 224, "googlenet": 64}


def on_meta(name, **arguments):
    with ct.device("meta"):
        return models.get_model(name, **arguments)


def layout(state):
    lines = [f"{name} {tuple(value.shape)} {str(value.dtype).rpartition('.')[2]}" for name, value in state.items()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def test_all_models_are_there():
    assert set(models.list_models(models)) == {*EXPECTED, "lenet5"}
    assert len(EXPECTED) == 80


@pytest.mark.parametrize("name", EXPECTED)
def test_names_shapes_and_counts(name):
    model = on_meta(name)
    assert [sum(p.numel() for p in model.parameters()), layout(model.state_dict())] == EXPECTED[name]
    assert all(p.is_meta for p in model.parameters())


@pytest.mark.parametrize("name", ["resnet18", "regnet_y_128gf", "vit_h_14", "convnext_large", "efficientnet_v2_l", "swin_v2_b",
                                  "maxvit_t", "densenet201", "inception_v3", "googlenet"])
def test_shapes_pass_through_large_models(name):
    size = IMAGES.get(name, 64)
    with ct.device("meta"):
        assert models.get_model(name).eval()(ct.empty(2, 3, size, size)).shape == (2, 1000)


@pytest.mark.device
def test_lenet_has_the_shapes_of_the_paper():
    model = models.lenet5()
    shapes = [tuple(p.shape) for p in model.parameters() if p.ndim > 1]
    assert shapes == [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)]
    assert sum(p.numel() for p in model.parameters()) == 61706
    assert model(ct.zeros(2, 1, 28, 28)).shape == (2, 10)
    assert models.LeNet(3, 2, 32)(ct.zeros(1, 2, 32, 32)).shape == (1, 3)
