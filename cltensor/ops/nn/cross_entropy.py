"""Cross entropy against class numbers; forward and backward each read the input once."""

import numpy as np

from ...base import bfloat16, dtypes
from ...base.observed_sizes import plain
from ...codegen import expr as E
from ...dispatch.run_elementwise import filled
from ...dispatch.spec import dense
from ..kinds.composite import composite
from ..kinds.elementwise import elementwise
from ..kinds.precision import wide
from ..kinds.reduction import reduction
from .softmax import softmax_parts

# Class numbers and targets are compared in the accumulation type, float32 except for float64: exact to 2**24 classes.
_sums = reduction(
    "nll_sums", public=False, dtypes="floating", states=("acc", "acc"), result=("input", "input"), identity=(0, 0),
    map=lambda logp, target, number, weight, ignored=-100.0, smoothing=0.0, share=0.0, mean=0.0: (
        E.where(target == ignored, 0, E.where(target == number, -(logp * weight) * (share + 1 - smoothing),
                                              E.where(share == 0, 0, -(logp * weight) * share))),  # logp may be infinite
        E.where((target == number) & (target != ignored), weight, 0)),
    combine=lambda a, n, b, m: (a + b, n + m),
    finish=lambda a, n, count, ignored, smoothing, share, mean: (E.where(mean > 0, a / n, a), n),
    doc="Sum over dim of the negative log-probabilities of the targets (or, with mean 1, their mean), and the targets' weight.")
_slope = elementwise(
    "nll_slope", tensors="g total target number weight", dtypes="floating", public=False,
    fn=lambda g, total, target, number, weight, ignored, smoothing, share: E.where(
        target == ignored, 0, E.where(target == number, -(g / total * weight) * (share + 1 - smoothing),
                                      E.where(share == 0, 0, -(g / total * weight) * share))),
    samples=lambda rng: [((rng.standard_normal((3, 1)), np.full((1, 1), 3.0), rng.integers(0, 4, (3, 1)), np.arange(4.0),
                           rng.random(4)), {"ignored": 2, "smoothing": 0.1, "share": 0.025})],
    doc="The gradient of nll_sums with respect to the log-probabilities.")
_known = elementwise(
    "nll_known", lambda target, ignored: E.where(target == ignored, 0, target), tensors="target", dtypes="index", public=False,
    ref=lambda target, ignored: np.where(target == ignored, 0, target),
    samples=lambda rng: [((rng.integers(-2, 3, (5,)),), {"ignored": -1})], doc="target, with 0 for what is ignored.")
# Per sample: the target's input, the largest input, the log of the sum (see ops/nn/softmax.py), the target and its weight.
_picked_sums = reduction(
    "cross_entropy_sums", public=False, dtypes="floating", states=("acc", "acc"), result=("input", "input"), identity=(0, 0),
    map=lambda picked, top, log, target, weight, ignored=-100.0, mean=0.0: (
        E.where(target == ignored, 0, (log - (picked - top)) * weight), E.where(target == ignored, 0, weight)),
    combine=lambda a, n, b, m: (a + b, n + m),
    finish=lambda a, n, count, ignored, mean: (E.where(mean > 0, a / n, a), n),
    doc="Sum over dim of the targets' negative log-probabilities (or, with mean 1, their mean), and the targets' weight.")
_input_slope = elementwise(
    "cross_entropy_slope", tensors="g input total g_top g_log top log target number weight", dtypes="floating", public=False,
    fn=lambda g, input, total, g_top, g_log, top, log, target, number, weight, ignored: (
        E.where(target == ignored, 0, g / total * weight * (E.exp(input - top - log) - E.where(target == number, 1, 0)))
        + g_log * E.exp(input - top - log) + E.where(input == top, g_top - g_log, 0)),
    samples=lambda rng: [((rng.standard_normal((3, 1)), rng.standard_normal((3, 4)), np.full((1, 1), 3.0),
                           rng.standard_normal((3, 1)), rng.standard_normal((3, 1)), rng.random((3, 1)), 1 + rng.random((3, 1)),
                           rng.integers(0, 4, (3, 1)), np.arange(4.0), rng.random((3, 1))), {"ignored": 2})],
    doc="The gradient with respect to the input of what cross_entropy_numbers gives.")


_KEPT = {}


def _kept(make, n, dtype, x):
    """make(n, dtype, x), a tensor on x's device; cached."""
    n = plain(n)
    key = make, n, dtype, x.device
    found = _KEPT.get(key)
    if found is None:
        if len(_KEPT) >= 64:
            _KEPT.clear()
        found = _KEPT[key] = make(n, dtype, x)
    return found


def _numbers(n, dtype, x):
    """0, 1, ..., n - 1."""
    values = np.arange(n)
    array = bfloat16.encode(values) if dtype is dtypes.bfloat16 else values.astype(dtype.numpy)
    return x._plain._from_array(array, dtype, x.device)


def _ones(n, dtype, x):
    """Weights of 1 for n classes."""
    return filled(x._plain, dense((n,), dtype, x.device), 1)


def across(vector, ndim):
    """A vector over the classes, shaped to broadcast against (N, C, *)."""
    return vector.reshape(1, -1, *(1,) * (ndim - 2))


def _gradient(g, y, logp, target, weight, *, reduction, ignored, smoothing):
    g = g[0].unsqueeze(1) if reduction == "none" else g[0]
    number, plain = (_kept(make, logp.shape[1], logp.dtype, logp) for make in (_numbers, _ones))
    ndim = logp.ndim
    return (_slope(g, y[1] if reduction == "mean" else 1.0, target.unsqueeze(1), across(number, ndim),
                   across(plain if weight is None else weight, ndim), ignored=ignored, smoothing=smoothing,
                   share=smoothing / logp.shape[1]), None, None)


def _reference(logp, target, weight, *, reduction, ignored, smoothing):
    losses, total = np.zeros(target.shape), np.zeros(target.shape)
    for at in np.ndindex(target.shape):
        row, wanted = logp[(at[0], slice(None), *at[1:])], target[at]
        weights = np.ones(len(row)) if weight is None else weight
        if wanted != ignored:
            spread = np.full(len(row), smoothing / len(row)) + (1 - smoothing) * (np.arange(len(row)) == wanted)
            losses[at], total[at] = -(row * weights) @ spread, weights[wanted]
    if reduction == "none":
        return losses, total
    return losses.sum() / (total.sum() if reduction == "mean" else 1), total.sum()


def _samples(rng):
    logp, target, weight = -rng.uniform(0.1, 2, (4, 3, 2)), rng.integers(0, 3, (4, 2)), rng.uniform(0.5, 2, 3)
    return [((logp, target, w), {"reduction": reduction, "ignored": ignored, "smoothing": smoothing})
            for w, reduction, ignored, smoothing in ((None, "mean", -100, 0.0), (weight, "mean", 1, 0.0),
                                                     (weight, "none", 2, 0.2), (weight, "sum", -100, 0.3))]


@composite("nll", public=False, dtypes="floating", saves="target weight y1", ref=_reference, samples=_samples,
           vjp=lambda g, y, logp, target, weight, needs, **settings: _gradient(g, y, logp, target, weight, **settings))
def nll(logp, target, weight, *, reduction, ignored, smoothing):
    """(losses, total weight) for log-probabilities (N, C, *), class numbers (N, *) and weights (C,) or None."""
    number, plain = (_kept(make, logp.shape[1], logp.dtype, logp) for make in (_numbers, _ones))
    # look up every target: the device notices one out of range, and the next read of values raises
    number.index_select(0, _known(target.long(), ignored=ignored).reshape(-1))
    return _sums(logp, target.unsqueeze(1), across(number, logp.ndim),
                 across(plain if weight is None else weight, logp.ndim), dim=(1,) if reduction == "none" else None,
                 ignored=float(ignored), smoothing=smoothing, share=smoothing / logp.shape[1], mean=float(reduction == "mean"))


def _weights_of(weight, numbers):
    """The weight of each class number, in the numbers' shape."""
    return weight.index_select(0, numbers.reshape(-1)).reshape(numbers.shape)


def _input_gradient(gs, ys, input, target, weight, *, reduction, ignored):
    g, g_top, g_log = (0.0 if g is None else g.unsqueeze(1) if g.ndim else g for g in (gs[0], *gs[2:]))
    number = _kept(_numbers, input.shape[1], dtypes.int32, input)
    weights = 1.0 if weight is None else _weights_of(weight, _known(target.long(), ignored=ignored)).unsqueeze(1)
    slope = _input_slope(g, input, ys[1] if reduction == "mean" else 1.0, g_top, g_log, ys[2].unsqueeze(1), ys[3].unsqueeze(1),
                         target.unsqueeze(1), across(number, input.ndim), weights, ignored=ignored)
    return slope, None, None


def _cross_entropy_reference(input, target, weight, *, reduction, ignored):
    top = input.max(1)
    log = np.log(np.exp(input - np.expand_dims(top, 1)).sum(1))
    logp = input - np.expand_dims(top + log, 1)
    return *_reference(logp, target, weight, reduction=reduction, ignored=ignored, smoothing=0.0), top, log


@composite("cross_entropy_numbers", public=False, dtypes="floating", accepts_missing_gradients=True,
           saves="input target weight y1 y2 y3",
           ref=_cross_entropy_reference,
           samples=lambda rng: [(arrays, {k: v for k, v in settings.items() if k != "smoothing"})
                                for arrays, settings in _samples(rng)],
           vjp=lambda g, y, input, target, weight, needs, **settings: _input_gradient(g, y, input, target, weight, **settings))
def cross_entropy(input, target, weight, *, reduction, ignored):
    """(losses, total weight, max over classes, log of the sum of exp(input - max)) for inputs (N, C, *); none in 16 bits."""
    top, log = softmax_parts(input.contiguous(), dim=1)
    numbers = _known(target.long(), ignored=ignored)
    picked = input.gather(1, numbers.unsqueeze(1)).squeeze(1)  # notices a target out of range; a read of values raises
    one = _kept(_ones, 1, input.dtype, input)
    operands = [wide(picked), top, log, target, one.expand(picked.shape) if weight is None else _weights_of(weight, numbers)]
    if reduction == "none":
        operands = [x.unsqueeze(0) for x in operands]
    losses, total = _picked_sums(*operands, dim=(0,) if reduction == "none" else None, ignored=float(ignored),
                                 mean=float(reduction == "mean"))
    return losses, total, top, log
