"""Ops of detection against what torchvision gave for the same calls (record_ops.py)."""

from pathlib import Path

import numpy as np
import pytest

import cltensor as ct
from cltensor.vision import ops
from vision.detection import op_cases

pytestmark = pytest.mark.device
CASES = op_cases.cases()
RECORDED = np.load(Path(__file__).with_name("ops.npz"))


@pytest.mark.parametrize("case", CASES)
def test_as_recorded(case):
    name, arguments, keywords, places = CASES[case]
    arguments = [ct.tensor(a) if isinstance(a, np.ndarray) else a for a in arguments]
    for i in places:
        arguments[i].requires_grad_()
    result = getattr(ops, name)(*arguments, **keywords)
    if places:
        (result * ct.tensor(op_cases.weights(result.shape))).sum().backward()
    for i, found in enumerate([result.detach(), *(arguments[i].grad for i in places)]):
        wanted = RECORDED[f"{case} {i}"]
        assert found.numpy().dtype == wanted.dtype
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4, atol=2e-5, err_msg=f"{case} {i}")
