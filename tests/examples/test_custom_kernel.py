"""examples/custom_kernel.py: one short run, and the kernels against NumPy."""

import numpy as np
import pytest

import cltensor as ct


@pytest.fixture
def custom_kernel(example):
    """The example as a module."""
    return example("custom_kernel")


@pytest.mark.device
def test_short_run(custom_kernel, tmp_path, capsys):
    found = custom_kernel.main(["--epochs", "40", "--blobs", "40", "--height", "20", "--output", str(tmp_path)])
    assert found > -2  # dB; at the start it is -8
    assert "agrees with finite differences" in capsys.readouterr().out
    assert (tmp_path / "custom_kernel.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.device
@pytest.mark.parametrize("dtype", [ct.float32, ct.float64])
def test_painting(custom_kernel, dtype):
    blobs = np.random.default_rng(0).standard_normal((4, 8))
    y, x = (np.mgrid[:5, :7] + 0.5) / 5
    expected = np.zeros((5, 7, 3))
    for px, py, a, b, c, *colour in blobs:
        u, v = a * (x - px) + b * (y - py), c * (y - py)
        expected += np.exp(-0.5 * (u * u + v * v))[..., None] * colour
    wider = ct.tensor(np.concatenate((np.zeros((1, 16)), np.repeat(blobs, 2, 1))), dtype=dtype)
    for given in (ct.tensor(blobs, dtype=dtype), wider[1:, ::2]):  # also a view
        np.testing.assert_allclose(custom_kernel.Paint.apply(given, 5, 7).numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.device
def test_compiled_steps_run_eagerly_and_say_why(custom_kernel, tmp_path, capsys):
    custom_kernel.main(["--epochs", "3", "--blobs", "5", "--height", "6", "--compile", "--output", str(tmp_path)])
    assert "--compile has gained nothing" in capsys.readouterr().out


@pytest.mark.device
def test_dtypes_without_a_kernel(custom_kernel, tmp_path):
    with pytest.raises(SystemExit, match="float32 and float64"):
        custom_kernel.main(["--dtype", "bfloat16", "--output", str(tmp_path)])
