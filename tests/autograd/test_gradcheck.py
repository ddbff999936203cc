"""gradcheck and gradgradcheck find wrong gradients, and say what is wrong."""

import pytest

import cltensor as ct
from cltensor.autograd import Function, GradcheckError, gradcheck, gradgradcheck

pytestmark = pytest.mark.device


@pytest.fixture
def x(rng):
    return ct.tensor(rng.uniform(0.5, 1.5, (2, 3)), requires_grad=True)


def function(backward, forward=lambda x: x * x):
    class Made(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx, g):
            return backward(ctx.saved_tensors[0], g)

    return Made.apply


@pytest.mark.parametrize("fast_mode", [False, True])
def test_right_gradient(x, fast_mode):
    assert gradcheck(lambda x: (x * x, x.exp().sum(0)), x, fast_mode=fast_mode)
    assert gradgradcheck(lambda x: (x * x * x, x.exp().sum(0)), x, fast_mode=fast_mode)


@pytest.mark.parametrize("fast_mode", [False, True])
def test_wrong_gradient(x, fast_mode):
    wrong = function(lambda x, g: g * x)
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0,\nnumerical:"):
        gradcheck(wrong, x, fast_mode=fast_mode)
    assert not gradcheck(wrong, x, fast_mode=fast_mode, raise_exception=False)


def test_wrong_second_gradient(x):
    wrong = function(lambda x, g: 2 * g * x.detach())
    assert gradcheck(wrong, x)
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradgradcheck(wrong, x)


def test_missing_gradient(x):
    with pytest.raises(GradcheckError, match="expected to be zero"):
        gradcheck(lambda x: x.detach() * x.detach(), x)
    assert gradcheck(lambda x: x.floor().detach(), x)


def test_second_input(x):
    y = ct.ones(3, dtype=ct.float64, requires_grad=True)
    with pytest.raises(GradcheckError, match="output 0 with respect to input 1"):
        gradcheck(lambda x, y: x * y.detach() + y, (x, y))


def test_gradient_that_changes(x):
    calls = []

    def unsteady(x, g):
        calls.append(1)
        return g * 2 * x + len(calls) * 1e-9

    with pytest.raises(GradcheckError, match="Backward is not reentrant"):
        gradcheck(function(unsteady), x)
    assert gradcheck(function(unsteady), x, nondet_tol=1e-6, check_undefined_grad=False)


def test_undefined_gradients():
    class Fragile(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, g, h):
            return g * 2 + h * 3

    x = ct.ones(2, dtype=ct.float64, requires_grad=True)
    assert gradcheck(lambda x: sum(Fragile.apply(x)), x)
    with pytest.raises(TypeError, match="unsupported operand"):
        gradcheck(Fragile.apply, x)


def test_single_precision_is_warned_of():
    x = ct.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double precision"):
        gradcheck(lambda x: x * 2, x, eps=1e-3, atol=1e-2)


def test_nothing_to_check(x):
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(lambda x: x * 2, x.detach())
    with pytest.raises(ValueError, match="no floating point or complex tensor"):
        gradcheck(lambda x: x > 0, x)


def test_expanded_input():
    x = ct.ones(1, dtype=ct.float64).expand(3).requires_grad_()
    with pytest.raises(GradcheckError, match="The 0th input has a dimension with stride 0"):
        gradcheck(lambda x: x * 2, x)


def test_strided_input(rng):
    x = ct.tensor(rng.random((4, 6)))[1:, ::2].t().requires_grad_()
    assert gradcheck(lambda x: x * x, x)
    assert gradgradcheck(lambda x: x * x, x, gen_non_contig_grad_outputs=True)


def test_inputs_are_left_as_they_were(x):
    before, version = x.tolist(), x._version
    gradcheck(lambda x: x.exp(), x)
    assert x.tolist() == before
    assert x._version == version
    assert x.grad is None


def test_other_arguments(x):
    assert gradcheck(lambda x, k, mask: (x * k).where(mask, x), (x, 2, ct.tensor([True, False, True])))


def test_empty_input():
    x = ct.zeros(0, 3, dtype=ct.float64, requires_grad=True)
    assert gradcheck(lambda x: x * 2, x)
    assert gradcheck(lambda x: (x * 2).sum(), x)


def test_gradient_dtypes(x):
    assert gradcheck(lambda x: x * 2, x, check_grad_dtypes=True)


@pytest.mark.parametrize("fast_mode", [False, True])
def test_forward_mode(x, fast_mode):
    z = ct.tensor([0.5 + 1j, 2 - 1j], dtype=ct.complex128, requires_grad=True)
    assert gradcheck(lambda x: (x * x, x.exp().sum(0)), x, check_forward_ad=True, fast_mode=fast_mode)
    assert gradcheck(lambda z: (z * z.conj(), z.abs()), z, check_forward_ad=True, fast_mode=fast_mode)
    assert gradgradcheck(lambda x: x**3, x, check_fwd_over_rev=True, fast_mode=fast_mode)
    wrong = function(lambda x, g: g * x)
    with pytest.raises(GradcheckError, match="Jacobian computed with forward mode mismatch for output 0 with respect to input 0"):
        gradcheck(wrong, x, check_forward_ad=True, check_backward_ad=False, fast_mode=fast_mode)
    second = function(lambda x, g: 2 * g * x.detach())
    with pytest.raises(GradcheckError, match="forward mode mismatch"):
        gradgradcheck(second, x, check_fwd_over_rev=True, check_rev_over_rev=False, fast_mode=fast_mode)


def test_only_what_is_asked_for(x):
    class Tangent(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return 3 * g

        @staticmethod
        def jvp(ctx, t):
            return 2 * t

    assert gradcheck(Tangent.apply, x, check_forward_ad=True, check_backward_ad=False, check_grad_dtypes=True)
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradcheck(Tangent.apply, x, check_forward_ad=True)


def test_batched_gradients(x):
    assert gradcheck(lambda x: (x * x, x.sum(), x.floor().detach()), x, check_batched_grad=True, masked=True)
    assert gradgradcheck(lambda x: x**3, x, check_batched_grad=True)
    calls = []

    def backward(x, g):
        calls.append(g)
        return 2 * g * x + (len(calls) if len(calls) > 8 else 0)  # eight calls compare the Jacobian

    with pytest.raises(GradcheckError, match="gradients of a batch, by is_grads_batched=True, are not those of its elements"):
        gradcheck(function(backward), x, check_batched_grad=True, check_undefined_grad=False)


def test_a_kind_must_be_checked(x):
    with pytest.raises(ct.base.errors.ArgumentError, match="at least one of check_forward_ad or check_backward_ad"):
        gradcheck(ct.sin, x, check_backward_ad=False)
    with pytest.raises(ct.base.errors.ArgumentError, match="check_batched_grad=True requires check_backward_ad"):
        gradcheck(ct.sin, x, check_forward_ad=True, check_backward_ad=False, check_batched_grad=True)
