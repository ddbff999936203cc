"""Cross entropy against class numbers or class probabilities.

Against class numbers the input is read once on the way forward, for two numbers a sample, and once on the way back; nothing
of its size is kept but the input itself.  Smoothed labels and nll_loss take one pass over the log-probabilities.
"""

import functools

import numpy as np

from ...base import dtypes
from ...base.errors import ArgumentError, DTypeError, MismatchError, ShapeError
from ...codegen import expr as E
from ...ops.kinds.composite import composite
from ...ops.kinds.elementwise import elementwise
from ...ops.kinds.precision import in_float32, wide
from ...ops.kinds.reduction import reduction
from ...ops.nn.softmax import softmax_parts
from ...tensor.api.creation import arange, ones
from ...tensor.math.softmax import log_softmax
from .loss import reduced

_REDUCTIONS = ("none", "mean", "sum")

# Class numbers and targets are compared in the accumulation type, float32 for all but float64: exact to 2**24 classes.
_sums = reduction(
    "nll_sums", public=False, dtypes="floating", states=("acc", "acc"), result=("input", "input"), identity=(0, 0),
    map=lambda logp, target, number, weight, ignored=-100.0, smoothing=0.0, share=0.0, mean=0.0: (
        E.where(target == ignored, 0, E.where(target == number, -(logp * weight) * (share + 1 - smoothing),
                                              E.where(share == 0, 0, -(logp * weight) * share))),  # which may be infinite
        E.where((target == number) & (target != ignored), weight, 0)),
    combine=lambda a, n, b, m: (a + b, n + m),
    finish=lambda a, n, count, ignored, smoothing, share, mean: (E.where(mean > 0, a / n, a), n),
    doc="Sum over dim of the negative log-probabilities of the targets (or, with mean 1, their mean), and the targets' weight.")

_slope = elementwise(
    "nll_slope", tensors="g total target number weight", dtypes="floating", public=False,
    fn=lambda g, total, target, number, weight, ignored, smoothing, share: E.where(
        target == ignored, 0, -(g / total * weight) * (share + E.where(target == number, 1 - smoothing, 0))),
    samples=lambda rng: [((rng.standard_normal((3, 1)), np.full((1, 1), 3.0), rng.integers(0, 4, (3, 1)), np.arange(4.0),
                           rng.random(4)), {"ignored": 2, "smoothing": 0.1, "share": 0.025})],
    doc="The gradient of nll_sums with respect to the log-probabilities.")

_known = elementwise(
    "nll_known", lambda target, ignored: E.where(target == ignored, 0, target), tensors="target", dtypes="index", public=False,
    ref=lambda target, ignored: np.where(target == ignored, 0, target),
    samples=lambda rng: [((rng.integers(-2, 3, (5,)),), {"ignored": -1})], doc="target, with 0 for what is ignored.")


# Of each sample: the largest input, the log of the sum (see ops/nn/softmax.py), and what input, class and weight the target names.
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


@functools.lru_cache(maxsize=64)
def _classes(n, dtype, device):
    """(0, 1, ..., n - 1 and n ones) on the device: the numbers and default weights of n classes."""
    return arange(n, dtype=dtype, device=device), ones(n, dtype=dtype, device=device)


def _across(vector, ndim):
    """A vector over the classes as a tensor that broadcasts against (N, C, *)."""
    return vector.reshape(1, -1, *(1,) * (ndim - 2))


def _gradient(g, y, logp, target, weight, *, reduction, ignored, smoothing):
    g = g[0].unsqueeze(1) if reduction == "none" else g[0]
    number, plain = _classes(logp.shape[1], logp.dtype, logp.device)
    ndim = logp.ndim
    return (_slope(g, y[1] if reduction == "mean" else 1.0, target.unsqueeze(1), _across(number, ndim),
                   _across(plain if weight is None else weight, ndim), ignored=ignored, smoothing=smoothing,
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
def _nll(logp, target, weight, *, reduction, ignored, smoothing):
    """(losses, total weight) for log-probabilities (N, C, *), class numbers (N, *) and weights (C,) or None."""
    number, plain = _classes(logp.shape[1], logp.dtype, logp.device)
    # looks every target up once, so that one out of range is noticed on the device and raised where values are read
    number.index_select(0, _known(target.long(), ignored=ignored).reshape(-1))
    return _sums(logp, target.unsqueeze(1), _across(number, logp.ndim),
                 _across(plain if weight is None else weight, logp.ndim), dim=(1,) if reduction == "none" else None,
                 ignored=float(ignored), smoothing=smoothing, share=smoothing / logp.shape[1], mean=float(reduction == "mean"))


def _weights_of(weight, known):
    """The weights of class numbers, in their shape."""
    return weight.index_select(0, known.reshape(-1)).reshape(known.shape)


def _input_gradient(gs, ys, input, target, weight, *, reduction, ignored):
    g, g_top, g_log = (0.0 if g is None else g.unsqueeze(1) if g.ndim else g for g in (gs[0], *gs[2:]))
    number, _ = _classes(input.shape[1], dtypes.int32, input.device)
    weights = 1.0 if weight is None else _weights_of(weight, _known(target.long(), ignored=ignored)).unsqueeze(1)
    slope = _input_slope(g, input, ys[1] if reduction == "mean" else 1.0, g_top, g_log, ys[2].unsqueeze(1), ys[3].unsqueeze(1),
                         target.unsqueeze(1), _across(number, input.ndim), weights, ignored=ignored)
    return slope, None, None


def _cross_entropy_reference(input, target, weight, *, reduction, ignored):
    top = input.max(1)
    log = np.log(np.exp(input - np.expand_dims(top, 1)).sum(1))
    logp = input - np.expand_dims(top + log, 1)
    return *_reference(logp, target, weight, reduction=reduction, ignored=ignored, smoothing=0.0), top, log


@composite("cross_entropy_numbers", public=False, dtypes="floating", partial=True, saves="input target weight y1 y2 y3",
           ref=_cross_entropy_reference,
           samples=lambda rng: [(arrays, {k: v for k, v in settings.items() if k != "smoothing"})
                                for arrays, settings in _samples(rng)],
           vjp=lambda g, y, input, target, weight, needs, **settings: _input_gradient(g, y, input, target, weight, **settings))
def _cross_entropy(input, target, weight, *, reduction, ignored):
    """(losses, total weight, max over the classes, log of the sum of exp(input - max)) for inputs (N, C, *), none in 16 bits."""
    top, log = softmax_parts(input.contiguous(), dim=1)
    known = _known(target.long(), ignored=ignored)
    picked = input.gather(1, known.unsqueeze(1)).squeeze(1)  # notices a target out of range; raised where values are read
    _, one = _classes(1, input.dtype, input.device)
    operands = [wide(picked), top, log, target, one.expand(picked.shape) if weight is None else _weights_of(weight, known)]
    if reduction == "none":
        operands = [x.unsqueeze(0) for x in operands]
    losses, total = _picked_sums(*operands, dim=(0,) if reduction == "none" else None, ignored=float(ignored),
                                 mean=float(reduction == "mean"))
    return losses, total, top, log


def _check_reduction(reduction):
    if reduction not in _REDUCTIONS:
        raise ArgumentError(f"{reduction!r} is not a valid value for reduction; use 'mean', 'sum' or 'none'")


def _check_classes(op, input, target, weight):
    """Raise unless target holds a class number for each row of input (N, C, *), and weight a number for each class."""
    if target.dtype not in (dtypes.int64, dtypes.uint8):
        raise DTypeError(f"{op}: expected class numbers of int64 (or uint8) as target, got {target.dtype.name}; use "
                         ".long(), or give cross_entropy probabilities of the input's shape")
    expected = (input.shape[0], *input.shape[2:])
    if tuple(target.shape) != expected:
        raise (MismatchError if target.shape[:1] != input.shape[:1] else ShapeError)(
            f"{op}: Expected target size {list(expected)}, got {list(target.shape)}, for input "
                         f"{list(input.shape)}; the target has the input's shape without the classes in dimension 1")
    _check_weight(op, input, weight)


def _check_weight(op, input, weight):
    if weight is not None and tuple(weight.shape) != (input.shape[1],):
        raise ShapeError(f"{op}: weight tensor should be defined either for all {input.shape[1]} classes or no classes "
                         f"but got weight tensor of shape: {list(weight.shape)}")


def _check_input(op, input, target):
    """(input, target) with a batch dimension, and whether it was added."""
    if input.ndim == 0:
        raise MismatchError(f"{op}: expected input (C,), (N, C) or (N, C, *), got a 0-d tensor")
    if input.ndim > 1:
        return input, target, False
    return input.unsqueeze(0), target.unsqueeze(0), True


def nll_loss(input, target, weight=None, ignore_index=-100, reduction="mean"):
    """Negative log-probability of the target classes.

    Args: input (N, C), (N, C, *) or (C,), log-probabilities; target (N,), (N, *) or (), class numbers; weight (C,).
    "mean" divides by the total weight of the targets that are not ignored.
    Raises ShapeError, DTypeError; DimensionError for a class that does not exist, where values are read.
    """
    return _numbered("nll_loss", input, target, weight, ignore_index, reduction, 0.0, lambda x: x)


def _numbered(op, input, target, weight, ignore_index, reduction, smoothing=0.0, logarithm=None):
    """logarithm: what makes log-probabilities of the input, None where the loss does that itself."""
    _check_reduction(reduction)
    input, target, single = _check_input(op, input, target)
    _check_classes(op, input, target, weight)
    if logarithm is None:
        losses = _cross_entropy(input, target, weight, reduction=reduction, ignored=ignore_index)[0]
        losses = losses if losses.dtype is input.dtype else losses.to(input.dtype)
    else:
        losses = _smoothed(input, target, weight, logarithm, reduction, ignore_index, float(smoothing))
    return losses.squeeze(0) if single and reduction == "none" else losses


@in_float32
def _smoothed(input, target, weight, logarithm, reduction, ignored, smoothing):
    return _nll(logarithm(input), target, weight, reduction=reduction, ignored=ignored, smoothing=smoothing)[0]


def cross_entropy(input, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """-log(softmax(input)) at the target classes, or averaged over target probabilities.

    Args: input (N, C), (N, C, *) or (C,), unnormalised; target class numbers (N,), (N, *) or (), or probabilities of
    input's shape and a floating dtype; weight (C,); label_smoothing in [0, 1] mixes in the uniform distribution.
    Raises as nll_loss.
    """
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"cross_entropy: label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if target.dtype.is_floating_point and target.shape == input.shape:
        return _against_probabilities(input, target, weight, reduction, label_smoothing)
    if label_smoothing:
        return _numbered("cross_entropy", input, target, weight, ignore_index, reduction, label_smoothing,
                         lambda x: log_softmax(x, 1))
    return _numbered("cross_entropy", input, target, weight, ignore_index, reduction)


@in_float32
def _against_probabilities(input, target, weight, reduction, smoothing):
    _check_reduction(reduction)
    input, target, single = _check_input("cross_entropy", input, target)
    _check_weight("cross_entropy", input, weight)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / input.shape[1]
    losses = -log_softmax(input, 1) * target
    losses = (losses if weight is None else losses * _across(weight, input.ndim)).sum(1)
    if reduction == "mean":
        return losses.sum() / losses.numel()
    return reduced(losses.squeeze(0) if single else losses, reduction)
