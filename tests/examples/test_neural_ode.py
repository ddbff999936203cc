"""examples/neural_ode.py: short runs by both ways of gradients, and the integrator."""

import numpy as np
import pytest

import cltensor as ct


@pytest.fixture
def neural_ode(example):
    """The example as a module."""
    return example("neural_ode")


@pytest.mark.device
def test_short_run(neural_ode, tmp_path, capsys):
    found = neural_ode.main(["--epochs", "60", "--output", str(tmp_path)])
    assert found < 0.9  # a network that has learned nothing gives 1.2
    assert "differ by" in capsys.readouterr().out
    assert (tmp_path / "neural_ode.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.device
def test_gradients_of_both_ways(neural_ode):
    model = neural_ode.Slope(8).double()
    start = ct.randn(5, 2, dtype=ct.float64, requires_grad=True)
    weights = ct.randn(3, 5, 2, dtype=ct.float64)
    leaves = [start, *model.parameters()]
    through = ct.autograd.grad((ct.stack(neural_ode.path(model, start, 3)) * weights).sum(), leaves)
    adjoint = ct.autograd.grad((neural_ode.Adjoint.apply(model, 3, start, *model.parameters()) * weights).sum(), leaves)
    for a, b in zip(through, adjoint, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-7)


def test_order_of_the_integrator(neural_ode):
    errors = [abs(neural_ode.runge_kutta(lambda x: x, 1.0, step) - np.exp(step)) for step in (0.2, 0.1)]
    assert errors[0] / errors[1] == pytest.approx(2**5, rel=0.1)
