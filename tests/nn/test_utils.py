"""Clipping gradients, and parameters as one vector."""

import math

import pytest

import cltensor
from cltensor import nn
from cltensor.nn.utils import clip_grad_norm_, clip_grad_value_, parameters_to_vector, vector_to_parameters

pytestmark = pytest.mark.device


@pytest.fixture
def parameters():
    params = [nn.Parameter(cltensor.zeros(2)), nn.Parameter(cltensor.zeros(2, 1)), nn.Parameter(cltensor.zeros(1))]
    params[0].grad, params[1].grad = cltensor.tensor([3.0, 0.0]), cltensor.tensor([[0.0], [-4.0]])
    return params


@pytest.mark.parametrize(("norm_type", "total"), [(2.0, 5), (1, 7), (math.inf, 4), (3, 91 ** (1 / 3))])
def test_norm(parameters, norm_type, total):
    assert clip_grad_norm_(parameters, 1.0, norm_type).item() == pytest.approx(total, rel=1e-6)
    assert parameters[0].grad.tolist() == pytest.approx([3 / total, 0], rel=1e-5)
    assert clip_grad_norm_(parameters, 10.0, norm_type).item() == pytest.approx(1, rel=1e-5)
    assert parameters[1].grad.tolist()[1] == pytest.approx([-4 / total], rel=1e-5)


def test_norm_of_nothing_and_of_nan(parameters):
    assert clip_grad_norm_([parameters[2]], 1.0).item() == 0
    parameters[0].grad[0] = math.nan
    with pytest.raises(RuntimeError, match="non-finite"):
        clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)


def test_value(parameters):
    clip_grad_value_(parameters, 2)
    assert (parameters[0].grad.tolist(), parameters[1].grad.tolist()) == ([2, 0], [[0], [-2]])


def test_vectors(parameters):
    vector_to_parameters(cltensor.arange(5).float(), parameters)
    assert parameters[1].tolist() == [[2], [3]]
    assert parameters_to_vector(parameters).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(RuntimeError, match="5 elements"):
        vector_to_parameters(cltensor.ones(4), parameters)
