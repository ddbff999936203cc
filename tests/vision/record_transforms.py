"""Write transforms.json: names, arguments and defaults of torchvision's transforms, functionals and tv_tensors, and small results.

    python tests/vision/record_transforms.py        in an environment that has torchvision
"""

import enum
import inspect
import json
from pathlib import Path

import numpy as np
import torch
import torchvision.transforms as v1
import torchvision.transforms.functional as functional
import torchvision.transforms.v2 as v2
import torchvision.transforms.v2.functional as v2_functional
from torchvision import tv_tensors

MODULES = {"transforms": v1, "transforms.v2": v2, "transforms.functional": functional, "transforms.v2.functional": v2_functional,
           "tv_tensors": tv_tensors}
SKIPPED = {"Any", "Enum", "Optional", "Union", "Tensor", "PILImage", "InterpolationMode", "AutoAugmentPolicy", "BoundingBoxFormat"}


def default(value):
    """A default in a form that JSON has."""
    if value is inspect.Parameter.empty:
        return "required"
    return value.name if isinstance(value, enum.Enum) else str(value) if isinstance(value, torch.dtype) else value


def arguments(thing):
    """[[name, default]] of a function, or of a class's constructor."""
    parameters = inspect.signature(thing).parameters.values()
    return [[p.name, default(p.default)] for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def surface(module):
    """{public name: arguments} of what a module offers."""
    found = {}
    for name in dir(module):
        thing = getattr(module, name)
        own = getattr(thing, "__module__", "").startswith("torchvision")
        if not name.startswith("_") and callable(thing) and own and name not in SKIPPED and name != "TVTensor":
            found[name] = arguments(thing)
    return found


def results():
    """{name: list} of functionals on one small picture of bytes."""
    x = torch.from_numpy(((np.arange(3 * 6 * 7) * 37) % 256).astype(np.uint8).reshape(3, 6, 7))
    f = v2_functional
    calls = {
        "resize": f.resize(x, [4, 5]), "resize_up": f.resize(x, [8, 9], interpolation=v2.InterpolationMode.BICUBIC),
        "rotate": f.rotate(x, 30, expand=True), "affine": f.affine(x, 20, [1, 0], 1.2, [5, 0]),
        "perspective": f.perspective(x, [[0, 0], [6, 0], [6, 5], [0, 5]], [[1, 0], [6, 1], [5, 5], [0, 4]]),
        "pad": f.pad(x, [1, 2], padding_mode="reflect"), "equalize": f.equalize(x), "autocontrast": f.autocontrast(x),
        "hue": f.adjust_hue(x, 0.3), "contrast": f.adjust_contrast(x, 1.5), "sharpness": f.adjust_sharpness(x, 2.0),
        "posterize": f.posterize(x, 3), "solarize": f.solarize(x, 100), "gamma": f.adjust_gamma(x, 0.7),
        "gray": f.rgb_to_grayscale(x), "blur": f.gaussian_blur(x, [3, 5], [1.0, 1.5]),
    }
    boxes = tv_tensors.BoundingBoxes([[1.0, 1.0, 4.0, 5.0], [0.0, 2.0, 6.0, 6.0]], format="XYXY", canvas_size=(6, 7))
    turned = torch.tensor([[3.0, 3.0, 4.0, 2.0, 30.0], [6.0, 3.0, 4.0, 3.0, 60.0]])
    kind = tv_tensors.BoundingBoxFormat
    calls |= {
        "boxes_rotate": f.rotate(boxes, 30, expand=True), "boxes_affine": f.affine(boxes, 20, [1, 0], 1.2, [5, 0]),
        "boxes_crop": f.crop(boxes, 1, 2, 4, 4), "boxes_center": f.convert_bounding_box_format(boxes, new_format="CXCYWH"),
        "turned_corners": f.convert_bounding_box_format(turned, kind.CXCYWHR, kind.XYXYXYXY),
        "turned_soft": f.clamp_bounding_boxes(turned, format=kind.CXCYWHR, canvas_size=(6, 7), clamping_mode="soft"),
        "turned_hard": f.clamp_bounding_boxes(turned, format=kind.CXCYWHR, canvas_size=(6, 7), clamping_mode="hard"),
        "points_perspective": f.perspective(tv_tensors.KeyPoints([[1.0, 2.0], [5.0, 4.0]], canvas_size=(6, 7)),
                                            [[0, 0], [6, 0], [6, 5], [0, 5]], [[1, 0], [6, 1], [5, 5], [0, 4]]),
    }
    return {name: torch.as_tensor(value).tolist() for name, value in calls.items()}


def main():
    """Write the file."""
    facts = {"surface": {name: surface(module) for name, module in MODULES.items()}, "results": results()}
    path = Path(__file__).with_name("transforms.json")
    path.write_text(json.dumps(facts, separators=(",", ":"), default=list) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
