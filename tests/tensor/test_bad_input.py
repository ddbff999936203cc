"""Bad input: PyTorch's class of error, a message with the value and the rule, and unchanged tensors."""

import gc

import numpy as np
import pytest

import cltensor as ct

pytestmark = [pytest.mark.device, pytest.mark.any_style]


@pytest.fixture
def x():
    return ct.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


VALUES = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def ones(*size, **options):
    return ct.ones(*size, **options)


REFUSED = {
    # shapes
    "add": (lambda x: x + ones(4), RuntimeError, r"add: shapes \(2, 3\), \(4,\) do not broadcast: sizes 3 and 4"),
    "add in place": (lambda x: x.add_(ones(3, 2, 3)), RuntimeError, r"\[2, 3\] doesn't match the broadcast shape \[3, 2, 3\]"),
    "where": (lambda x: ct.where(x > 1, x, ones(2)), RuntimeError, r"where.*\(2, 3\), \(2,\) do not broadcast"),
    "matmul": (lambda x: x @ ones(4, 2), RuntimeError, r"matmul.*\(2, 3\).*\(4, 2\).*a.shape\[-1\] == b.shape\[-2\]"),
    "matmul hint": (lambda x: x @ ones(2, 3), RuntimeError, "Did you mean a @ b.mT"),
    "matmul dtypes": (lambda x: x @ ones(3, 2, dtype=ct.float64), RuntimeError, "same dtype.*float32 and float64"),
    "inner of a number": (lambda x: ct.inner(x, 1.5), TypeError, r"inner\(\): argument 'other' \(position 2\) must be Tensor"),
    "dist of a number": (lambda x: ct.dist(x, -1), TypeError, r"dist\(\): argument 'other' \(position 2\) must be Tensor, not int"),
    "sub of bools": (lambda x: x - ct.tensor(True), RuntimeError, "sub_?: not defined for bool"),
    "sub of a bool": (lambda x: 1 - (x > 2), RuntimeError, "sub_?: not defined for bool"),
    "sub in place": (lambda x: x.sub_(x > 2, alpha=2), RuntimeError, "sub_?: not defined for bool"),
    "cat": (lambda x: ct.cat([x, ones(2, 2)]), RuntimeError, "must match except in dimension 0"),
    "cat nothing": (lambda x: ct.cat([]), RuntimeError, "non-empty list"),
    "stack": (lambda x: ct.stack([x, ones(2, 2)]), RuntimeError, "each tensor to be equal size"),
    "reshape": (lambda x: x.reshape(4, 2), RuntimeError, r"\[4, 2\]' is invalid for input of size 6"),
    "reshape -1 twice": (lambda x: x.reshape(-1, -1), RuntimeError, "only one dimension can be inferred"),
    "view": (lambda x: x.t().view(6), RuntimeError, r"view size.*not compatible.*\.reshape\(\.\.\.\) instead"),
    "expand": (lambda x: x.expand(2, 4), RuntimeError, r"expanded size of the tensor \(4\) must match the existing size \(3\)"),
    "expand less": (lambda x: x.expand(3), RuntimeError, "number of sizes provided"),
    "permute": (lambda x: x.permute(0), RuntimeError, "number of dims"),
    "permute twice": (lambda x: x.permute(0, 0), RuntimeError, "duplicate dims"),
    "split": (lambda x: x.split([1, 3], dim=1), RuntimeError, "sum exactly to 3"),
    "chunk 0-d": (lambda x: x.sum().chunk(2), RuntimeError, "at least a 1-dimensional"),
    "glu 0-d": (lambda x: ct.nn.functional.glu(x.sum()), RuntimeError, "does not support scalars"),
    "chunk": (lambda x: x.chunk(0), RuntimeError, "greater than 0"),
    "as_strided": (lambda x: x.as_strided((3, 3), (3, 1)), RuntimeError, "require a storage of 36 bytes, but it has 24"),
    "negative size": (lambda x: ct.zeros(2, -1), RuntimeError, "negative dimension"),
    "amax of nothing": (lambda x: x[:0].amax(0), (RuntimeError, IndexError), "amax"),
    "flatten": (lambda x: x.flatten(1, 0), RuntimeError, "start_dim"),
    # dimensions and indices
    "dim": (lambda x: x.sum(2), IndexError, r"sum: Dimension out of range: dim is 2, expected to be in \[-2, 1\]"),
    "dim of transpose": (lambda x: x.transpose(0, 3), IndexError, "Dimension out of range"),
    "dim twice": (lambda x: x.sum((0, 0)), RuntimeError, "appears multiple times"),
    "unsqueeze": (lambda x: x.unsqueeze(4), IndexError, "Dimension out of range"),
    "index": (lambda x: x[2], IndexError, "index 2 is out of bounds for dimension 0 with size 2"),
    "too many indices": (lambda x: x[0, 0, 0], IndexError, "too many indices"),
    "text index": (lambda x: x["a"], (IndexError, TypeError), "ind"),
    "negative step": (lambda x: x[::-1], ValueError, "step must be positive.*flip"),
    "select": (lambda x: x.select(1, 3), IndexError, "out of range"),
    "narrow": (lambda x: x.narrow(1, 2, 2), (IndexError, RuntimeError), r"start \(2\) \+ length \(2\) exceeds"),
    "0-d select": (lambda x: x.sum()[0], IndexError, "too many indices for tensor of dimension 0"),
    # dtypes
    "bits of floats": (lambda x: x & x, (TypeError, RuntimeError), "bitwise_and.*not defined for float32"),
    "negative bool": (lambda x: -(x > 1), RuntimeError, "neg|Negation"),
    "mean of integers": (lambda x: x.long().mean(), RuntimeError, "floating point"),
    "integer += float": (lambda x: x.long().add_(1.5), RuntimeError, "float32 can't be cast to .* int64"),
    "bool += int": (lambda x: (x > 1).add_(1), RuntimeError, "int64 can't be cast to .* bool"),
    "integer /= integer": (lambda x: x.long().div_(2), RuntimeError, "can't be cast"),
    "unknown dtype": (lambda x: x.to("float99"), (TypeError, RuntimeError), "float99"),
    "object array": (lambda x: ct.tensor(np.array([None, 1])), TypeError, "object"),
    "text": (lambda x: ct.tensor("abc"), TypeError, "could not infer a dtype|too many dimensions"),
    "default dtype": (lambda x: ct.set_default_dtype(ct.int32), TypeError, "only floating-point"),
    "gradient of integers": (lambda x: x.long().requires_grad_(), RuntimeError, "only Tensors of floating point"),
    "index dtype": (lambda x: x.gather(0, x), RuntimeError, "int64"),
    "mask dtype": (lambda x: x.masked_fill(x, 0.0), (TypeError, RuntimeError), "expected mask to be a bool"),
    # arguments
    "ragged": (lambda x: ct.tensor([[1, 2], [3]]), ValueError, "different lengths"),
    "arange": (lambda x: ct.arange(3, 1), RuntimeError, "inconsistent with step sign"),
    "linspace": (lambda x: ct.linspace(0, 1, -1), RuntimeError, "number of steps must be non-negative"),
    "rounding mode": (lambda x: x.div(2, rounding_mode="up"), RuntimeError, "rounding_mode"),
    "clamp": (lambda x: x.clamp(), RuntimeError, "At least one of"),
    "add text": (lambda x: x + "a", TypeError, "unsupported operand"),
    "add text by name": (lambda x: x.add("a"), TypeError, "add.*str"),
    "unknown keyword": (lambda x: ct.exp(x, axis=0), TypeError, "axis"),
    "two values": (lambda x: x.item(), RuntimeError, "6 elements cannot be converted to Scalar"),
    "truth": (lambda x: bool(x), RuntimeError, "ambiguous"),
    "float": (lambda x: float(x), (TypeError, RuntimeError, ValueError), "one element"),
    "range": (lambda x: range(x.sum()), TypeError, "only integer tensors"),
    "len": (lambda x: len(x.sum()), TypeError, "0-d"),
    "iteration": (lambda x: list(x.sum()), TypeError, "0-d"),
    "numpy with grad": (lambda x: x.clone().requires_grad_().numpy(), RuntimeError, r"detach\(\)\.numpy\(\)"),
    "huge": (lambda x: ct.zeros(1 << 50), RuntimeError, "1125899906842624|bytes"),
    "no device": (lambda x: x.to("opencl:99"), RuntimeError, "opencl:99"),
    # memory
    "expanded write": (lambda x: x[:1].expand(4, 3).add_(1), RuntimeError, "single memory location.*clone"),
    "expanded copy": (lambda x: x[0, 0].expand(4).copy_(ones(4)), RuntimeError, "single memory location"),
    "overlap": (lambda x: x.view(-1)[1:].add_(x.view(-1)[:-1]), RuntimeError, "single memory location.*clone"),
    "overlapping copy": (lambda x: x.view(-1)[1:].copy_(x.view(-1)[:-1]), RuntimeError, "single memory location"),
    "out with grad": (lambda x: ct.exp(ones(2, 3, requires_grad=True), out=x), RuntimeError, "out=.* don't support automatic"),
    "out dtype": (lambda x: ct.exp(ones(2, 3), out=x.long()), RuntimeError, "can't be cast"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(x, name):
    call, error, message = REFUSED[name]
    version = x._version
    with pytest.raises(error, match=message) as caught:
        call(x)
    assert isinstance(caught.value, (ct.CLTensorError, TypeError, IndexError))
    assert x.tolist() == VALUES
    assert x._version == version
    assert (x + 1).sum().item() == 27


def test_memory_is_given_back_after_errors(x):
    gc.collect()  # what earlier tests left
    before = ct.opencl.memory_allocated()
    for name in ("add", "matmul", "overlap", "expanded write", "out dtype"):
        with pytest.raises(RuntimeError):
            REFUSED[name][0](x)
    assert ct.opencl.memory_allocated() == before


def test_plans_of_failed_calls_are_not_kept(x):
    for _ in range(2):
        with pytest.raises(RuntimeError):
            x + ones(4)
    assert (x + ones(3)).tolist() == [[2, 3, 4], [5, 6, 7]]
