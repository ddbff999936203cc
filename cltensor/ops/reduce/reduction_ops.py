"""Every reduction: sums, products, extremes, truth values."""

import math

import numpy as np

from ...base import dtypes
from ...codegen import expr as E
from ...dispatch.autocast import FLOAT32, FLOAT32_ON_GPU
from ..kinds.precision import in_float32
from ..kinds.reduction import reduction
from . import onnx_rules


def _lowest(d):
    return -math.inf if d.is_floating_point else 0 if not d.is_signed else dtypes.iinfo(d).min


def _highest(d):
    return math.inf if d.is_floating_point else 1 if d.category == "bool" else dtypes.iinfo(d).max


def unreduce(t, x, dim, keepdim):
    """A reduced tensor broadcast back to x's shape."""
    if not keepdim and t.ndim:
        for d in dim:
            t = t.unsqueeze(d)
    return t.expand(x.shape)


def _count(x, dim):
    return math.prod(x.shape[d] for d in dim)


def _greater(a, i, b, j):
    """Whether (b, j) beats (a, i): larger, or NaN, or equal and earlier."""
    return E.where(a != a, (b != b) & (j < i), (b != b) | (b > a) | ((b == a) & (j < i)))


def _less(a, i, b, j):
    return E.where(a != a, (b != b) & (j < i), (b != b) | (b < a) | ((b == a) & (j < i)))


@in_float32
def spread_ties(g, y, x, dim, keepdim):
    """Gradient of a maximum or minimum, divided equally among the elements that attain it."""
    hit = (x == unreduce(y, x, dim, keepdim)) | (x.isnan() & unreduce(y.isnan(), x, dim, keepdim))
    share = unreduce(g, x, dim, keepdim) / hit.to(g.dtype).sum(dim, keepdim=True)
    return share.where(hit, 0)  # not a product: an infinite gradient times 0 would be NaN


@in_float32
def _prod_gradient(g, y, x, dim, keepdim):
    """Gradient of a product: the product of the other factors; correct even if some are 0."""
    if not dim or not x.numel():
        return unreduce(g, x, dim, keepdim)
    rest = [d for d in range(x.ndim) if d not in dim]
    moved = x.permute([*rest, *dim])
    rows = moved.reshape([*(x.shape[d] for d in rest), _count(x, dim)])
    others = _product_before(rows) * _product_before(rows.flip(-1)).flip(-1)
    back = [0] * x.ndim
    for i, d in enumerate([*rest, *dim]):
        back[d] = i
    return unreduce(g, x, dim, keepdim) * others.reshape(moved.shape).permute(back).conj()


def _product_before(rows):
    """For each element, the product of those before it along the last dimension; 1 for the first."""
    ones = rows.new_ones(()).expand([*rows.shape[:-1], 1])
    return rows.roll(1, -1).slice_scatter(ones, -1, 0, 1).cumprod(-1)


sum_ = reduction("sum_reduce", autocast=FLOAT32_ON_GPU, map=lambda input: input, combine=lambda a, b: a + b, identity=0,
                 result=("acc",), accumulate="wide", ref=np.sum, public=False,
                 vjp=(lambda g, y, x, dim, keepdim: unreduce(g, x, dim, keepdim),),
                 doc="Sum over dim; integers add up in int64.", complex=True)
mean = reduction("mean_reduce", onnx=onnx_rules.reduced("ReduceMean"),
                 map=lambda input: input, combine=lambda a, b: a + b, identity=0, result=("float",),
                 finish=lambda a, n: a / n, ref=np.mean, dtypes="floating", public=False,
                 vjp=(lambda g, y, x, dim, keepdim: unreduce(g / max(_count(x, dim), 1), x, dim, keepdim),),
                 doc="Mean over dim.", complex=True)
prod = reduction("prod_reduce", autocast=FLOAT32, map=lambda input: input, combine=lambda a, b: a * b, identity=1, result=("acc",),
                 accumulate="wide", ref=np.prod, public=False, saves="input",
                 vjp=(_prod_gradient,), doc="Product over dim.", complex=True)
amax = reduction("amax", map=lambda input: input, combine=lambda a, b: E.maximum(a, b), identity=_lowest, nonempty=True,
                 ref=np.max, vjp=(spread_ties,), saves="input y",
                 doc="Largest value over dim; ties share the gradient equally.")
amin = reduction("amin", map=lambda input: input, combine=lambda a, b: E.minimum(a, b), identity=_highest, nonempty=True,
                 ref=np.min, vjp=(spread_ties,), saves="input y",
                 doc="Smallest value over dim; ties share the gradient equally.")
argmax = reduction("argmax_reduce", onnx=onnx_rules.position("ArgMax"), map=lambda input, index: (input, index),
                   combine=lambda a, i, b, j: (E.where(_greater(a, i, b, j), b, a), E.where(_greater(a, i, b, j), j, i)),
                   identity=(_lowest, np.iinfo(np.int64).max), states=("acc", "int64"), finish=lambda a, i, n: i,
                   result=("int64",), nonempty=True, ref=np.argmax, public=False,
                   doc="Index of the largest value over dim, the first where there are several.")
argmin = reduction("argmin_reduce", onnx=onnx_rules.position("ArgMin"), map=lambda input, index: (input, index),
                   combine=lambda a, i, b, j: (E.where(_less(a, i, b, j), b, a), E.where(_less(a, i, b, j), j, i)),
                   identity=(_highest, np.iinfo(np.int64).max), states=("acc", "int64"), finish=lambda a, i, n: i,
                   result=("int64",), nonempty=True, ref=np.argmin, public=False,
                   doc="Index of the smallest value over dim, the first where there are several.")
any_ = reduction("any_reduce", map=lambda input: E.where(input != 0, 1, 0), combine=lambda a, b: a | b, identity=0,
                 states=("int32",), result=("bool",), ref=np.any, public=False, dtypes="stored",
                 doc="Whether any element is non-zero.", complex=True)
all_ = reduction("all_reduce", map=lambda input: E.where(input != 0, 1, 0), combine=lambda a, b: a & b, identity=1,
                 states=("int32",), result=("bool",), ref=np.all, public=False, dtypes="stored",
                 doc="Whether every element is non-zero.", complex=True)
sum_squares = reduction("sum_squared_deviation", map=lambda input, center: E.real((input - center) * E.conj(input - center)),
                        combine=lambda a, b: a + b, states=("real",), result=("real",), identity=0,
                        ref=lambda x, c, **k: np.sum(np.abs(x - c) ** 2, **k),
                        public=False, dtypes="floating", saves="input center",
                        vjp=(lambda g, y, x, c, dim, keepdim: 2 * unreduce(g, x, dim, keepdim) * (x - c),
                             lambda g, y, x, c, dim, keepdim: 2 * unreduce(g, x, dim, keepdim) * (c - x)),
                        doc="Sum over dim of (input - center) ** 2, in one pass: the second half of a variance.", complex=True)
dot = reduction("sum_product", map=lambda input, other: input * other, combine=lambda a, b: a + b, identity=0, result=("acc",),
                accumulate="wide", ref=lambda a, b, **k: np.sum(a * b, **k), public=False, saves="input(other) other(input)",
                vjp=(lambda g, y, a, b, dim, keepdim: unreduce(g, a, dim, keepdim) * b.conj(),
                     lambda g, y, a, b, dim, keepdim: unreduce(g, a, dim, keepdim) * a.conj()),
                doc="Sum over dim of input * other, in one pass.", complex=True)
