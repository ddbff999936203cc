"""Arguments are called as in PyTorch; out= is taken where PyTorch takes it, with its checks, and refused elsewhere by name."""

import pytest

import cltensor as ct
from cltensor import nn
from cltensor.ops.kinds.elementwise import Elementwise
from import_time import needs_device
from public_names import members

pytestmark = pytest.mark.device

needs_device()

F = nn.functional
X = ct.tensor([[2.0, 1.0], [1.0, 3.0]])
V = ct.tensor([1.0, 4.0])

BY_NAME = [
    (lambda: ct.matmul(input=X, other=V), lambda: X @ V), (lambda: X.matmul(other=V), lambda: X @ V),
    (lambda: ct.det(input=X), lambda: ct.linalg.det(X)), (lambda: ct.slogdet(input=X)[1], lambda: ct.linalg.slogdet(X)[1]),
    (lambda: ct.inverse(input=X), lambda: ct.linalg.inv(A=X)), (lambda: ct.matrix_power(input=X, n=2), lambda: X @ X),
    (lambda: ct.matrix_exp(input=X), lambda: ct.linalg.matrix_exp(A=X)), (lambda: ct.pinverse(X, 1e-9), lambda: ct.linalg.pinv(X)),
    (lambda: ct.cholesky_solve(input=X, input2=X), lambda: ct.cholesky_solve(X, X)),
    (lambda: ct.lu_solve(input=X, LU_data=X, LU_pivots=ct.tensor([1, 2], dtype=ct.int32)),
     lambda: ct.linalg.lu_solve(X, ct.tensor([1, 2], dtype=ct.int32), X)),
    (lambda: ct.orgqr(X, input2=V), lambda: ct.linalg.householder_product(X, V)),
    (lambda: ct.ormqr(X, input2=V, input3=X), lambda: ct.ormqr(X, V, X)),
    (lambda: ct.exp_(input=X.clone()), lambda: X.exp()), (lambda: ct.fill_(input=X.clone(), value=2), lambda: ct.full_like(X, 2)),
    (lambda: ct.resize_as_(input=X.clone(), the_template=X), lambda: X), (lambda: X.clone().copy_(other=V), lambda: V.expand(2, 2)),
    (lambda: ct.swapaxes(X, axis0=0, axis1=1), lambda: X.T), (lambda: X.swapaxes(axis0=0, axis1=1), lambda: X.T),
    (lambda: ct.arange(end=3), lambda: ct.tensor([0, 1, 2])), (lambda: ct.arange(start=1, end=3), lambda: ct.tensor([1, 2])),
    (lambda: ct.repeat_interleave(repeats=ct.tensor([2, 1])), lambda: ct.tensor([0, 0, 1])),
    (lambda: ct.hsplit(X, sections=2)[1], lambda: X[:, 1:]), (lambda: X.tensor_split(indices=(1,))[1], lambda: X[1:]),
    (lambda: X.split(split_size=1)[1], lambda: X[1:]), (lambda: ct.split_copy(input=X, split_size=1)[1], lambda: X[1:]),
    (lambda: ct.expand_copy(input=V, size=(2, 2)), lambda: V.expand(2, 2)), (lambda: X.view(size=(4,)), lambda: X.flatten()),
    (lambda: V.expand(size=(2, 2), implicit=False), lambda: V.expand(2, 2)), (lambda: ct.spmm(input=X, mat2=X), lambda: X @ X),
    (lambda: ct.isin(element=1, test_elements=X), lambda: ct.tensor(True)),
    (lambda: ct.nan_to_num(ct.tensor([ct.nan]), nan=None), lambda: ct.zeros(1)),
    (lambda: ct.polygamma(n=1, input=X), lambda: X.polygamma(n=1)), (lambda: X.clone().polygamma_(1), lambda: X.polygamma(1)),
    (lambda: X.to(tensor=ct.ones(1, dtype=ct.int32)), lambda: X.int()),
    (lambda: X.clone().subtract_(V, alpha=2), lambda: X - 2 * V), (lambda: ct.permute(input=X, dims=(1, 0)), lambda: X.T),
    (lambda: ct.flip(input=X, dims=(1,)), lambda: X.fliplr()), (lambda: ct.tile(input=V, dims=(2,)), lambda: V.repeat(2)),
    (lambda: ct.histogramdd(X, [2, 2], None, None, True).hist, lambda: ct.histogramdd(X, [2, 2], density=True).hist),
    (lambda: ct.tensordot(X, X, 1, ct.empty(2, 2)), lambda: X @ X),
    (lambda: ct.norm(X, 2, 0, False, ct.empty(2)), lambda: X.norm(2, 0)),
    (lambda: ct.rrelu(-X, 0.5, 0.5, True, generator=ct.Generator()), lambda: -X / 2),
    (lambda: ct.selu(input=X), lambda: F.selu(X)),
    (lambda: ct.threshold(X, 1.5, 0.0, out=ct.empty(2, 2)), lambda: F.threshold(X, 1.5, 0.0)),
    (lambda: ct.celu(X), lambda: F.celu(X)),
    (lambda: ct.max_pool1d_with_indices(X, 2)[1], lambda: F.max_pool1d(X, 2, return_indices=True)[1]),
]


@pytest.mark.parametrize(("named", "expected"), BY_NAME, ids=range(len(BY_NAME)))
def test_arguments_by_pytorchs_names(named, expected):
    found, wanted = named(), expected()
    assert (found.dtype, found.tolist()) == (wanted.dtype, pytest.approx(wanted.tolist()) if wanted.ndim == 1 else wanted.tolist())


def test_dtypes_of_numbers_and_tensors_by_name():
    assert ct.result_type(tensor=X, other=V) is ct.result_type(scalar=2, tensor=X) is ct.float32
    assert ct.result_type(scalar1=2, scalar2=3) is ct.int64
    with pytest.raises(ct.ArgumentTypeError, match="expected two tensors or numbers, got 1"):
        ct.result_type(tensor=X)


def test_random_integers_by_name():
    assert ct.randint(high=1, size=(2,)).tolist() == ct.randint(1, (2,)).tolist() == [0, 0]
    for wrong in (lambda: ct.randint(), lambda: ct.randint(3), lambda: ct.arange()):
        with pytest.raises(ct.ArgumentTypeError, match="missing required argument"):
            wrong()


def test_asarray_keeps_or_drops_the_history():
    x = X.clone().requires_grad_()
    assert [ct.asarray(x, requires_grad=r).requires_grad for r in (None, False, True)] == [True, False, True]
    assert ct.asarray([1.0], requires_grad=True).requires_grad


def test_triangles_have_no_gradient():
    assert ct.tril_indices(2, 2, requires_grad=False).shape == (2, 3)
    for made in (ct.tril_indices, ct.triu_indices):
        with pytest.raises(ct.AutogradError, match="indices cannot"):
            made(2, 2, requires_grad=True)


# --- out= ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["det", "clone", "reshape", "isnan", "isfinite", "relu", "transpose", "cov", "flip", "trace",
                                  "prelu"])
def test_functions_that_take_no_out_say_so(name):
    given = (X, V[:1]) if name == "prelu" else (X, 0, 1) if name == "transpose" else (X, (4,)) if name == "reshape" else (X,)
    with pytest.raises(TypeError, match=rf"{name}\(\) got an unexpected keyword argument 'out'|{name}"):
        getattr(ct, name)(*given, out=ct.empty(2, 2))


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "clamp", "nextafter", "logit", "addcmul"])
def test_methods_take_no_out(name):
    given = {"clamp": (0, 1), "logit": (), "addcmul": (X, X)}.get(name, (X,))
    with pytest.raises(TypeError, match=f"{name}.*out"):
        getattr(X, name)(*given, out=ct.empty(2, 2))


UNARY = sorted(n for n, op in members("").items() if isinstance(op, Elementwise) and op.out and op.inputs == ("input",)
               and not op.attr_names and "floating" in op.dtypes + "all number" and op.result is None)
CALLS = {**{n: lambda out, n=n: getattr(ct, n)(X, out=out) for n in UNARY},
         "sum": lambda out: ct.sum(X, 0, out=out), "cumsum": lambda out: ct.cumsum(X, 0, out=out),
         "matmul": lambda out: ct.matmul(X, X, out=out), "linalg.inv": lambda out: ct.linalg.inv(X, out=out),
         "fft.irfft": lambda out: ct.fft.irfft(X.cfloat(), out=out), "nn.gelu": lambda out: F.gelu(X, out=out),
         "nn.linear": lambda out: F.linear(X, X, out=out), "nn.softplus": lambda out: F.softplus(X, out=out),
         "nn.avg_pool2d": lambda out: F.avg_pool2d(X[None], 1, out=out), "nn.normalize": lambda out: F.normalize(X, out=out),
         "threshold": lambda out: ct.threshold(X, 1.5, 0.0, out=out), "norm": lambda out: ct.norm(X, 2, 0, out=out)}


@pytest.mark.parametrize("name", CALLS)
def test_out_has_pytorchs_checks(name):
    call = CALLS[name]
    wanted = call(ct.empty(0))
    held = ct.zeros(*wanted.shape, 2)
    view = held.select(-1, 1)
    assert call(view) is view
    assert view.nan_to_num(9).tolist() == wanted.nan_to_num(9).tolist()
    assert not held.select(-1, 0).any()
    with pytest.warns(UserWarning, match="An output with one or more elements was resized"):
        assert call(ct.zeros(7)).shape == wanted.shape
    with pytest.raises(ct.AutogradError, match="don't support automatic differentiation"):
        call(wanted.detach().clone().requires_grad_())
    with pytest.raises(ct.CLTensorError, match=r"dtype|type"):
        call(wanted.to(ct.int32))
    with pytest.raises(TypeError, match="out"):
        call(3)
