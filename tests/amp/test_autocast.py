"""autocast: which dtype each function gives, regions in regions, what is kept, and what it leaves alone."""

import threading
import warnings

import pytest

import cltensor as ct
from cltensor import amp, func, nn
from cltensor.base.context import context
from cltensor.utils.checkpoint import checkpoint

from .autocast_calls import calls

pytestmark = pytest.mark.device
CALLS = calls(ct)
# In a region for GPUs, of PyTorch's documented lists for CUDA: those below give float32, the other calls keep the low dtype.
FLOAT32_ON_GPU = frozenset((
    "exp expm1 log log2 log10 log1p acos asin cosh sinh tan erfinv reciprocal rsqrt sum prod norm softmax log_softmax cumsum "
    "cumprod pow rpow rdiv softplus layer_norm group_norm dist cdist renorm cosine_similarity normalize cat stack mse_loss l1_loss "
    "smooth_l1_loss huber_loss binary_cross_entropy_with_logits kl_div poisson_nll_loss soft_margin_loss hinge_embedding_loss "
    "cross_entropy nll_loss multi_margin_loss triplet_margin_loss cosine_embedding_loss dot bilinear").split())
REFUSED_ON_GPU = frozenset("inverse cholesky svdvals solve index_copy binary_cross_entropy".split())


@pytest.mark.parametrize("name", sorted(CALLS.keys() - REFUSED_ON_GPU - {"double", "integers"}))
def test_dtypes_on_gpus(name):
    with ct.autocast("cuda", dtype=ct.bfloat16):
        assert CALLS[name]().dtype is (ct.float32 if name in FLOAT32_ON_GPU else ct.bfloat16)


@pytest.mark.parametrize("name", CALLS)
def test_dtypes_on_cpus(name):
    torch = pytest.importorskip("torch")
    with torch.autocast("cpu"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's kl_div warns of what its default is
        expected = calls(torch)[name]().dtype
    with ct.autocast("cpu"):
        assert str(CALLS[name]().dtype).rpartition(".")[2] == str(expected).rpartition(".")[2]


def test_binary_cross_entropy_is_refused_on_gpus():
    with ct.autocast("gpu"), pytest.raises(RuntimeError, match=r"unsafe under autocast.*binary_cross_entropy_with_logits"):
        CALLS["binary_cross_entropy"]()


@pytest.fixture
def pair():
    return ct.ones(2, 3), nn.Parameter(ct.ones(3, 2))


def test_regions_in_regions(pair):
    a, b = pair
    assert (a @ b).dtype is ct.float32
    with ct.autocast("gpu"):
        assert (a @ b).dtype is ct.float16
        with ct.autocast("gpu", enabled=False):
            assert (a @ b).dtype is ct.float32
            with ct.autocast("cpu", dtype=ct.bfloat16):
                assert (a @ b).dtype is ct.bfloat16
            assert (a @ b).dtype is ct.float32
        with ct.autocast("gpu", dtype=ct.bfloat16):
            assert ct.get_autocast_dtype("cuda") is ct.bfloat16
            assert (a @ b).dtype is ct.bfloat16
        assert (a @ b).dtype is ct.float16
    assert (a @ b).dtype is ct.float32
    assert context.transform is None


def test_a_region_ends_with_an_error(pair):
    with pytest.raises(RuntimeError), ct.autocast("gpu"):
        pair[0] @ pair[0]
    assert not ct.is_autocast_enabled()
    assert context.transform is None


def test_a_decorator(pair):
    a, b = pair

    @ct.autocast("gpu")
    def product():
        return a @ b

    assert product().dtype is ct.float16
    assert (a @ b).dtype is ct.float32


def test_each_thread_has_its_own(pair):
    found = []
    with ct.autocast("gpu"):
        thread = threading.Thread(target=lambda: found.append((pair[0] @ pair[1]).dtype))
        thread.start()
        thread.join()
    assert found == [ct.float32]


def test_in_place_forms_and_out_stay(pair):
    low = ct.ones(2, dtype=ct.float16)
    with ct.autocast("gpu"):
        assert low.exp_().dtype is ct.float16
        out = ct.empty(2, dtype=ct.float16)
        ct.log(low, out=out)
    assert out.tolist() == pytest.approx([1, 1], abs=1e-2)


def test_casts_of_parameters_are_kept_until_they_are_written_to(pair):
    a, b = pair
    with ct.autocast("gpu"):
        a @ b
        kept = [made for _, _, made in context.autocast_casts.values()]
        a @ b
        assert [made for _, _, made in context.autocast_casts.values()] == kept
        with ct.no_grad():
            b.mul_(2)
        assert (a @ b).tolist() == [[6, 6], [6, 6]]
        ct.clear_autocast_cache()
        assert not context.autocast_casts
    with ct.autocast("gpu", cache_enabled=False):
        a @ b
        assert not context.autocast_casts
    assert ct.is_autocast_cache_enabled()


def test_gradients_have_their_parameters_dtype(pair):
    a, b = pair
    with ct.autocast("gpu"):
        for _ in range(2):  # the same kept cast, in two graphs
            (a @ b).sum().backward()
    assert b.grad.dtype is ct.float32
    assert b.grad.tolist() == [[4, 4]] * 3


def test_a_cast_without_grad_is_not_taken_for_one_with(pair):
    a, b = pair
    with ct.autocast("gpu"):
        with ct.no_grad():
            a @ b
        (a @ b).sum().backward()
    assert b.grad is not None


def test_vmap_inside_and_outside(pair):
    a, b = pair
    with ct.autocast("gpu"):
        assert func.vmap(lambda x: x @ b)(a).dtype is ct.float16
        assert (a @ b).dtype is ct.float16

    def inside(x):
        with ct.autocast("gpu"):
            return (x @ b).exp()

    result = func.vmap(inside)(a)
    assert result.dtype is ct.float32
    assert result.tolist() == (a @ b).half().float().exp().tolist()
    assert context.transform is None


def test_a_checkpoint_is_run_again_as_it_was(pair):
    a, b = pair
    with ct.autocast("gpu", dtype=ct.bfloat16):
        a @ b  # keeps a cast that the second run has not
        loss = checkpoint(lambda: (a @ b).sum().exp(), use_reentrant=False)
    loss.backward()
    assert b.grad.dtype is ct.float32


def test_settings():
    assert (ct.get_autocast_dtype("cpu"), ct.get_autocast_dtype("opencl:0")) == (ct.bfloat16, ct.float16)
    ct.set_autocast_dtype("gpu", ct.bfloat16)
    ct.set_autocast_enabled("gpu", True)
    try:
        assert (ct.ones(1, 1) @ ct.ones(1, 1)).dtype is ct.bfloat16
        assert (ct.is_autocast_enabled(), ct.is_autocast_enabled("cpu"), ct.is_autocast_cpu_enabled()) == (True, False, False)
        ct.set_autocast_cpu_enabled(True)
        ct.set_autocast_enabled(False)
        ct.set_autocast_cpu_dtype(ct.float16)
        assert (ct.ones(1, 1) @ ct.ones(1, 1)).dtype is ct.float16
    finally:
        ct.set_autocast_enabled("gpu", False)
        ct.set_autocast_cpu_enabled(False)
        ct.set_autocast_cpu_dtype(ct.bfloat16)
        ct.set_autocast_gpu_dtype(ct.float16)
    assert (ct.get_autocast_gpu_dtype(), ct.get_autocast_cpu_dtype()) == (ct.float16, ct.bfloat16)
    assert context.transform is None
    ct.set_autocast_cache_enabled(False)
    assert not ct.is_autocast_cache_enabled()
    ct.set_autocast_cache_enabled(True)
    assert (ct.autocast_increment_nesting(), ct.autocast_decrement_nesting()) == (1, 0)
    assert amp.is_autocast_available("cuda")


@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda: ct.autocast("abacus"), RuntimeError, "as device type, got 'abacus'"),
    (lambda: ct.autocast(3), ValueError, "Expected `device_type` of type `str`"),
    (lambda: ct.is_autocast_enabled("abacus"), RuntimeError, "got 'abacus'"),
    (lambda: amp.is_autocast_available("abacus"), RuntimeError, "got 'abacus'")])
def test_mistakes_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_another_dtype_warns_and_is_off(pair):
    with pytest.warns(UserWarning, match="In CPU autocast, but the target dtype is not supported. Disabling autocast"):
        region = ct.autocast("cpu", dtype=ct.float32)
    with region:
        assert (pair[0] @ pair[1]).dtype is ct.float32


class Squared(ct.autograd.Function):
    """A Function that wants float32."""

    @staticmethod
    @amp.custom_fwd(device_type="gpu", cast_inputs=ct.float32)
    def forward(ctx, x, more):
        ctx.save_for_backward(x)
        assert more[0].dtype is ct.float32
        return (x.mT @ x).sum()

    @staticmethod
    @amp.custom_bwd(device_type="gpu")
    def backward(ctx, g):
        assert not ct.is_autocast_enabled("gpu")
        return g * 2 * ctx.saved_tensors[0].sum(1, keepdim=True).expand(ctx.saved_tensors[0].shape), None


class Product(ct.autograd.Function):
    """A Function that takes autocast as it is."""

    @staticmethod
    @amp.custom_fwd(device_type="gpu")
    def forward(ctx, x):
        assert ct.is_autocast_enabled("gpu")
        ctx.save_for_backward(x)
        return x @ x

    @staticmethod
    @amp.custom_bwd(device_type="gpu")
    def backward(ctx, g):
        x, = ctx.saved_tensors
        product = g @ x.mT
        assert product.dtype is ct.float16
        return product + x.mT @ g


def test_functions_of_ones_own():
    x = ct.ones(2, 2, dtype=ct.float16, requires_grad=True)
    with ct.autocast("gpu"):
        y = Squared.apply(x, [ct.ones(1, dtype=ct.float16)])
    assert y.dtype is ct.float32
    y.backward()
    assert x.grad.tolist() == [[4, 4], [4, 4]]
    z = ct.eye(2).requires_grad_()
    with ct.autocast("gpu"):
        Product.apply(z).float().sum().backward()
    assert z.grad.tolist() == [[2, 2], [2, 2]]
    with ct.no_grad():
        assert Squared.apply(ct.ones(2, 2), [ct.ones(1)]).item() == 8
