"""Write what tests compare models with, from torchvision: run it where that is installed.

    python tests/vision/models/record.py          writes models.json, tiny.json and convnext.pth beside itself
    python tests/vision/models/record.py tiny     all but models.json, which takes minutes

models.json: for each model a hash of the names, shapes and dtypes of its state_dict in order, and the number of its parameters.
tiny.json: results and gradients of the models and parts in tiny.py, in float64, as sums over fixed directions.
convnext.pth: the state_dict of a small model, written by PyTorch.
"""

import hashlib
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import tiny
import torch
import torchvision.models as models

HERE = Path(__file__).parent


def layout(state):
    """A hash of names, shapes and dtypes in order."""
    lines = [f"{name} {tuple(value.shape)} {str(value.dtype).rpartition('.')[2]}" for name, value in state.items()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def of_all():
    """{name: [parameters, hash]} of all classification models."""
    found = {}
    for name in models.list_models(module=models):
        model = models.get_model(name)
        found[name] = [sum(p.numel() for p in model.parameters()), layout(model.state_dict())]
    return found


def filled(model):
    """The model in float64 with the values of tiny.py."""
    state = model.double().state_dict()
    for i, (name, value) in enumerate(state.items()):
        if tiny.is_drawn(name):
            value.copy_(torch.from_numpy(np.asarray(tiny.values(name, tuple(value.shape), i))))
    return model


def projected(arrays):
    return [float((a * d).sum()) for a, d in zip(arrays, tiny.directions([a.shape for a in arrays]), strict=True)]


def of_one(mode, taken, make):
    """[the result's sum over its direction, [[sum, norm] of the gradients of the input and the parameters]]."""
    model = filled(make(models, torch.nn)).train(mode == "train")
    x = torch.from_numpy(tiny.images(*taken)).requires_grad_()
    out = model(x)
    (out * torch.from_numpy(tiny.directions([out.shape])[0])).sum().backward()
    gradients = [x.grad.numpy(), *(p.grad.numpy() for p in model.parameters())]
    pairs = zip(projected(gradients), map(np.linalg.norm, gradients), strict=True)
    return [projected([out.detach().numpy()])[0], [[float(f"{g:.6g}"), float(f"{n:.2g}")] for g, n in pairs]]


def main():
    """See above."""
    warnings.simplefilter("ignore")
    if "tiny" not in sys.argv:
        (HERE / "models.json").write_text(json.dumps(of_all(), indent=1) + "\n", encoding="utf-8")
    cases = {f"{name} {mode}": of_one(mode, *tiny.CASES[name]) for name, mode in tiny.MODES}
    (HERE / "tiny.json").write_text(json.dumps(cases) + "\n", encoding="utf-8")
    setting = [models.convnext.CNBlockConfig(2, 4, 1), models.convnext.CNBlockConfig(4, None, 1)]
    torch.manual_seed(0)
    torch.save(models.ConvNeXt(setting, num_classes=3).state_dict(), HERE / "convnext.pth")


if __name__ == "__main__":
    main()
