"""examples/gaussian_process.py: one short run, and the posterior against scikit-learn's."""

import numpy as np
import pytest

import cltensor as ct


@pytest.fixture
def gaussian_process(example):
    """The example as a module."""
    return example("gaussian_process")


@pytest.mark.device
def test_short_run(gaussian_process, tmp_path, capsys):
    found = gaussian_process.main(["--epochs", "60", "--dtype", "float64", "--output", str(tmp_path)])
    assert found < 0.5  # the noise alone gives 0.25, the mean of the data 1.5
    assert "true 1.3" in capsys.readouterr().out
    assert (tmp_path / "gaussian_process.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.device
def test_posterior_and_probability(gaussian_process):
    kernels, regressor = (pytest.importorskip(f"sklearn.gaussian_process{name}") for name in (".kernels", ""))
    data, places = gaussian_process.samples(np.random.default_rng(0), 30), np.linspace(-1, 11, 7)
    wave, length, period, decay, trend, slow, noise = gaussian_process.START
    kernel = (wave**2 * kernels.ExpSineSquared(length, period) * kernels.RBF(decay) + trend**2 * kernels.RBF(slow)
              + kernels.WhiteKernel(noise**2))
    other = regressor.GaussianProcessRegressor(kernel, optimizer=None).fit(data[0][:, None], data[1])
    process = gaussian_process.GaussianProcess(*(ct.tensor(values) for values in data))
    with ct.no_grad():
        for ours, theirs in zip(process.posterior(ct.tensor(places)), other.predict(places[:, None], return_std=True), strict=True):
            np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-6)
        assert -30 * process().item() == pytest.approx(other.log_marginal_likelihood_value_, rel=1e-6)


@pytest.mark.device
def test_dtypes_without_cholesky(gaussian_process, tmp_path):
    with pytest.raises(SystemExit, match="float32 or float64"):
        gaussian_process.main(["--dtype", "float16", "--output", str(tmp_path)])
