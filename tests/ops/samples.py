"""Samples, references and tolerances for the tests generated over the registry.

A sample is (arrays, attributes).  Floating arrays are float64 and hold values the dtype under test can represent, so
the reference, an independent NumPy function on the op's declaration, sees exactly what the kernel sees.
"""

import math

import numpy as np
import pytest

import cltensor as ct
import cltensor.nn
import cltensor.optim  # declare their ops, too
from cltensor.base import dtypes
from cltensor.dispatch.registry import REGISTRY
from cltensor.ops.kinds.op import Op
from cltensor.ops.pointwise import bessel, orthogonal_polynomials
from cltensor.runtime.device import default_device

SEED = 7

# Ops without a reference, and why
EXEMPT = {
    "full": "takes no tensor; tests/tensor/test_creation.py fills tensors of every dtype",
    "device_copy": "needs two devices; tests/tensor/test_devices.py runs it where there are two",
    **dict.fromkeys(["random_like", "bernoulli_of", "binomial_seeded", "dropout_seeded", "poisson_seeded"],
                    "random; tests/tensor/test_random.py tests the distributions"),
    **dict.fromkeys(["standard_gamma_seeded", "log_standard_gamma_seeded", "von_mises_seeded", "dirichlet_drawn"],
                    "random; tests/distributions/test_samples.py tests the distributions"),
    **dict.fromkeys(["check_divisor", "check_input", "check_std", "check_target", "check_var"],
                    "made to leave notes; tests/tensor/test_device_faults.py tests them"),
    "attention_backward": "attention, whose samples run it, is compared with finite differences",
    **dict.fromkeys(["recurrent", "recurrent_forward", "recurrent_backward"],
                    "some results only serve the gradient; tests/nn/test_recurrent_torch.py runs them all"),
    **dict.fromkeys(["cat_along", "stack_along"], "any number of inputs; tests/tensor/test_joining.py joins them"),
    **dict.fromkeys(["linalg_cholesky", "linalg_det", "linalg_eig", "linalg_eigh", "linalg_inv", "linalg_pinv", "linalg_qr",
                     "linalg_slogdet", "linalg_solve", "linalg_solve_triangular", "linalg_svd", "cholesky_solve_dense"],
                    "runs NumPy's own LAPACK; tests/tensor/test_linalg.py checks what defines each, and the gradients"),
    **dict.fromkeys(["apply_", "map_", "map2_"], "calls a Python function; tests/tensor/test_rebinding.py does"),
    **dict.fromkeys(["geqrf_compact", "linalg_ldl_factor", "linalg_ldl_solve", "linalg_lu_factor", "lu_permutation"],
                    "runs on the host; tests/tensor/test_factors.py checks what defines each, and the gradients"),
}

# Ops whose samples serve the gradient tests, and where their values are compared with an independent reference
REFERENCED_ELSEWHERE = {
    **dict.fromkeys(["convolution", "convolution_input_gradient", "convolution_weight_gradient"],
                    "tests/ops/test_convolution.py: loops over the filter taps in float64"),
    **dict.fromkeys(["max_pool", "adaptive_max_pool", "max_pool_gradient", "max_pool_take", "avg_pool", "avg_pool_gradient",
                     "adaptive_avg_pool", "adaptive_avg_pool_gradient"],
                    "tests/ops/test_pooling.py: loops over the windows in float64"),
    # plain elementwise ops of long functions, which every layout and dtype would compile again
    **dict.fromkeys([op.name for module in (bessel, orthogonal_polynomials) for op in vars(module).values() if isinstance(op, Op)],
                    "tests/ops/test_bessel.py, tests/ops/test_orthogonal.py: SciPy"),
    **dict.fromkeys(["standard_gamma_grad", "dirichlet_grad"],
                    "tests/distributions/test_implicit_gradients.py: quantiles of SciPy's distributions"),
    **dict.fromkeys(["nll_sums", "nll_slope"], "the two kernels of nll, forward and backward: its samples run them"),
    **dict.fromkeys(["cross_entropy_sums", "cross_entropy_slope"], "kernels of cross_entropy_numbers: its samples run them"),
}

# Ops that take one memory layout only, and why
DENSE_ONLY = {
    **dict.fromkeys(["softmax_dim", "softmax_parts", "log_softmax_dim", "softmax_grad", "log_softmax_grad"],
                    "internal: softmax() makes its input contiguous"),
    **dict.fromkeys(["cumsum_dense", "cumprod_dense", "logcumsumexp_dense", "logcumsumexp_complex", "cummax_dense",
                     "cummin_dense", "sort_rows",
                     "search_rows", "mode_rows", "compact"], "internal: its callers make the input contiguous"),
    **dict.fromkeys(["norm_forward", "norm_backward"], "internal: normalized() makes its inputs contiguous"),
    **dict.fromkeys(["attention_forward", "attention"], "internal: its caller makes rows contiguous"),
    **dict.fromkeys(["as_strided_view", "as_strided_backward", "strided_scatter"], "its meaning depends on the layout"),
    **dict.fromkeys(["view_as_complex", "recast_view"], "the parts of a number must be neighbours in memory"),
    "view_shape": "view refuses what needs a copy; tests/tensor/test_views.py",
}

# Ops not compared at NaN and infinity, and why
NOT_SPECIAL = {
    "heaviside": "PyTorch's heaviside of NaN is 0, NumPy's NaN",
    "nextafter": "the float64 reference steps to another neighbour; tests/codegen compares bits",
    "sinc": "the sine of pi x for large x depends on how pi x is rounded",
    "log_ndtr": "the reference loses it at -infinity",
    "digamma": "what it is at -infinity is a matter of convention",
    "angle": "PyTorch's angle of -0.0 is 0, NumPy's pi",
    "zeta": "what it tends to at the ends of the range is a matter of convention",
    **dict.fromkeys(["lerp", "norm_scaled", "poisson_nll_log", "bce_logits_weighted", "kl"],
                    "a product overflows where the float64 reference does not"),
    "hardswish": "at -infinity it is 0, its limit; the reference multiplies infinity by 0",
}

# Where an op is defined and smooth: (low, high) per input; the default is DEFAULT for each
DEFAULT = (-2.0, 2.0)
POSITIVE, UNIT, PROBABILITY = (0.1, 3.0), (-0.95, 0.95), (0.05, 0.95)
DOMAINS = {
    "div": (DEFAULT, POSITIVE), "pow": ((0.2, 2.0), (-2.0, 2.0)), "sqrt": (POSITIVE,), "rsqrt": (POSITIVE,),
    "reciprocal": (POSITIVE,), "log": (POSITIVE,), "log2": (POSITIVE,), "log10": (POSITIVE,), "log1p": (POSITIVE,),
    "tan": ((-1.2, 1.2),), "remainder": (DEFAULT, (0.3, 2.0)), "fmod": (DEFAULT, (0.3, 2.0)),
    "floor_divide": (DEFAULT, (0.3, 2.0)), "trunc_divide": (DEFAULT, (0.3, 2.0)), "asin": (UNIT,), "acos": (UNIT,),
    "atanh": (UNIT,), "acosh": ((1.1, 3.0),), "erfinv": (UNIT,), "ndtri": (PROBABILITY,), "logit_plain": (PROBABILITY,),
    "entr": (POSITIVE,), "xlogy": (DEFAULT, POSITIVE), "xlog1py": (DEFAULT, POSITIVE), "zeta": ((1.2, 4.0), POSITIVE),
    **dict.fromkeys(("igamma", "igammac"), (POSITIVE, POSITIVE)),
}
# The same for integers, ends included; the default is INTEGERS
INTEGERS, NOT_ZERO = (-5, 5), (1, 5)
INTEGER_DOMAINS = {
    "pow": (INTEGERS, (0, 3)), "div": (INTEGERS, NOT_ZERO), "remainder": (INTEGERS, NOT_ZERO), "fmod": (INTEGERS, NOT_ZERO),
    "floor_divide": (INTEGERS, NOT_ZERO), "trunc_divide": (INTEGERS, NOT_ZERO), "sqrt": (NOT_ZERO,), "rsqrt": (NOT_ZERO,),
    "reciprocal": (NOT_ZERO,), "log": (NOT_ZERO,), "log2": (NOT_ZERO,), "log10": (NOT_ZERO,), "log1p": (NOT_ZERO,),
    "asin": ((-1, 1),), "acos": ((-1, 1),), "atanh": ((0, 0),), "acosh": (NOT_ZERO,),
    "bitwise_left_shift": (INTEGERS, (0, 2)), "bitwise_right_shift": (INTEGERS, (0, 2)),
}
ATTRIBUTES = {"alpha": 2}

# Numbers of floating inputs that have no gradient, as in PyTorch
NO_GRADIENT = {"zeta": (0,), "igamma": (0,), "igammac": (0,), "nll": (2,), "cross_entropy_numbers": (2,),
               **dict.fromkeys(("roi_mean", "roi_mean_gradient", "roi_max"), (1,))}

# Enough for every op: several launches and the compiled rank do not depend on the op
REDUCED = ({"dim": None}, {"dim": 0}, {"dim": -1, "keepdim": True}, {"dim": (0, 2)})


def ops(*kinds):
    """The tested ops of these kinds: "elementwise", "reduction", "other" (which bring their own samples)."""
    return [op for op in REGISTRY.values() if op.name not in EXEMPT
            and (op.kind if op.kind in ("elementwise", "reduction") else "other") in kinds]


def referenced(*kinds):
    """The tested ops of these kinds that have a reference here."""
    return [op for op in ops(*kinds) if op.ref is not None and op.name not in REFERENCED_ELSEWHERE]


def tried(op):
    """The dtypes op is tried with: all it allows, and the integers that it turns into floats."""
    if op.samples is not None:
        return allowed(op) if op.complex or _varies(op) else (dtypes.int64,)
    if op.dtypes == "floating" and op.kind == "elementwise":
        return (*allowed(op), dtypes.int64, dtypes.bool_)
    return allowed(op)


def _varies(op):
    """Whether the dtype of op's declared samples is open: some are floating, or the op is one on integers."""
    args, _ = op.samples(np.random.default_rng(SEED))[0]
    return op.dtypes in ("integer", "integral") or any(np.asarray(a).dtype.kind in "fc" for a in args if a is not None)


def allowed(op):
    """The dtypes op takes as they are."""
    return op.allowed


def representable(values, dtype):
    """values as NumPy holds them for dtype: float64 rounded to what it can represent, or integers and bools as they are."""
    values = np.asarray(values)
    if dtype.is_complex:
        parts = [representable(part, dtype.to_real()) for part in (values.real, values.imag)]
        return joined(*parts)
    if dtype is dtypes.bfloat16:
        bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
        bits = bits + 0x7FFF + ((bits >> 16) & 1) & np.uint32(0xFFFF0000)
        return bits.view(np.float32).reshape(values.shape).astype(np.float64)
    if dtype.is_floating_point:
        with np.errstate(over="ignore"):
            return values.astype(dtype.numpy).astype(np.float64)
    return values.astype(dtype.numpy)


def joined(re, im):
    """An array of complex numbers; infinite parts stay what they are."""
    made = np.empty(np.broadcast_shapes(np.shape(re), np.shape(im)), np.complex128)
    made.real, made.imag = re, im
    return made


def _drawn(op, rng, dtype, i, shape):
    """Random values of dtype for input i of an elementwise op or reduction."""
    if dtype.is_complex:
        return joined(*(_drawn(op, rng, dtype.to_real(), i, shape) for _ in range(2)))
    if dtype.category == "bool":
        return rng.random(shape) < 0.5
    if dtype.category == "int":
        domain = INTEGER_DOMAINS.get(op.name, ())
        low, high = domain[i] if i < len(domain) else INTEGERS
        return rng.integers(low if dtype.is_signed else max(low, 0), high + 1, shape).astype(dtype.numpy)
    domain = DOMAINS.get(op.name, ())
    low, high = domain[i] if i < len(domain) else DEFAULT
    return representable(rng.uniform(low, high, shape), dtype)


def drawn(op, rng, dtype, *shapes):
    """One array per input of an elementwise op or reduction; the last shape serves all further inputs."""
    shapes = [*shapes, *shapes[-1:] * len(op.inputs)]
    if op.samples is not None:  # the op's own samples, repeated to fill the shape
        return tuple(np.resize(a, shape) for a, shape in zip(samples(op, dtype, rng)[0][0], shapes, strict=False))
    exempt = getattr(op, "exempt", ())
    return tuple(_drawn(op, rng, dtypes.bool_ if name in exempt else dtype, i, shapes[i])
                 for i, name in enumerate(op.inputs))


def _attributes(op):
    missing = [n for n, default in op.attrs.items() if default is _REQUIRED and n not in ATTRIBUTES]
    if missing:
        raise LookupError(f"op {op.name} has attribute(s) {', '.join(missing)} without a default; give its declaration samples=")
    return {n: ATTRIBUTES[n] for n, default in op.attrs.items() if default is _REQUIRED}


_REQUIRED = __import__("inspect").Parameter.empty


def samples(op, dtype, rng=None, shape=(3, 4, 2)):
    """[(arrays, attributes)] of op for one dtype."""
    rng = rng or np.random.default_rng(SEED)
    if op.samples is not None:
        return [(_cast(args, dtype) if _varies(op) else args, kwargs) for args, kwargs in op.samples(rng)]
    if op.kind == "elementwise":
        return [(drawn(op, rng, dtype, shape), _attributes(op))]
    if op.kind == "reduction":
        reduced = REDUCED[:3] if op.indexed else REDUCED
        return [(drawn(op, rng, dtype, shape), {**_attributes(op), **dims}) for dims in reduced]
    raise LookupError(f"op {op.name} has no samples=; add them to its declaration")


def numbers(op, dtype):
    """The attributes of op's first sample, less the dimensions reduced."""
    return {n: v for n, v in samples(op, dtype)[0][1].items() if n not in ("dim", "keepdim")}


def _cast(args, dtype):
    """Declared sample arrays for dtype: the floating ones, or all where none is floating."""
    floating = any(a is not None and np.asarray(a).dtype.kind in "fc" for a in args)
    return tuple(_cast_one(a, dtype, floating) for a in args)


def _cast_one(a, dtype, floating):
    if a is None or isinstance(a, (bool, int, float)):
        return a
    a = np.asarray(a)
    if floating and a.dtype.kind not in "fc":
        return a
    if dtype.is_complex:
        return representable(a if a.dtype.kind == "c" else a + 0.5j * np.sin(3 * a), dtype)
    a = a.real if a.dtype.kind == "c" else a
    if dtype.category == "bool":
        return a > 0
    if dtype.category == "int":
        scaled = np.round(a * 3) if a.dtype.kind == "f" else a
        return (scaled if dtype.is_signed else np.abs(scaled)).astype(dtype.numpy)
    return representable(a, dtype)


# --- tensors and references ------------------------------------------------------------------------------------------


def tensors(arrays, dtype):
    """arrays as tensors: floating ones, and those of dtype's category, as dtype.  Skips a dtype that the device has not."""
    if dtype.to_real() is dtypes.float64 and not default_device().profile.fp64:
        pytest.skip("the device has no float64")
    return [tensor(a, dtype) for a in arrays]


def tensor(a, dtype):
    """One array as a tensor; numbers and None as they are."""
    if not isinstance(a, (np.ndarray, np.generic)):
        return a
    return ct.tensor(a, dtype=dtype if a.dtype.kind == "f" or (a.dtype.kind == "c" and dtype.is_complex) else None)


def values(t):
    """A tensor's values as a NumPy array; bfloat16 as float32."""
    t = t.detach()
    return t.to(dtypes.numpy_form(t.dtype)).numpy()


def reference(op, arrays, attributes):
    """What op should give: an array, or a tuple where it has several outputs."""
    attributes = dict(attributes)
    if op.kind == "reduction":
        dim = attributes.pop("dim", None)
        attributes.update(axis=dim, keepdims=attributes.pop("keepdim", False))
    if op.dtypes == "floating" and op.samples is None:  # NumPy computes exp of a bool in float16
        arrays = [a.astype(np.float64) if getattr(a, "dtype", None) in (np.bool_, np.int64) else a for a in arrays]
    with np.errstate(all="ignore"):
        try:
            return op.ref(*arrays, **attributes)
        except TypeError:
            if not any(isinstance(a, np.ndarray) and a.dtype.kind == "b" for a in arrays):
                raise
            return op.ref(*(a.astype(np.int8) for a in arrays), **attributes)


def expected_dtype(op, dtype, result):
    """The dtype op gives for inputs of dtype, told from the reference's result."""
    if result.dtype.kind == "b" and dtype.category != "bool":
        return dtypes.bool_
    if dtype.is_complex and result.dtype.kind == "f":
        return dtype.to_real()
    if getattr(op, "makes_complex", False):
        return dtype.to_complex()
    if op.kind == "reduction" and (result.dtype.kind == "b" or not dtype.is_inexact or result.dtype.kind in "iu"):
        if op.name in ("amax", "amin"):
            return dtype
        return dtypes.bool_ if result.dtype.kind == "b" else dtypes.int64
    return dtypes.float32 if op.dtypes == "floating" and not dtype.is_inexact else dtype


def tolerance(dtype, terms=1):
    """(rtol, atol) for a result of dtype that sums up `terms` numbers of size about 1."""
    eps = dtypes.finfo(dtype).eps
    if dtype.to_real().itemsize == 2:  # computed in float32, rounded once
        return eps, eps / 16 * math.sqrt(terms)
    return 16 * eps, 8 * eps * math.sqrt(terms)


#: how much further off an op may be than its dtype's own tolerance, where its formula loses digits
SLACK = {"digamma": 256,  # the reflection of negative arguments cancels near the poles
         "bce_logits_weighted": 32}  # its two terms cancel where the logit is large


def assert_close(found, wanted, dtype, terms=1, what="", slack=1):
    """Compare values (an array) with the reference, as closely as dtype allows."""
    wanted = np.asarray(wanted)
    assert found.shape == wanted.shape, f"{what}: shape {found.shape}, expected {wanted.shape}"
    if not dtype.is_inexact:
        np.testing.assert_array_equal(found, wanted.astype(dtype.numpy), err_msg=what)
        return
    rtol, atol = (slack * t for t in tolerance(dtype, terms))
    if dtype.is_complex:
        np.testing.assert_allclose(found.astype(np.complex128), representable(wanted, dtype), rtol=rtol, atol=atol, err_msg=what)
        return
    np.testing.assert_allclose(found.astype(np.float64), representable(wanted, dtype), rtol=rtol, atol=atol, err_msg=what)


def check(op, inputs, arrays, attributes, dtype, what=""):
    """Run op on tensors and compare values, shapes and dtypes with the reference on arrays."""
    found = op(*inputs, **attributes)
    wanted = reference(op, arrays, attributes)
    found, wanted = (r if isinstance(r, tuple) else (r,) for r in (found, wanted))
    for f, w in zip(found, wanted, strict=False):  # a reference may leave later outputs out
        w = np.asarray(w)
        if op.kind == "elementwise":  # an output that does not depend on every input has the common shape all the same
            w = np.broadcast_to(w, np.broadcast_shapes(*map(np.shape, arrays)))
        if op.kind in ("elementwise", "reduction"):
            assert f.dtype is expected_dtype(op, dtype, w), f"{what}: {f.dtype}"
        terms = max(1, max((np.size(a) for a in arrays if a is not None), default=1) // max(1, w.size))
        assert_close(values(f), w, f.dtype, terms, what, SLACK.get(op.name, 1))
