"""Random programs do what PyTorch does: a short, fixed selection of the programs of ci/fuzz."""

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

import torch

import cltensor
from fuzzing import comparison, generator
from fuzzing.oracle import Oracle
from fuzzing.worker import shrunk

pytestmark = [pytest.mark.device, pytest.mark.parity]

SEED = "suite"
STEP = 10


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("first", range(0, 2 * generator.BLOCK, STEP))
def test_programs_do_what_pytorch_does(first):
    for number in range(first, first + STEP):
        program = generator.program(SEED, number, Oracle())
        found, _ = comparison.compare(program, cltensor)
        if found:
            small = shrunk(program, found)
            pytest.fail(f"program {SEED}:{number}, {small['kind']}\n{small['snippet']}\n{small['message']}", pytrace=False)
