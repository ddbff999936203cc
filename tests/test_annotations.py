"""Annotations of the modules written by hand: they resolve at run time, and layers, optimisers and losses have them."""

import inspect
import typing

import pytest

from public_names import functions

MODULES = ("amp", "nn", "nn.functional", "nn.init", "nn.utils", "optim", "optim.lr_scheduler", "optim.swa_utils", "utils.data",
           "io", "opencl", "autograd", "func", "distributions", "distributions.transforms", "distributions.utils", "random",
           "testing", "autograd.graph", "autograd.forward_ad", "compiler", "graph", "overrides", "utils.benchmark",
           "utils.dlpack", "utils", "utils.plot", "utils.tensorboard", "train", "hub", "vision.datasets", "vision.datasets.utils",
           "vision.io", "vision.utils", "profiler", "autograd.profiler", "vision.transforms", "vision.transforms.functional",
           "vision.transforms.v2", "vision.transforms.v2.functional", "vision.tv_tensors", "vision.ops", "vision.models",
           "vision.models.detection", "vision.models.segmentation", "onnx")


@pytest.mark.parametrize("name", MODULES)
def test_annotations_resolve(name):
    found = functions(name)
    assert found
    for fn in found.values():
        typing.get_type_hints(fn)


@pytest.mark.parametrize("name", ["nn", "optim", "optim.lr_scheduler", "distributions"])
def test_arguments_of_constructors_have_types(name):
    made = {full: fn for full, fn in functions(name).items() if full.endswith(".__init__")}
    assert len(made) > 10
    bare = {full for full, fn in made.items()
            if not any(p.annotation is not p.empty for p in inspect.signature(fn).parameters.values())}
    assert not {full for full in bare if any(n not in ("self", "args", "kwargs") for n in inspect.signature(made[full]).parameters)}


def test_types_of_a_layer_and_an_optimiser():
    from cltensor import Tensor, dtype, nn, optim

    hints = typing.get_type_hints(nn.Linear.__init__)
    assert hints["in_features"] is int
    assert hints["bias"] is bool
    assert hints["dtype"] == dtype | None
    assert typing.get_type_hints(nn.functional.linear)["bias"] == Tensor | None
    assert typing.get_type_hints(optim.Adam.__init__)["betas"] == tuple[float | Tensor, float | Tensor]
    assert typing.get_type_hints(optim.NAdam.__init__)["betas"] == tuple[float, float]
