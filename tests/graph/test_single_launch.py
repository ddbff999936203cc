"""Replays whose launches are combined into one: the same bits as launch by launch."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn, optim
from cltensor.compiler import compile
from cltensor.graph.single_launch import Run, SingleLaunch, dependencies, supported
from graph.test_training_steps import STEPS, numbers

pytestmark = [pytest.mark.device, pytest.mark.any_style]
F = nn.functional


def replays(compiled):
    """The Replays of all programs of a compiled function."""
    captured = [p.captured for p in getattr(compiled, "_program", compiled).programs]
    return [c.replay for c in (*captured, *(c.backward.program for c in captured if c.backward))]


def combine(compiled):
    """Combine the launches of all programs now, in this thread."""
    for replay in replays(compiled):
        if supported(replay.device):
            replay.single.prepare(lambda text, device=replay.device: bool(device.program(text)))


def state(net, opts=()):
    kept = [v for o in opts for p in o.state.values() for v in p.values() if isinstance(v, ct.Tensor)]
    return [t.detach().numpy().copy() for t in (*net.state_dict().values(), *kept)]


@pytest.mark.parametrize("name", STEPS)
def test_a_training_step(name):
    runs = []
    for single in (False, True):
        ct.manual_seed(1)
        net, step, batch = STEPS[name]()
        step, losses = compile(step), []
        for i in range(8):
            losses.append(numbers(step(*batch(i))))
            if single and i == 4:
                combine(step)
        runs.append((losses, state(net)))
    assert runs[0][0] == runs[1][0]
    for a, b in zip(runs[0][1], runs[1][1], strict=True):
        np.testing.assert_array_equal(a, b)
    for replay in replays(step):
        if supported(replay.device) and replay.single.made is not None:
            assert any(isinstance(x, SingleLaunch) for x in replay.single.made)
    assert any(r.single.made for r in replays(step)) == supported(replays(step)[0].device)
