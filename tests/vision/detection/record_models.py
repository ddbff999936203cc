"""Write models.json and tiny.json: facts of torchvision's detection and segmentation models, in an environment that has it.

    python tests/vision/detection/record_models.py

models.json: for each model a hash of the names and shapes of its state_dict in order, and the number of its parameters.
tiny.json: detections, losses and gradients of the models in tiny.py, arrays as sums over fixed directions.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import tiny
import torch
from torch import nn
from torchvision import models, ops

HERE = Path(__file__).parent


def layout(state):
    """A hash of names and shapes in order."""
    lines = [f"{name} {tuple(value.shape)}" for name, value in state.items()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def of_all():
    """{name: [parameters, hash]}."""
    found = {}
    for room in (models.detection, models.segmentation):
        for name in models.list_models(module=room):
            with torch.device("meta"):
                model = models.get_model(name, weights=None, weights_backbone=None)
            found[name] = [sum(p.numel() for p in model.parameters()), layout(model.state_dict())]
    return found


def filled(model):
    for i, (name, tensor) in enumerate(model.state_dict().items()):
        value = tiny.value(name, tuple(tensor.shape), i)
        if value is not None:
            tensor.copy_(torch.from_numpy(np.asarray(value)))
    return model.double().eval()


def projected(tensor):
    array = tensor.detach().numpy().astype(np.float64)
    return float(f"{(array * tiny.direction(array.shape)).sum():.9g}")


def _target(name, array):
    tensor = torch.from_numpy(array)
    return tensor.double() if name == "boxes" else tensor


def of_detector(make):
    """[detections of each image, losses, gradients of all parameters]."""
    model = filled(make(models, ops, nn))
    images = [torch.from_numpy(image).double() for image in tiny.images()]
    with torch.no_grad():
        found = model(images)
    model.train()
    losses = model(images, [{k: _target(k, v) for k, v in t.items()} for t in tiny.targets()])
    sum(losses.values()).backward()
    return [[{"labels": d["labels"].tolist(), "boxes": np.round(d["boxes"].numpy().astype(float), 4).tolist(),
              **{k: projected(v) for k, v in d.items() if k not in ("labels", "boxes")}} for d in found],
            {k: float(f"{v.item():.9g}") for k, v in losses.items()},
            [[projected(p.grad), float(f"{p.grad.norm().item():.3g}")] for p in model.parameters()]]


def of_head(make, channels):
    """[the result, gradients of the input and all parameters]."""
    model = filled(make(models, ops, nn))
    x = torch.from_numpy(np.random.default_rng(6).random((2, channels, 6, 5))).requires_grad_()
    y = model(x)
    (y * torch.from_numpy(tiny.direction(y.shape))).sum().backward()
    gradients = [x.grad, *(p.grad for p in model.parameters())]
    return [projected(y), [[projected(g), float(f"{g.norm().item():.3g}")] for g in gradients]]


if __name__ == "__main__":
    (HERE / "models.json").write_text(json.dumps(of_all(), indent=1) + "\n", encoding="utf-8")
    found = {make.__name__: of_detector(make) for make in tiny.DETECTORS}
    found |= {make.__name__: of_head(make, channels) for make, channels in tiny.HEADS.items()}
    (HERE / "tiny.json").write_text(json.dumps(found) + "\n", encoding="utf-8")
