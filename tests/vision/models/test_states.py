"""Checkpoints: files that PyTorch wrote, names and layouts of older versions, positions for other sizes."""

from pathlib import Path

import numpy as np
import pytest

import cltensor as ct
from cltensor.vision import models
from cltensor.vision.models.vision_transformer import MLPBlock, interpolate_embeddings

pytestmark = [pytest.mark.device, pytest.mark.any_style]
WRITTEN = Path(__file__).with_name("convnext.pth")


def convnext(**arguments):
    setting = [models.convnext.CNBlockConfig(2, 4, 1), models.convnext.CNBlockConfig(4, None, 1)]
    return models.ConvNeXt(setting, **arguments)


def test_a_file_that_pytorch_wrote():
    model = convnext(num_classes=3)
    state = ct.load(WRITTEN)
    assert str(model.load_state_dict(state)) == "<All keys matched successfully>"
    assert all(ct.equal(value, state[name]) for name, value in model.state_dict().items())
    assert model(ct.ones(1, 3, 8, 8)).shape == (1, 3)
    with pytest.raises(RuntimeError, match=r"size mismatch for classifier\.2\.weight"):
        convnext(num_classes=4).load_state_dict(state)


def mnasnet_of_version_1():
    """A state_dict of MNASNet 0.5 as version 1 had it: the first two widths are those of alpha 1."""
    ct.manual_seed(0)
    model = models.mnasnet0_5(num_classes=3)
    model._take_first_stem()
    return model.eval()


def test_mnasnet_takes_the_first_layers_of_version_1():
    with pytest.warns(UserWarning, match="version 1"):
        old = mnasnet_of_version_1()
    state = old.state_dict()
    assert state["layers.0.weight"].shape == (32, 3, 3, 3)
    assert state._metadata[""]["version"] == 1
    model = models.mnasnet0_5(num_classes=3).eval()
    with pytest.warns(UserWarning, match="its own state_dict is of version 1 now"):
        model.load_state_dict(state)
    x = ct.ones(1, 3, 32, 32)
    np.testing.assert_array_equal(model(x).detach().numpy(), old(x).detach().numpy())
    assert model.state_dict()._metadata[""]["version"] == 1


def test_mnasnet_without_a_version_goes_by_its_shapes():
    state = dict(models.mnasnet0_5(num_classes=3).state_dict())
    models.mnasnet0_5(num_classes=3).load_state_dict(state)


def test_mlp_blocks_of_version_1():
    block = MLPBlock(3, 4, 0.0)
    state = {name.replace("0.", "linear_1.").replace("3.", "linear_2."): value for name, value in block.state_dict().items()}
    assert set(state) == {"linear_1.weight", "linear_1.bias", "linear_2.weight", "linear_2.bias"}
    other = MLPBlock(3, 4, 0.0)
    other.load_state_dict(state)
    assert all(ct.equal(value, block.state_dict()[name]) for name, value in other.state_dict().items())


def test_positions_for_images_of_another_size():
    ct.manual_seed(0)
    state = models.VisionTransformer(32, 8, 1, 2, 4, 8, num_classes=3).state_dict()
    before = state["encoder.pos_embedding"]
    assert interpolate_embeddings(32, 8, state)["encoder.pos_embedding"] is before
    found = interpolate_embeddings(56, 8, state)
    assert found is state
    grown = found["encoder.pos_embedding"]
    assert grown.shape == (1, 50, 4)
    assert ct.equal(grown[:, 0], before[:, 0])
    corners = grown[0, 1:].reshape(7, 7, 4)[::6, ::6].numpy()  # the corners of the grid stay, as their centres meet
    np.testing.assert_allclose(corners, before[0, 1:].reshape(4, 4, 4)[::3, ::3].numpy(), atol=1e-6)
    models.VisionTransformer(56, 8, 1, 2, 4, 8, num_classes=3).load_state_dict(found)
    assert not any(name.startswith("heads") for name in interpolate_embeddings(32, 8, found, reset_heads=True))
    for shape in ((2, 17, 4), (1, 18, 4)):
        with pytest.raises(ValueError, match="the class token and one for each patch"):
            interpolate_embeddings(64, 8, {"encoder.pos_embedding": ct.zeros(shape)})
