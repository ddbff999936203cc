"""Functions on float16 and bfloat16 at small, usual and large magnitudes: as in float32, rounded once.

Every function of the two namespaces that takes one, two or three tensors is called with them.  TABLE has the calls of functions
that need more arguments.  The reference is the result in float32, rounded to 16 bits, infinities included.
"""

import functools
import inspect

import numpy as np
import pytest

import cltensor as ct
import cltensor.nn.functional as F
from cltensor.base import dtypes
from cltensor.base.errors import DTypeError
from cltensor.tensor import namespace
from ops.samples import representable

pytestmark = pytest.mark.device
SCALES = (2**-10, 1.0, 2.0**8)
SHAPE = (3, 4)

#: functions that are not compared, and why
LEFT_OUT = {
    **dict.fromkeys("empty empty_like empty_strided empty_permuted bernoulli binomial normal poisson rand randn rand_like "
                    "randn_like randint randint_like randperm dropout multinomial arange range gumbel_softmax rrelu alpha_dropout "
                    "dropout1d dropout2d dropout3d feature_alpha_dropout fractional_max_pool2d fractional_max_pool3d pca_lowrank "
                    "svd_lowrank".split(), "random or uninitialised"),
    "histogram": "the edges of its bins are rounded to the dtype",
    "FloatTensor": "of float32 whatever it is made of", "from_dlpack": "NumPy has no bfloat16",
    "nextafter": "steps between neighbours of 16 bits; test_neighbours",
    "frombuffer": "reads memory as what it is told",
    "resolve_conj": "about the dtype",
    **dict.fromkeys(("tan", "sin", "cos", "sinc"), "period and argument, not size, decide about them: tests/codegen compares"),
    "rms_norm": "its shape is an argument; TABLE",
    "binary_cross_entropy": "takes probabilities; TABLE", "gaussian_nll_loss": "takes variances; TABLE",
}
#: functions that are defined for float32 and float64 only
WITHOUT_16_BITS = set("geqrf pinverse cholesky_inverse qr svd nuclear_norm".split())

#: further arguments, by name: what is called with x, y, z of SHAPE
TABLE = {
    "std over rows": lambda x, y, z: ct.std(x, 1), "var_mean": lambda x, y, z: ct.var_mean(x, 0),
    "norm 3": lambda x, y, z: x.norm(3), "norm over rows": lambda x, y, z: ct.linalg.norm(x, dim=1),
    "matrix norm": lambda x, y, z: ct.linalg.matrix_norm(x), "logsumexp over rows": lambda x, y, z: x.logsumexp(1),
    "round": lambda x, y, z: x.round(decimals=3), "addmv": lambda x, y, z: ct.addmv(x[:, 0], y, z[0], beta=0.5, alpha=0.01),
    "addr": lambda x, y, z: ct.addr(x, y[:, 0], z[0], alpha=0.01), "renorm": lambda x, y, z: x.renorm(2, 0, 1.0),
    "addbmm": lambda x, y, z: ct.addbmm(x, y.unsqueeze(0), z[0].expand(1, 4, 4), alpha=0.01),
    "normalize": lambda x, y, z: F.normalize(x), "triplet": lambda x, y, z: F.triplet_margin_loss(x, y, z),
    "cosine embedding": lambda x, y, z: F.cosine_embedding_loss(x, y, ct.tensor([1, -1, 1], device=x.device)),
    "bilinear": lambda x, y, z: F.bilinear(x, y, z.unsqueeze(-1).expand(3, 4, 4)),
    "local response": lambda x, y, z: F.local_response_norm(x.unsqueeze(0), 2, alpha=1.0),
    "rms": lambda x, y, z: F.rms_norm(x, (4,)), "lp pool": lambda x, y, z: F.lp_pool1d(x.unsqueeze(0), 2, 2),
    "group norm": lambda x, y, z: F.group_norm(x, 2), "layer norm": lambda x, y, z: F.layer_norm(x, (4,), y[0], z[0]),
    "batch norm": lambda x, y, z: F.batch_norm(x, None, None, y[0], z[0], training=True),
    "batch norm, evaluating": lambda x, y, z: F.batch_norm(x, y[0], z[0].abs(), None, None),
    "interpolate": lambda x, y, z: F.interpolate(x.unsqueeze(0), scale_factor=2, mode="linear"),
    "attention": lambda x, y, z: F.scaled_dot_product_attention(x, y, z),
    "cross entropy": lambda x, y, z: F.cross_entropy(x, ct.tensor([1, 0, 3], device=x.device)),
    "smoothed cross entropy": lambda x, y, z: F.cross_entropy(x, ct.tensor([1, 0, 3], device=x.device), label_smoothing=0.1),
    "nll": lambda x, y, z: F.nll_loss(x, ct.tensor([1, 0, 3], device=x.device), y[0].abs()),
    "binary cross entropy": lambda x, y, z: F.binary_cross_entropy(x.abs().clamp(max=0.75), y.abs().clamp(max=1)),
    "gaussian": lambda x, y, z: F.gaussian_nll_loss(x, y, z.abs()),
    "multi margin": lambda x, y, z: F.multi_margin_loss(x, ct.tensor([1, 0, 3], device=x.device), p=2),
    "cumulative trapezoid": lambda x, y, z: ct.cumulative_trapezoid(x, y), "vecdot": lambda x, y, z: ct.linalg.vecdot(x, y),
}


def _public():
    """{name: function} of both namespaces."""
    found = {n: getattr(ct, n) for n in namespace()}
    found |= {f"F.{n}": fn for n, fn in vars(F).items() if inspect.isfunction(fn) and not n.startswith("_")}
    return {n: fn for n, fn in found.items() if n.removeprefix("F.") not in LEFT_OUT and not n.startswith("_")}


def _drawn(scale, dtype):
    rng = np.random.default_rng(11)
    return [representable(rng.uniform(0.3, 1.5, SHAPE) * rng.choice([-1, 1], SHAPE) * scale, dtype) for _ in range(3)]


def _wanted(t):
    """A float32 result as it would be rounded."""
    return isinstance(t, ct.Tensor) and t.dtype is dtypes.float32


def _tensors(result):
    return result if isinstance(result, (tuple, list)) else (result,)


def _call(fn, arrays, dtype):
    return _tensors(fn(*(ct.tensor(a, dtype=dtype) for a in arrays)))


@functools.cache
def _taking(name):
    """The largest number of tensors, from 1 to 3, for which function `name` gives floats; None if there is none."""
    fn = _public()[name]
    for count in (3, 2, 1):
        try:
            result = _call(fn, _drawn(1.0, dtypes.float32)[:count], dtypes.float32)
        except Exception:  # it takes other arguments
            continue
        if all(map(_wanted, result)):
            return count
    return None


def _close(fn, arrays, dtype, what):
    right = _call(fn, arrays, dtypes.float32)
    found = _call(fn, arrays, dtype)
    eps = dtypes.finfo(dtype).eps
    for f, r in zip(found, right, strict=True):
        assert f.dtype is dtype, f"{what}: {f.dtype.name}"
        r = r.numpy()
        r = np.where(np.isnan(r), np.nan, representable(r, dtype))
        f = f.float().numpy().astype(np.float64)
        largest = np.max(np.abs(r[np.isfinite(r)]), initial=0)
        near = np.isclose(f, r, rtol=2 * eps, atol=eps * largest / 2 + 2**-23, equal_nan=True)
        near |= np.isinf(r) & (np.abs(f) > 0.99 * dtypes.finfo(dtype).max)  # beside the largest number either may be right
        near |= np.isinf(f) & (np.abs(r) > 0.99 * dtypes.finfo(dtype).max)
        assert near.all(), f"{what}: {f[~near][:3]} for {r[~near][:3]}"


@pytest.mark.parametrize("name", sorted(set(_public()) - WITHOUT_16_BITS))
def test_function(name):
    count = _taking(name)
    if count is None:
        pytest.skip("takes other arguments than tensors, or gives no floats")
    for dtype in (dtypes.float16, dtypes.bfloat16):
        for scale in SCALES:
            _close(_public()[name], _drawn(scale, dtype)[:count], dtype, f"{name}, {dtype.name}, x{scale}")


@pytest.mark.parametrize("dtype", [dtypes.float16, dtypes.bfloat16], ids=lambda d: d.name)
@pytest.mark.parametrize("name", sorted(WITHOUT_16_BITS))
def test_functions_without_16_bits_say_so(name, dtype):
    with pytest.raises(DTypeError, match="float32"):
        _call(_public()[name], _drawn(1.0, dtype)[:1], dtype)


def test_the_lists_name_functions_that_exist():
    everything = {*namespace(), *vars(F)}
    assert not {*LEFT_OUT, *WITHOUT_16_BITS} - everything


@pytest.mark.parametrize("name", TABLE)
def test_call(name):
    for dtype in (dtypes.float16, dtypes.bfloat16):
        for scale in SCALES:
            _close(TABLE[name], _drawn(scale, dtype), dtype, f"{name}, {dtype.name}, x{scale}")


def _gradient(fn, x):
    x = x.requires_grad_()
    return ct.autograd.grad(_tensors(fn(x))[0].sum(), x)[0]


@pytest.mark.parametrize("name", ["norm 3", "std over rows", "logsumexp over rows", "normalize", "round", "matrix norm", "rms",
                                  "lp pool", "renorm", "norm over rows", "cross entropy"])
def test_gradient(name):
    for scale in SCALES:
        arrays = _drawn(scale, dtypes.float16)
        _close(lambda x, y, z, name=name: _gradient(lambda x: TABLE[name](x, y, z), x), arrays, dtypes.float16, f"{name}, x{scale}")


# --- single cases ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [dtypes.float16, dtypes.bfloat16], ids=lambda d: d.name)
def test_neighbours(dtype):
    """nextafter steps by bits; there and back again is the same number."""
    x = ct.tensor([1.0, 0.0, -0.0, -3.0, 2.0**-14, dtypes.finfo(dtype).max, float("inf"), 5.0], dtype=dtype)
    to = ct.tensor([2.0, -1.0, 1.0, 0.0, 0.0, float("inf"), 0.0, 5.0], dtype=dtype)
    bits = ct.nextafter(x, to).view(ct.int16).long().numpy() & 0xFFFF
    before = x.view(ct.int16).long().numpy() & 0xFFFF
    steps = [1, None, None, -1, -1, 1, -1, 0]
    right = [0x8001 if i == 1 else 1 if i == 2 else b + steps[i] for i, b in enumerate(before)]  # the smallest beside 0
    np.testing.assert_array_equal(bits, right)
    assert ct.nextafter(x, ct.full_like(x, float("nan"))).isnan().all()


@pytest.mark.parametrize("dtype", [dtypes.float16, dtypes.bfloat16, dtypes.float32], ids=lambda d: d.name)
def test_parts(dtype):
    """frexp of the smallest and the largest numbers there are."""
    tiny = {dtypes.float16: 2.0**-24, dtypes.bfloat16: 2.0**-126, dtypes.float32: 2.0**-126}[dtype]
    values = representable(np.array([1.0, 0.0, dtypes.finfo(dtype).max, tiny, -3.0, np.inf, -np.inf]), dtype)
    mantissa, exponent = ct.frexp(ct.tensor(values, dtype=dtype))
    right, powers = np.frexp(values)
    np.testing.assert_array_equal(mantissa.float().numpy(), right)
    np.testing.assert_array_equal(exponent.numpy(), np.where(np.isfinite(values), powers, 0))


def test_clipping_by_a_norm_beyond_float16():
    p = ct.nn.Parameter(ct.zeros(1000, dtype=ct.float16))
    p.grad = ct.full((1000,), 3000.0, dtype=ct.float16)
    ct.nn.utils.clip_grad_norm_([p], 1.0)
    np.testing.assert_allclose(p.grad.float().numpy(), 1000**-0.5, rtol=1e-3)


def test_bfloat16_from_numbers():
    """Made on the host: a 0-d tensor stays one, and values are converted, not taken for bits."""
    assert ct.tensor(0.5, dtype=ct.bfloat16).shape == ()
    assert ct.logspace(0, 2, 3, dtype=ct.bfloat16).tolist() == [1, 10, 100]
    assert sorted(ct.randperm(4, dtype=ct.bfloat16).tolist()) == [0, 1, 2, 3]
    with pytest.raises(TypeError, match="float32 or float64"):
        ct.linalg.svdvals(ct.eye(2, dtype=ct.bfloat16))


def test_bytes_are_resized_by_weights_of_floats():
    x = (ct.arange(12) * 20).to(ct.uint8).reshape(1, 1, 3, 4)
    assert F.interpolate(x, scale_factor=2, mode="bilinear")[0, 0, 2].tolist() == [60, 65, 75, 85, 95, 105, 115, 120]
    assert F.interpolate(x, size=(2, 3), mode="bicubic")[0, 0].tolist() == [[18, 45, 72], [148, 175, 202]]
    with pytest.raises(TypeError, match="not defined for int32"):
        F.interpolate(x.int(), scale_factor=2, mode="bilinear")


def test_numbers_are_compared_as_they_are():
    assert ct.searchsorted(ct.tensor([1, 2, 3]), 2.5).item() == 2
    assert ct.bucketize(ct.tensor([2.5]), ct.tensor([1, 2, 3])).tolist() == [2]
