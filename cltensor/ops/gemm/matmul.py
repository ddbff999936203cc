"""Matrix products: torch.matmul's shapes, the gradients, and how operands become a MatrixProduct."""

from dataclasses import replace

import numpy as np

from ...base.errors import DTypeError, ShapeError
from ...base.shapes import broadcast_shapes, broadcast_strides, collapse
from ...codegen.types import NUMPY_OF, compute_type
from ...dispatch.autocast import LOW
from ...dispatch.plan import In, Value
from ...dispatch.spec import Spec, dense, spec
from ..kinds.activated import activated
from ..kinds.kernel import kernel
from . import onnx_rules
from .finishing import ProductFinishing
from .gemm import MatrixProduct, Operand, product_steps


def matmul_shape(input: Spec, other: Spec) -> Spec:
    """The Spec of torch.matmul(input, other).  Raises ShapeError, or DTypeError when the dtypes differ."""
    a, b = input, other
    _check_dtypes("matmul", a, b)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(f"matmul: both operands need at least 1 dimension, got {_shapes(a=a, b=b)}; multiply by a "
                         "number with a * b")
    if a.shape[-1] != b.shape[-min(b.ndim, 2)]:
        raise ShapeError(_inner_sizes(a, b))
    batch = broadcast_shapes(a.shape[:-2], b.shape[:-2], op="matmul")
    return dense(batch + a.shape[-2:-1] + (b.shape[-1:] if b.ndim > 1 else ()), a.dtype, a.device)


def matmul_product(inputs, outputs):
    """The MatrixProduct of a @ b."""
    return product_of(*inputs)


def matmul_launch(inputs, outputs):
    """The Steps of a @ b."""
    return product_steps(matmul_product(inputs, outputs))


def linear_shape(input: Spec, weight: Spec, bias: Spec) -> Spec:
    """The Spec of input @ weight.T + bias.  Raises ShapeError, or DTypeError when the dtypes differ."""
    given = [s for s in (weight, bias) if s is not None]
    _check_dtypes("linear", input, *given)
    if weight.ndim != 2 or input.ndim == 0 or input.shape[-1] != weight.shape[1]:
        raise ShapeError(f"linear: sizes do not fit: {_shapes(input=input, weight=weight)}; need weight of shape "
                         "(out_features, in_features) and input.shape[-1] == in_features")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(f"linear: sizes do not fit: {_shapes(weight=weight, bias=bias)}; need a bias of shape "
                         f"({weight.shape[0]},)")
    return dense(input.shape[:-1] + weight.shape[:1], input.dtype, input.device)


def linear_product(inputs, outputs, *, activation=""):
    """The MatrixProduct of input @ weight.T + bias, with an activation (codegen/activation.py); bias may be None."""
    x, weight, bias = inputs
    turned = spec(weight.shape[::-1], weight.strides[::-1], weight.dtype, weight.device)
    product = replace(product_of(x, turned), activation=activation)
    if bias is not None:
        product = replace(product, extras=((In(2), bias.dtype, (0, 0, bias.strides[0])),), epilogue="acc + e0")
    return product


def linear_launch(inputs, outputs, *, activation=""):
    """The Steps of linear_product."""
    return product_steps(linear_product(inputs, outputs, activation=activation))


def added_shape(input: Spec, a: Spec, b: Spec, *, beta, alpha) -> Spec:
    """The Spec of beta * input + alpha * a @ b.  Raises ShapeError, or DTypeError when the dtypes differ."""
    _check_dtypes("addmm", input, a, b)
    y = matmul_shape(a, b)
    if broadcast_shapes(input.shape, y.shape, op="addmm") != y.shape:
        raise ShapeError(f"addmm: {_shapes(input=input)} is not expandable to {tuple(y.shape)}")
    return y


def added_launch(inputs, outputs):
    """The Steps of beta * input + alpha * a @ b, matrices or batches of them."""
    input, a, b = inputs
    y, = outputs
    left, right = (Operand(In(i), s.strides[:-2], *s.strides[-2:]) for i, s in ((1, a), (2, b)))
    along = (0,) * (3 - y.ndim) + broadcast_strides(input.shape, input.strides, y.shape)
    number = getattr(np, NUMPY_OF[compute_type(y.dtype)])
    return product_steps(MatrixProduct(
        y.device, y.dtype, tuple(y.shape[:-2]), *y.shape[-2:], a.shape[-1], left, right, extras=((In(0), y.dtype, along),),
        epilogue="beta * e0 + alpha * acc", scalars=(("beta", Value(0, number)), ("alpha", Value(1, number)))))


def _shapes(**specs):
    return ", ".join(f"{name} {tuple(s.shape)}" for name, s in specs.items())


def _check_dtypes(op, *specs):
    names = [s.dtype.name for s in specs]
    if len(set(names)) > 1:
        raise DTypeError(f"{op}: expected all operands to have the same dtype, but got {' and '.join(names)}; convert "
                         f"one, for instance with .to(cltensor.{names[0]})")


def _inner_sizes(a, b):
    need = "need a.shape[-1] == b.shape[-2]" if b.ndim > 1 else "need a.shape[-1] == b.shape[0]"
    hint = ""
    if b.ndim > 1 and a.shape[-1] == b.shape[-1]:
        hint = ". Did you mean a @ b.mT?"
    elif a.ndim > 1 and a.shape[-2] == b.shape[-min(b.ndim, 2)]:
        hint = ". Did you mean a.mT @ b?"
    return f"matmul: inner sizes differ: {_shapes(a=a, b=b)}; {need}{hint}"


def product_of(a, b):
    """The MatrixProduct of two Specs with fitting shapes.  Merges dimensions that are contiguous in every operand."""
    batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a_batch, b_batch = (broadcast_strides(s.shape[:-2], s.strides[:-2], batch) for s in (a, b))
    M, am, ak = (1, 0, a.strides[0]) if a.ndim == 1 else (a.shape[-2], *a.strides[-2:])
    N, bk, bn = (1, b.strides[0], 0) if b.ndim == 1 else (b.shape[-1], *b.strides[-2:])
    batch, (a_batch, b_batch) = collapse(batch, a_batch, b_batch)
    if batch and not any(b_batch):  # b has no batches: the batches of a are just more rows
        rows, (steps,) = collapse((*batch, M), (*a_batch, am))
        if len(rows) <= 1:
            batch, a_batch, b_batch = (), (), ()
            M, am = (*rows, 1)[0], (*steps, 0)[0]
    left, right = Operand(In(0), a_batch, am, ak), Operand(In(1), b_batch, bk, bn)
    return MatrixProduct(a.device, a.dtype, batch, M, N, a.shape[-1], left, right)


def _work(left):
    """The work of a product whose left factor is this input: two operations for each result and inner index."""
    return lambda specs, outs: 2 * outs[0].numel * specs[left].shape[-1]


# --- declarations -----------------------------------------------------------------------------------------------------


def grad_a(g, y, a, b):
    """The gradient of matmul's first factor."""
    if a.ndim == 1 and b.ndim == 1:
        return g * b.conj()
    if b.ndim == 1:
        return g.unsqueeze(-1) * b.conj()
    if a.ndim == 1:
        return (b.conj() @ g.unsqueeze(-1)).squeeze(-1)
    return g @ b.mH


def grad_b(g, y, a, b):
    """The gradient of matmul's second factor."""
    if a.ndim == 1 and b.ndim == 1:
        return g * a.conj()
    if a.ndim == 1:
        return a.conj().unsqueeze(-1) * g.unsqueeze(-2)
    if b.ndim == 1:
        return (a.mH @ g.unsqueeze(-1)).squeeze(-1)
    if b.ndim == 2 and a.ndim > 2:  # the batches of a are rows that share one b
        return a.flatten(0, -2).mH @ g.flatten(0, -2)
    return a.mH @ g


def _samples(*pairs):
    """Samples: pairs (or more) of arrays of these shapes; None stays None."""
    return lambda rng: [(tuple(s if s is None else rng.uniform(-1, 1, s) for s in shapes), {}) for shapes in pairs]


matmul = kernel(
    "matmul", autocast=LOW, onnx=onnx_rules.matmul,
    shape=matmul_shape, launch=matmul_launch, finishing=ProductFinishing(matmul_product),
    saves="input(other) other(input)", vjp=(grad_a, grad_b), work=_work(0), products=True, dtypes="number",
    on_complex="complex_matmul", ref=np.matmul,
    samples=_samples(((3, 4), (4, 2)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (2, 4, 3)), ((2, 1, 3, 4), (3, 4, 2)),
                     ((2, 3, 4), (4, 2))),
    doc="""Matrix product, with torch.matmul's rules for 1-d and batched operands.

    y[..., i, j] = sum over k of input[..., i, k] * other[..., k, j]

    Args:
        input: (..., M, K), real or complex, or (K,) taken as one row that the result drops.
        other: (..., K, N) of input's dtype, or (K,) taken as one column that the result drops; batches broadcast.
    Returns: (..., M, N), contiguous.
    Raises: ShapeError when the inner sizes differ; DTypeError when the dtypes do.
    Numerics: 16-bit types are summed in float32 and rounded once; integers wrap around.
    """)


def _scaled(g, factor):
    return g if factor == 1 else g * factor


addmm = kernel(
    "addmm_fused", autocast=LOW, onnx=onnx_rules.added,
    shape=added_shape, launch=added_launch, values=("beta", "alpha"), saves="a(b) b(a)",
    work=_work(1), products=True, dtypes="number", public=False, on_complex="complex_addmm",
    vjp=(lambda g, y, input, a, b, beta, alpha: _scaled(g, beta),
         lambda g, y, input, a, b, beta, alpha: _scaled(g @ b.mT, alpha),
         lambda g, y, input, a, b, beta, alpha: _scaled(a.mT @ g, alpha)),
    ref=lambda input, a, b, beta, alpha: beta * input + alpha * (a @ b),
    samples=lambda rng: [(tuple(rng.uniform(-1, 1, s) for s in shapes), {"beta": 2, "alpha": 3})
                         for shapes in (((3, 2), (3, 4), (4, 2)), ((2,), (3, 4), (4, 2)), ((3, 1), (5, 3, 4), (5, 4, 2)))],
    doc="beta * input + alpha * a @ b, for matrices or batches of as many of them, in one go; input broadcasts.")


def _grad_weight(g, y, input, weight, bias):
    if input.ndim == 1:
        return g.unsqueeze(-1) * input
    return g.flatten(0, -2).mT @ input.flatten(0, -2)


linear = kernel(
    "linear", autocast=LOW, onnx=onnx_rules.linear,
    shape=linear_shape, launch=linear_launch, finishing=ProductFinishing(linear_product),
    saves="input(weight) weight(input)", work=_work(0), products=True, dtypes="number", public=False, on_complex="complex_linear",
    vjp=(lambda g, y, input, weight, bias: g @ weight, _grad_weight, lambda g, y, input, weight, bias: g),
    ref=lambda x, w, b: x @ w.T + (0 if b is None else b),
    samples=_samples(((3, 4), (2, 4), (2,)), ((2, 3, 4), (5, 4), None), ((4,), (3, 4), (3,))),
    doc="input (..., in_features) @ weight (out_features, in_features).T + bias (out_features,) or None, in one go.")

linear_activated = activated(linear)
