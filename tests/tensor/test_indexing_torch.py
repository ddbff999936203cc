"""x[...] read, written, added to and differentiated, for every sort of index, as PyTorch does it."""

import warnings

import numpy as np
import pytest

import cltensor

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.device

#: expressions over m (the library), np; each is tried on every shape that reads, writes and gradients are tried on
ONE = """0; -1; 3; -4; None; ...; :; 1:; :-1; ::2; 1:1; 5:; -10:10; 2:1; m.tensor(1); m.tensor(-1, dtype=m.int8); True; False
m.tensor(True); m.tensor(False); m.tensor([True, False, True]); m.tensor([], dtype=m.bool); m.tensor([1, 0, 1], dtype=m.uint8)
m.tensor(1, dtype=m.uint8); m.tensor([0, 2]); m.tensor([0, -1, 0]); m.tensor([], dtype=m.int64); m.tensor([[0, 1], [2, 0]])
m.tensor([0, 2], dtype=m.int32); m.tensor([0, 2], dtype=m.int8); m.tensor([0.0]); m.tensor([0, 1]).expand(2, 2); m.tensor([[1]])
[0, 2]; []; [True, False, True]; [[0, 1], [1, 0]]; [[0, 1]]; [[[0, 1], [1, 0]]]; [[True, False, True]]; [[]]; [0, 1.5]; [None]
[slice(0, 1), 0]; [...]; [m.tensor(0), m.tensor(1)]; [0, m.tensor(1)]; [(0, 1), (1, 0)]; [np.array([0, 1])]; [True, 0]
[m.tensor([True, False, True])]; [[0, 1], slice(None)]; [0, ...]; [1, 2, 0] * 20; [[0], [1]]; ([0, 1],); (range(2),); range(2)
range(0); np.array([0, 2]); np.array([True, False, True]); np.array(1); np.int64(1); np.array([0, 1], dtype=np.int32)
np.array([[0, 1], [1, 0]]); np.array([0.0, 1.0]); (); m.tensor(1):; :m.tensor(2); np.int64(1):; 1.0:; ::0; ::-1; 1.5; {}
m.zeros(2, 0, dtype=m.int64); m.zeros(0, 4, dtype=m.bool)"""
SEVERAL = """..., ...; None, ...
0, ...; ..., 0; 0, 0; 0, 0, 0; 0, 0, 0, 0; :, 0; :, None, 0; None, None; 1:, ::2; :, [0, 2]; [0, 2], :
m.tensor([0, 1]), m.tensor([1, 0]); m.tensor([0, 1]), None, m.tensor([1, 0]); m.tensor([0, 1]), :, m.tensor([1, 0])
m.tensor([[0], [1]]), m.tensor([0, 1, 2]); m.tensor([0, 1]), m.tensor([0, 1, 2]); 0, m.tensor([0, 1]); m.tensor([0, 1]), 0
m.tensor(0), :, m.tensor([0, 1]); 0, :, m.tensor([0, 1]); m.tensor([0, 1]), :, 0; m.tensor([True, False, True]), 0
m.tensor([True, False, True]), m.tensor([0, 1]); True, 0; 0, True; True, :; :, True; m.tensor(True), m.tensor([0, 1])
m.tensor([0, 1]), m.tensor(True); m.tensor(True), 0; m.tensor(False), 0; m.tensor([0, 1]), False; [True, False, True], [0, 1]
..., m.tensor([0, 1]); m.tensor([0, 1]), ..., m.tensor([0, 1]); m.tensor([[True, False, True, False]] * 3)
m.tensor([[True, False, True, False]] * 3), 0; :, m.tensor([True, False, True, False]); m.tensor(True), m.tensor(True)
m.zeros(0, dtype=m.int64), m.zeros(0, dtype=m.int64); 0:2, m.tensor([0, 1]); [[0, 1], [1, 2]], [0, 1]; 0, (0, 1); [0], :, [0]
m.tensor([0, 1]), 0:0; np.array([0, 1]), :, np.array([0, 1])"""
INDICES = [index.strip() for line in (ONE + "\n" + SEVERAL).split("\n") for index in line.split(";")]
SHAPES = [(3, 4), (3, 4, 2), (), (0, 4)]
VALUES = ["5", "2.5", "m.tensor(7.0)", "m.arange(4.0) + 10", "m.tensor([])", "m.ones(1, 1, 1, 1)", "True"]


def made(m, shape, dtype="float32"):
    """0, 1, 2, ... in a shape."""
    return m.tensor(np.arange(np.prod(shape, dtype=int)).reshape(shape)).to(getattr(m, dtype))


def told(x):
    """(dtype, shape, values) of a tensor."""
    return str(x.dtype).split(".")[-1], tuple(x.shape), x.tolist()


def read(m, shape, index):
    return told(eval(f"x[{index}]", {"m": m, "np": np, "x": made(m, shape)}))


def write(m, shape, index, value, dtype="float32", operator="="):
    x = made(m, shape, dtype)
    exec(f"x[{index}] {operator} {value}", {"m": m, "np": np, "x": x})
    return told(x)


def weighted(m, y):
    return (y * made(m, tuple(y.shape)).add(1)).sum()


def read_gradient(m, shape, index):
    x = made(m, shape).requires_grad_()
    y = eval(f"x[{index}]", {"m": m, "np": np, "x": x})
    weighted(m, y).backward()
    return told(x.grad), y.requires_grad


def write_gradient(m, shape, index):
    x, value = made(m, shape).requires_grad_(), m.tensor([2.0]).requires_grad_()
    y = x * 3
    exec(f"y[{index}] = value", {"m": m, "np": np, "y": y, "value": value})
    weighted(m, y).backward()
    return told(x.grad), value.grad is not None and told(value.grad)


def outcome(fn, m, *args):
    """The result of fn, or the class of its error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, of what it will change
        try:
            return fn(m, *args)
        except Exception as error:
            return type(error)


def differences(fn, cases):
    """The cases where cltensor gives another result, or an error of a class that PyTorch's `except` clauses would miss."""
    found = []
    for case in cases:
        theirs, ours = outcome(fn, torch, *case), outcome(fn, cltensor, *case)
        same = issubclass(ours, theirs) if isinstance(theirs, type) and isinstance(ours, type) else str(theirs) == str(ours)
        if not same:
            found.append(f"{case}: PyTorch {theirs}, cltensor {ours}")
    return found


#: PyTorch checks an index of no dimensions for other things first, and fills by a mask of bytes less than it selects by one
def told_apart(shape, index, written=False):
    return (shape == () and index in ("[0, 1.5]", "np.array([0.0, 1.0])")) or (written and "uint8" in index)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("fn", [read, read_gradient])
def test_read(fn, shape):
    assert not differences(fn, [(shape, index) for index in INDICES if not told_apart(shape, index)])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_write(shape):
    values = VALUES if shape == (3, 4) else VALUES[:2]
    assert not differences(write, [(shape, index, value) for index in INDICES for value in values
                                   if not told_apart(shape, index, written=True)])


@pytest.mark.parametrize("shape", [(3, 4), ()], ids=str)
def test_write_gradient(shape):
    assert not differences(write_gradient, [(shape, index) for index in INDICES if not told_apart(shape, index, written=True)])


def test_write_in_place():
    cases = [((3, 4), index, value, "float32", operator) for index in INDICES if not told_apart((3, 4), index, written=True)
             for operator, value in (("+=", "1"), ("*=", "m.tensor([2.0])"), ("-=", "m.arange(4.0)"))]
    # a bad index is raised where values are read, and shapes that do not fit are noticed before
    assert not [d for d in differences(write, cases) if "IndexError" not in d]


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16"])
def test_casts_of_what_is_written(dtype):
    values = ("5", "2.5", "-1", "300", ".5", "70000", "m.tensor([.5])", "m.tensor(3)", "True", "float('inf')")
    indices = ("0", "...", "m.tensor([0, 2])", "m.tensor([True, False, True])", "()", "True", "False")
    assert not differences(write, [((3, 4), index, value, dtype) for index in indices for value in values])
