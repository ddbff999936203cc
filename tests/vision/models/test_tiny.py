"""Results and gradients of small members of each family on given values, against torchvision's, as record.py wrote them."""

import json
from pathlib import Path

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.vision import models
from vision.models import tiny

pytestmark = pytest.mark.device
EXPECTED = json.loads(Path(__file__).with_name("tiny.json").read_text(encoding="utf-8"))


def made(make):
    """The model or part on the device, with the values of tiny.py; made on the meta device, as some are large around the part."""
    with ct.device("meta"):
        model = make(models, nn)
    model.to_empty(device=ct.get_default_device())
    fresh = {name: value for name, value in model.state_dict().items() if not tiny.is_drawn(name)}
    if fresh:
        kept = make(models, nn).state_dict()
        fresh = {name: kept[name] for name in fresh}
    drawn = {name: ct.tensor(np.asarray(tiny.values(name, tuple(value.shape), i)), dtype=ct.float32)
             for i, (name, value) in enumerate(model.state_dict().items()) if tiny.is_drawn(name)}
    model.load_state_dict(drawn | fresh)
    return model


@pytest.mark.parametrize(("name", "mode"), tiny.MODES)
def test_results_and_gradients(name, mode):
    taken, make = tiny.CASES[name]
    total, sums = EXPECTED[f"{name} {mode}"]
    model = made(make).train(mode == "train")
    x = ct.tensor(tiny.images(*taken), dtype=ct.float32, requires_grad=True)
    out = model(x)
    direction = tiny.directions([tuple(out.shape)])[0]
    (out * ct.tensor(direction, dtype=ct.float32)).sum().backward()
    given = out.detach().numpy()
    np.testing.assert_allclose((given * direction).sum(), total, atol=1e-4 * np.linalg.norm(given))
    gradients = [x.grad.numpy(), *(p.grad.numpy() for p in model.parameters())]
    floor = 1e-4 * max(norm for _, norm in sums)  # the gradient of a bias ahead of a norm is 0 but for rounding
    off = [abs((g * d).sum() - expected) / max(norm, floor) for g, d, (expected, norm) in
           zip(gradients, tiny.directions([g.shape for g in gradients]), sums, strict=True)]
    assert max(off) < 2e-3, (max(off), np.argmax(off))
