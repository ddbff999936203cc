"""Choices and loops by values on the device, exported to ONNX as If and Loop."""

import functools

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn, onnx

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
pytestmark = [pytest.mark.device, pytest.mark.any_style]


@functools.cache
def layer():
    """Weights that the programs read from outside."""
    return nn.Linear(3, 3)


@functools.cache
def buffer():
    """A tensor that they read from outside."""
    return ct.arange(3.0)


@pytest.fixture(autouse=True)
def weights():
    """Make both before a program is traced: it would make them anew."""
    layer(), buffer()


PROGRAMS = {
    "choice": lambda x: ct.cond(x.sum() > 0, lambda x: x * 2, lambda x: x - 1, (x,)),
    "several results": lambda x: ct.cond(x[0, 0] > 0, lambda x: (x.T * 2, x.sum()), lambda x: ((x - 1).T.contiguous(), x[0, 1]),
                                         (x,)),
    "weights": lambda x: ct.cond(x.sum() > 0, lambda x: layer()(x) + buffer(), lambda x: x.relu(), (x,)) + layer().bias,
    "counted": lambda x: ct.while_loop(lambda i, z: i < 3, lambda i, z: (i + 1, z * 2), (ct.tensor(0), x)),
    "until": lambda x: ct.while_loop(lambda z: z.abs().sum() < 50, lambda z: (z * 2 + ct.arange(3),), (x,)),
    "never": lambda x: ct.while_loop(lambda z: z.abs().sum() < 0, lambda z: (z * 2,), (x,)),
    "transposed": lambda x: ct.while_loop(lambda z: z.abs().sum() < 50, lambda z: ((z.mT @ z).softmax(-1) + z * 2,), (x.T,)),
    "choice in a loop": lambda x: ct.while_loop(
        lambda z: z.abs().sum() < 50, lambda z: (ct.cond(z.sum() > 1, lambda z: z * 3, lambda z: z.abs() + 1, (z,)),), (x,)),
    "what only the innermost reads": lambda x: _innermost(x, x * x + 1),
    "loop in a choice": lambda x: ct.cond(
        x.sum() > 0, lambda x: ct.while_loop(lambda z: z.abs().sum() < 50, lambda z: (layer()(z).abs() + z * 2,), (x,))[0],
        lambda x: x * 1, (x,)),
}


def tuple_of(found):
    return tuple(found) if isinstance(found, (tuple, list)) else (found,)


def _innermost(x, other):
    return ct.while_loop(lambda z: z.abs().sum() < 50,
                         lambda z: (ct.cond(z.sum() > 1, lambda z: z * 3, lambda z: z.abs() + other, (z,)),), (x,))


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_both_ways(program):
    """What is exported with one input computes the other's way, too, in onnxruntime and read again."""
    inputs = [ct.tensor([[0.5, 1.0, -0.25]] * 3), ct.tensor([[-0.5, -1.0, 0.25]] * 3)]
    for exported, other in (inputs, inputs[::-1]):
        proto = onnx.export(program, exported)
        session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
        with ct.no_grad():
            wanted, read = (tuple_of(f(other)) for f in (program, onnx.load(proto.SerializeToString())))
        found = session.run(None, {"x": other.numpy()})
        for f, w, r in zip(found, wanted, read, strict=True):
            np.testing.assert_allclose(f, w.numpy(), rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(r.numpy(), w.numpy(), rtol=1e-4, atol=1e-5)


def test_scan_and_map_are_their_steps():
    proto = onnx.export(lambda x: ct.scan(lambda carry, x: (carry + x, carry * x), ct.zeros(3), x), ct.randn(4, 3))
    assert not {"Loop", "If"} & {n.op_type for n in proto.graph.node}
