"""Random programs, as ci/fuzz writes them, captured and replayed: the values, errors and gradients of eager mode."""

import linecache
import warnings

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed; it writes the programs")

import cltensor as ct
from cltensor.graph.compiled import Compiled
from fuzzing import generator
from fuzzing.oracle import Oracle

pytestmark = [pytest.mark.device, pytest.mark.parity, pytest.mark.any_style]
SEED = 7
LOOSE = {2: 1e-2, 4: 1e-4, 8: 1e-6}  # by the bytes of a float: a fused chain is rounded once


def function(program):
    """A function of a program's statements that returns all its tensors and the gradients of its leaves."""
    names = sorted({name for s in program.statements for name in s.defines})
    lines = [*(s.text for s in program.statements), f"made = [v for v in ({', '.join(names)},) if isinstance(v, ct.Tensor)]",
             "return made, [v.grad for v in made if v.is_leaf]"]
    text, name, space = "\n    ".join(["def f():", *lines]) + "\n", f"<program {program.seed}>", {"ct": ct}
    linecache.cache[name] = len(text), None, text.splitlines(True), name  # what reads values is split by its source
    exec(compile(text, name, "exec"), space)
    return space["f"]


def outcome(f):
    """(arrays, None), or (None, the class of the error); what the device notices late is raised here."""
    try:
        made, grads = f()
        ct.zeros(1).item()
        return [None if t is None else plain(t) for t in (*made, *grads)], None
    except Exception as error:
        return None, type(error)


def plain(t):
    t = t.detach()
    return (t.float() if t.dtype is ct.bfloat16 else t).numpy(), t.itemsize


def agree(found, wanted):
    if found is None or wanted is None:
        return found is wanted
    (a, size), (b, _) = found, wanted
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind not in "fc":
        return np.array_equal(a, b)
    with np.errstate(all="ignore"):
        return np.allclose(a.astype("c16"), b.astype("c16"), rtol=LOOSE.get(size, 1e-6), atol=LOOSE.get(size, 1e-6), equal_nan=True)


@pytest.mark.parametrize("block", range(10))
def test_captured_programs_do_what_eager_ones_do(block):
    captured = split = 0
    for number in range(20 * block, 20 * block + 20):
        program = generator.program(SEED, number, Oracle())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some programs do what warns
            f = function(program)
            wanted, error = outcome(f)
            compiled = Compiled(f)
            for _ in range(5):
                found, raised = outcome(compiled)
                assert raised is error, f"{program.seed}\n{program.text}"
                if error is None:
                    assert len(found) == len(wanted)
                    assert all(map(agree, found, wanted)), f"{program.seed}\n{program.text}"
        captured += bool(compiled.programs)
        split += bool(compiled.split)
    assert captured >= 4
    assert split >= 1
