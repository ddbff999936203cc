"""examples/maml.py: one short run, and adaptation against the gradient's definition."""

import numpy as np
import pytest

import cltensor as ct


@pytest.fixture
def maml(example):
    """The example as a module."""
    return example("maml")


@pytest.mark.device
def test_short_run(maml, tmp_path, capsys):
    found = maml.main(["--epochs", "60", "--output", str(tmp_path)])
    assert found < 0.95  # of the error of the network that learned all tasks together
    assert "after one step" in capsys.readouterr().out
    assert (tmp_path / "maml.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.device
def test_adaptation_is_gradient_descent(maml):
    x, y = (t[0] for t in maml.Waves(0, ct.float64, None).batch(1, 10))
    model = maml.network().double()
    found = maml.adapted(model, dict(model.named_parameters()), x, y, steps=2)
    optimizer = ct.optim.SGD(model.parameters(), maml.INNER_RATE)
    for _ in range(2):
        optimizer.zero_grad()
        ct.nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(found[name].detach().numpy(), parameter.detach().numpy(), rtol=1e-10)
