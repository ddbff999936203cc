"""Whole training steps, compiled: losses and parameters as in eager mode, step by step."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn, optim
from cltensor.compiler import CompiledModule, compile

from .programs import STEPS, numbers

pytestmark = [pytest.mark.device, pytest.mark.any_style]
F = nn.functional


def run(wrap, make, dtype=None, steps=50, spoil=()):
    """What a Program does in some steps: (losses, state, optimiser state, what is None or a count, the wrapped step).

    spoil: the steps whose inputs are too large for float16.
    """
    ct.manual_seed(1)
    program = make(dtype)
    step, losses, scales = wrap(program.step), [], []
    for i in range(steps):
        args = program.batch(i)
        if i in spoil:
            args = [x * 1e6 if isinstance(x, ct.Tensor) and x.is_floating_point() else x for x in args]
        losses.append(step(*args))
        if program.scaler is not None:
            scales.append((program.scaler.get_scale(), program.scaler._get_growth_tracker()))
    tensors = [t.numpy() for t in program.net.state_dict().values()]
    counts = [p.grad is None for p in program.net.parameters()], ct.get_rng_state().tolist(), scales
    for opt in program.optimizers:
        for kept in opt.state_dict()["state"].values():
            tensors += [v.float().numpy() for v in kept.values() if isinstance(v, ct.Tensor)]
    return [numbers(loss) for loss in losses], tensors, counts, step


@pytest.mark.parametrize(("dtype", "name"), [(d, n) for d in (None, ct.bfloat16) for n in STEPS]
                         + [(ct.float16, n) for n in ("mlp", "cnn", "accumulating_over_calls")])
def test_a_compiled_step_is_the_eager_one(name, dtype):
    spoil = (0, 4, 5, 23) if dtype is ct.float16 else ()
    losses, state, counts, _ = run(lambda f: f, STEPS[name], dtype, spoil=spoil)
    found, made, others, step = run(compile, STEPS[name], dtype, spoil=spoil)
    loose = 1 if dtype is None else 100
    np.testing.assert_allclose(found, losses, rtol=loose * 2e-5)
    for a, b in zip(made, state, strict=True):
        np.testing.assert_allclose(a, b, rtol=loose * 2e-4, atol=loose * 1e-5)
    assert others == counts
    assert step.programs
    assert not step.eager
    assert step.captures <= 5


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_a_compiled_module_trains_as_the_eager_one(name):
    runs = []
    for wrap in (lambda f: f, compile):
        ct.manual_seed(1)
        program = STEPS[name]()
        net, batch = program.net, program.batch
        call, opt, losses = wrap(net), optim.SGD(net.parameters(), lr=0.1), []
        for i in range(5):
            x, y = batch(i)
            x = x.requires_grad_()
            opt.zero_grad()
            out = call(x * 2)
            loss = F.cross_entropy(out, y) if y.dtype is ct.int64 else F.mse_loss(out, y)
            loss.backward()
            opt.step()
            losses += [loss.item(), x.grad.abs().sum().item()]
        net.eval()
        losses += [call(batch(9)[0]).sum().item() for _ in range(3)]
        runs.append((losses, [t.numpy() for t in net.state_dict().values()]))
    np.testing.assert_allclose(runs[1][0], runs[0][0], rtol=2e-5)
    for a, b in zip(runs[1][1], runs[0][1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert isinstance(call, CompiledModule)
    assert call._program.captures == 2
