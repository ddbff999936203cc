"""Winograd's convolutions against the definition, in float64, and how they are chosen."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.base import dtypes
from cltensor.codegen import cook_toom
from cltensor.dispatch.registry import REGISTRY
from cltensor.ops.conv import reference, winograd
from cltensor.tune import space

ATTRIBUTES = {"stride": (1, 1), "dilation": (1, 1), "groups": 1}


@pytest.fixture(params=[2, 4])
def m(request, device, monkeypatch):
    monkeypatch.setattr(winograd, "chosen", lambda *a: request.param)
    ops = [REGISTRY[n] for n in ("convolution", "convolution_input_gradient")]
    for op in ops:
        op.plans.clear()
    yield request.param
    for op in ops:
        op.plans.clear()


@pytest.mark.oclgrind
@pytest.mark.parametrize(("shape", "lanes", "padding", "bias"), [
    ((2, 3, 7, 9), 17, ((1, 1), (1, 1)), True), ((1, 2, 4, 6), 3, ((0, 0), (2, 1)), False),
    ((1, 1, 3, 3), 1, ((3, 3), (0, 0)), True)])
def test_forward_and_input_gradient(m, shape, lanes, padding, bias, rng):
    x, w, b = rng.uniform(-1, 1, shape), rng.uniform(-1, 1, (lanes, shape[1], 3, 3)), rng.uniform(-1, 1, lanes)
    x, w, b = (v.astype(np.float32).astype(float) for v in (x, w, b))
    attributes = {**ATTRIBUTES, "padding": padding}
    tx, tw, tb = (ct.tensor(v, dtype=dtypes.float32) for v in (x, w, b))
    y = REGISTRY["convolution"](tx, tw, tb if bias else None, **attributes)
    wanted = reference.forward(x, w, b if bias else None, **attributes)
    assert np.allclose(y.numpy(), wanted, atol=2e-5)
    g = rng.uniform(-1, 1, wanted.shape).astype(np.float32)
    gx = REGISTRY["convolution_input_gradient"](ct.tensor(g), tw, size=shape[2:], **attributes)
    assert np.allclose(gx.numpy(), reference.input_gradient(g.astype(float), w, size=shape[2:], **attributes), atol=2e-5)


def test_images_in_parts_and_other_layouts(m, rng, monkeypatch):
    monkeypatch.setattr(winograd, "WORKSPACE", 1)
    x, w = rng.uniform(-1, 1, (3, 9, 8, 2)).astype(np.float32), rng.uniform(-1, 1, (3, 3, 2, 5)).astype(np.float32)
    tx, tw = ct.tensor(x).permute(0, 3, 1, 2), ct.tensor(w).permute(3, 2, 0, 1)
    y = REGISTRY["convolution"](tx, tw, None, padding=((1, 1), (1, 1)), **ATTRIBUTES)
    wanted = reference.forward(x.transpose(0, 3, 1, 2).astype(float), w.transpose(3, 2, 0, 1).astype(float), None,
                               padding=((1, 1), (1, 1)), **ATTRIBUTES)
    assert np.allclose(y.numpy(), wanted, atol=2e-5)


@pytest.mark.parametrize("m", [2, 4])
def test_matrices_are_exact(m):
    a, g, b = (np.array(x) for x in cook_toom.matrices(m))
    d, w = np.arange(m + 2.0) ** 2 - 3, np.array([2.0, -1, 5])
    assert np.allclose(a @ ((g @ w) * (b @ d)), np.convolve(d, w[::-1], "valid"), rtol=1e-14)


@pytest.mark.parametrize(("channels", "size", "stride", "tried", "wanted"), [
    (96, 16, 1, None, "cpu"), (96, 8, 1, None, "cpu"), (96, 4, 1, None, False), (96, 16, 2, None, False),
    (16, 16, 1, None, False), (512, 4, 1, None, False), (16, 16, 1, 2, True)])
def test_choice(device, channels, size, stride, tried, wanted):
    x, w = ct.empty(2, channels, size, size), ct.empty(channels, channels, 3, 3)
    op, attributes = REGISTRY["convolution"], (((stride,) * 2), ((1, 1),) * 2, (1, 1), 1)
    if wanted == "cpu":
        wanted = x.device.profile.style == "cpu"
    with space.asking() as asked:
        op.plan([x._spec, w._spec, None], attributes)
    if tried is not None:
        key = next(q.key for q in asked if q.space is winograd.ALGORITHMS)
        with space.trying(key, {"M": tried}):
            plan = op.plan([x._spec, w._spec, None], attributes)
    else:
        plan = op.plan([x._spec, w._spec, None], attributes)
    assert ("winograd" in {s.name for s in plan.steps}) == wanted
