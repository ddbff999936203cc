"""Networks written to ONNX and read again: the same numbers for other sizes, and parameters under their names."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import onnx
from cltensor.graph.structure import flatten
from exported_networks import NETWORKS

pytest.importorskip("onnx")
pytestmark = [pytest.mark.device, pytest.mark.any_style]
OTHER = {"batch": 4, "steps": 9, "height": 24, "width": 40}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_comes_back(name, tmp_path):
    made, example, axes = NETWORKS[name]
    ct.manual_seed(0)
    model, x = made().eval(), example()
    onnx.export(model, x, tmp_path / "model.onnx", input_names=["x"], dynamic_axes={"x": axes}, check=False)
    again = onnx.load(tmp_path / "model.onnx")
    for dimension, size in axes.items():
        x = x.index_select(dimension, ct.arange(OTHER[size]) % x.shape[dimension])
    with ct.no_grad():
        found, wanted = (flatten(m(x))[0] for m in (again, model))
    wanted = [t for t in wanted if isinstance(t, ct.Tensor)]
    for f, w in zip(found, wanted, strict=True):
        np.testing.assert_allclose(f.numpy(), w.numpy(), rtol=1e-3, atol=1e-4)
    names = {n for n, _ in model.named_parameters()}
    assert names <= set(again.state_dict())
