"""examples/forecasting.py: a short run, the series against another way to solve its equation, and the linear forecast."""

import numpy as np
import pytest


@pytest.fixture
def forecasting(example):
    """The example as a module."""
    return example("forecasting")


@pytest.mark.device
@pytest.mark.parametrize("more", [[], ["--compile"]])
def test_short_run(forecasting, tmp_path, capsys, more):
    error = forecasting.main(["--epochs", "15", "--days", "2500", "--output", str(tmp_path), *more])
    assert error < 2  # times that of the linear forecast; persistence has 3
    assert [line[:11] for line in capsys.readouterr().out.splitlines()[-3:]] == ["persistence", "linear auto", "GRU        "]
    assert (tmp_path / "forecasting.png").read_bytes().startswith(b"\x89PNG")


def test_series_solves_its_equation(forecasting):
    x = forecasting.mackey_glass(100, substeps=100)
    fine = np.full(1, 1.2)
    for _ in range(17):  # before the first delay has passed the equation is linear: dx/dt = c - 0.1 x
        c = 0.2 * 1.2 / (1 + 1.2**10)
        fine = np.append(fine, 10 * c + (fine[-1] - 10 * c) * np.exp(-0.1))
    np.testing.assert_allclose(x[:18], fine, rtol=1e-9)
    np.testing.assert_allclose(x, forecasting.mackey_glass(100), atol=1e-4)


def test_linear_forecast_of_a_sine_is_exact(forecasting):
    past, future = forecasting.windows(np.sin(np.arange(300) / 5))
    assert (past.shape[1], future.shape[1]) == (forecasting.PAST, forecasting.FUTURE)
    assert forecasting.errors(forecasting.autoregression(past, future)(past), future).max() < 1e-9
