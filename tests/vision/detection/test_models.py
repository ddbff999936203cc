"""Detection and segmentation models against recorded facts of torchvision's (record_models.py)."""

import functools
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.runtime.device import default_device
from cltensor.vision import models, ops
from vision.detection import tiny

LAYOUTS, VALUES = (json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8")) for name in ("models.json", "tiny.json"))


def test_no_model_is_missing():
    assert set(LAYOUTS) == {*models.list_models(module=models.detection), *models.list_models(module=models.segmentation)}


@pytest.mark.any_style
@pytest.mark.parametrize("name", LAYOUTS)
def test_parameters(name):
    with ct.device("meta"):
        model = models.get_model(name, weights=None, weights_backbone=None)
    lines = [f"{name} {tuple(value.shape)}" for name, value in model.state_dict().items()]
    hashed = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    assert [sum(p.numel() for p in model.parameters()), hashed] == LAYOUTS[name]
    weights = models.get_model_weights(name).DEFAULT
    assert weights.url.startswith("https://")
    assert models.get_weight(f"{type(weights).__name__}.DEFAULT") is weights


@functools.cache
def wide():
    """Whether models run in float64."""
    return default_device().profile.fp64


def number():
    """The NumPy dtype of inputs."""
    return np.float64 if wide() else np.float32


def tolerance():
    """The tolerance of losses and gradients."""
    return 1e-6 if wide() else 1e-2


def filled(model):
    state = {name: tiny.value(name, tuple(t.shape), i) for i, (name, t) in enumerate(model.state_dict().items())}
    model.load_state_dict({name: ct.tensor(v) for name, v in state.items() if v is not None}, strict=False)
    return (model.double() if wide() else model).eval()


def projected(tensor):
    array = tensor.detach().numpy().astype(np.float64)
    return (array * tiny.direction(array.shape)).sum()


def assert_gradients(tensors, recorded):
    for tensor, (wanted, size) in zip(tensors, recorded, strict=True):
        slack = size * np.linalg.norm(tiny.direction(tensor.shape)) + 1 / 100
        assert abs(projected(tensor) - wanted) <= tolerance() * slack


@pytest.mark.device
@pytest.mark.parametrize("make", tiny.DETECTORS)
def test_detector(make):
    model = filled(make(models, ops, nn))
    detections, losses, gradients = VALUES[make.__name__]
    images = [ct.tensor(image.astype(number())) for image in tiny.images()]
    with ct.no_grad():
        found = model(images)
    for own, wanted in zip(found, detections, strict=True):
        assert own.keys() == wanted.keys()
        assert own["labels"].tolist() == wanted["labels"]
        np.testing.assert_allclose(own["boxes"].numpy(), np.reshape(wanted["boxes"], (-1, 4)), atol=1e-4 if wide() else 5e-3)
        for key in wanted.keys() - {"labels", "boxes"}:
            assert projected(own[key]) == pytest.approx(wanted[key], rel=1e-5 if wide() else 2e-3,
                abs=1e-4 if wide() else 2e-2), key
    model.train()
    targets = [{k: ct.tensor(v.astype(number()) if k == "boxes" else v) for k, v in t.items()} for t in tiny.targets()]
    computed = model(images, targets)
    assert {k: v.item() for k, v in computed.items()} == pytest.approx(losses, rel=tolerance(), abs=1e-6)
    sum(computed.values()).backward()
    assert_gradients([p.grad for p in model.parameters()], gradients)


@pytest.mark.device
@pytest.mark.parametrize("make", tiny.HEADS)
def test_head(make):
    model = filled(make(models, ops, nn))
    result, gradients = VALUES[make.__name__]
    x = ct.tensor(np.random.default_rng(6).random((2, tiny.HEADS[make], 6, 5)).astype(number()), requires_grad=True)
    y = model(x)
    assert projected(y) == pytest.approx(result, rel=tolerance(), abs=1e-4)
    (y * ct.tensor(tiny.direction(y.shape).astype(number()))).sum().backward()
    assert_gradients([x.grad, *(p.grad for p in model.parameters())], gradients)
