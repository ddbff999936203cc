"""Names, arguments, defaults and printed forms of the transforms, against what tests/vision/record_transforms.py recorded."""

import inspect
import json
from pathlib import Path

import pytest

import cltensor as ct
from cltensor.vision import transforms as v1
from cltensor.vision import tv_tensors
from cltensor.vision.transforms import _presets, functional, v2

pytestmark = [pytest.mark.any_style]
RECORDED = json.loads(Path(__file__).with_name("transforms.json").read_text())["surface"]
OURS = {"transforms": v1, "transforms.v2": v2, "transforms.functional": functional, "transforms.v2.functional": v2.functional,
        "tv_tensors": tv_tensors}
EVERY = [(module, name) for module, names in RECORDED.items() for name in names]


def default(value):
    if value is inspect.Parameter.empty:
        return "required"
    name = getattr(value, "name", None)
    return f"torch.{name}" if isinstance(value, ct.dtype) else name if isinstance(value, v1.InterpolationMode) else (
        name if isinstance(value, (v1.AutoAugmentPolicy, tv_tensors.BoundingBoxFormat)) else value)


@pytest.mark.parametrize("module", OURS)
def test_arguments_are_torchvisions(module):
    found = {}
    for name in RECORDED[module]:
        parameters = inspect.signature(getattr(OURS[module], name)).parameters.values()
        found[name] = [[p.name, default(p.default)] for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    assert json.loads(json.dumps(found)) == RECORDED[module]


def test_every_public_name_has_a_complete_docstring():
    for module, name in EVERY:
        thing = getattr(OURS[module], name)
        if module != "transforms.v2.functional" or not name.endswith(("_image", "_mask", "_video", "_boxes", "_keypoints")):
            assert "Source: " in inspect.getdoc(thing) or "(Keys 1981)" in inspect.getdoc(thing), f"{module}.{name}"


REPRS = {
    "Resize(10)": ("Resize(size=10, interpolation=bilinear, max_size=None, antialias=True)",
                   "Resize(size=[10], interpolation=bilinear, antialias=True)"),
    "Pad(3)": ("Pad(padding=3, fill=0, padding_mode=constant)",) * 2,
    "RandomCrop(4)": ("RandomCrop(size=(4, 4), padding=None)",
                      "RandomCrop(size=(4, 4), pad_if_needed=False, fill=0, padding_mode=constant)"),
    "ColorJitter(.1, .2, .3, .1)": (
        "ColorJitter(brightness=(0.9, 1.1), contrast=(0.8, 1.2), saturation=(0.7, 1.3), hue=(-0.1, 0.1))",) * 2,
    "RandomRotation(10)": ("RandomRotation(degrees=[-10.0, 10.0], interpolation=nearest, expand=False, fill=0)",) * 2,
    "RandomSolarize(3)": ("RandomSolarize(threshold=3,p=0.5)", "RandomSolarize(p=0.5, threshold=3)"),
    "AutoAugment()": ("AutoAugment(policy=AutoAugmentPolicy.IMAGENET, fill=None)",
                      "AutoAugment(interpolation=nearest, policy=AutoAugmentPolicy.IMAGENET)"),
    "Compose([len])": ("Compose(\n    <built-in function len>\n)", "Compose(    <built-in function len>)"),
    "GaussianBlur(3)": ("GaussianBlur(kernel_size=(3, 3), sigma=(0.1, 2.0))", "GaussianBlur(kernel_size=(3, 3), sigma=[0.1, 2.0])"),
}


@pytest.mark.parametrize("text", REPRS)
def test_printed_forms(text):
    assert (repr(eval(f"v1.{text}")), repr(eval(f"v2.{text}"))) == REPRS[text]


def test_presets_say_what_they_do():
    preset = _presets.ImageClassification(crop_size=224)
    assert repr(preset).splitlines()[:3] == ["ImageClassification(", "    crop_size=[224]", "    resize_size=[256]"]
    assert "224" in preset.describe()
    assert repr(_presets.ObjectDetection()) == "ObjectDetection()"
    for one in (_presets.ObjectDetection(), _presets.SemanticSegmentation(resize_size=None), _presets.OpticalFlow(),
                _presets.VideoClassification(crop_size=(3, 4), resize_size=(5, 6))):
        assert one.describe().endswith(".")
