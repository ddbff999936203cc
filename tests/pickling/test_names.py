"""Public functions, ops, classes and methods are copied and pickled as themselves, in every protocol."""

import copy
import inspect
import pickle
import subprocess
import sys
from functools import partial

import pytest

import cltensor as ct
from public_names import MODULES, members

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def changed(value):
    """The ways of copying that do not give value itself, each with what it gives or raises."""
    ways = {"copy": copy.copy, "deepcopy": copy.deepcopy,
            **{f"protocol {p}": lambda v, p=p: pickle.loads(pickle.dumps(v, p)) for p in PROTOCOLS}}
    found = {}
    for way, again in ways.items():
        try:
            if again(value) is not value:
                found[way] = "another object"
        except Exception as error:
            found[way] = f"{type(error).__name__}: {error}"
    return found


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_themselves(name):
    wrong = {public: found for public, value in members(name).items() if inspect.isfunction(value) or isinstance(value, type)
             or hasattr(value, "inputs") if (found := changed(value))}
    assert not wrong


def test_methods_of_the_class_are_themselves():
    found = {n: getattr(ct.Tensor, n) for n in dir(ct.Tensor) if n[0] != "_" or n[-1] == "_"}
    methods = {n: method for n, method in found.items() if inspect.isfunction(method)}
    assert len(methods) > 500
    wrong = {name: found for name, method in methods.items() if (found := changed(method))}
    assert not wrong


@pytest.mark.device
@pytest.mark.parametrize("name", ["add", "arccos", "relu_", "sum", "true_divide", "subtract_", "__mul__", "unsqueeze_", "lu"])
def test_bound_methods_take_their_tensor_along(name):
    bound = getattr(ct.tensor([1.0, 2.0]), name)
    for protocol in PROTOCOLS:
        again = pickle.loads(pickle.dumps(bound, protocol))
        assert (again.__func__, again.__self__.tolist()) == (bound.__func__, [1.0, 2.0])
    assert copy.deepcopy(bound).__self__ is not bound.__self__


@pytest.mark.parametrize("value", [*dict.fromkeys(v for v in vars(ct).values() if isinstance(v, ct.dtype)), ct.strided,
                                   ct.sparse_coo, ct.sparse_csr, ct.channels_last, ct.contiguous_format, ct.preserve_format],
                         ids=repr)
def test_dtypes_and_layouts_are_themselves(value):
    assert not changed(value)


def test_an_op_that_is_none():
    text = pickle.dumps(ct.exp, 0).replace(b"Vexp", b"Vexq")
    with pytest.raises(ct.PickleError, match="there is no op 'exq' in this version of cltensor"):
        pickle.loads(text)


def test_an_op_made_while_a_program_ran():
    with pytest.raises(ct.PickleError, match=r"<elementwise op exp_backward> was made while a program ran and has no name"):
        pickle.dumps(ct.exp.gradient((True,)))


HELD = [ct.exp, ct.matmul, ct.Tensor.add, ct.bool, ct.return_types.max, ct.nn.functional.max_pool2d, ct.linalg.qr, ct.fft.rfft,
        ct.special.entr, partial(ct.sum, dim=1), ct.Tensor.__add__, ct.func.vmap, ct.signal.windows.hann]


def test_another_process_finds_them(tmp_path):
    path = tmp_path / "names"
    path.write_bytes(pickle.dumps(HELD))
    program = f"import pickle; print(*pickle.load(open({str(path)!r}, 'rb')), sep='\\n')"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert [line.partition(" at 0x")[0] for line in run.stdout.splitlines()] == [str(v).partition(" at 0x")[0] for v in HELD]
