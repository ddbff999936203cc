"""Cross entropy against class numbers or class probabilities, in one pass over the log-probabilities."""

import functools

import numpy as np

from ...base.errors import ArgumentError, DTypeError, ShapeError
from ...codegen import expr as E
from ...ops.composite import composite
from ...ops.elementwise import elementwise
from ...ops.reduction import reduction
from ...tensor.creation import arange, ones
from ...tensor.softmax import log_softmax
from .loss import reduced

_REDUCTIONS = ("none", "mean", "sum")

# Class numbers and targets are compared in the accumulation type, float32 for all but float64: exact to 2**24 classes.
_sums = reduction(
    "nll_sums", public=False, dtypes="floating", states=("acc", "acc"), result=("input", "input"), identity=(0, 0),
    map=lambda logp, target, number, weight, ignored=-100.0, smoothing=0.0, share=0.0, mean=0.0: (
        E.where(target == ignored, 0, -(logp * weight) * (share + E.where(target == number, 1 - smoothing, 0))),
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


def _check_reduction(reduction):
    if reduction not in _REDUCTIONS:
        raise ArgumentError(f"{reduction!r} is not a valid value for reduction; use 'mean', 'sum' or 'none'")


def _check_classes(op, input, target, weight):
    """Raise unless target holds a class number for each row of input (N, C, *), and weight a number for each class."""
    if target.dtype.category != "int":
        raise DTypeError(f"{op}: expected class numbers of an integer dtype as target, got {target.dtype.name}; use "
                         ".long(), or give cross_entropy probabilities of the input's shape")
    expected = (input.shape[0], *input.shape[2:])
    if tuple(target.shape) != expected:
        raise ShapeError(f"{op}: Expected target size {list(expected)}, got {list(target.shape)}, for input "
                         f"{list(input.shape)}; the target has the input's shape without the classes in dimension 1")
    _check_weight(op, input, weight)


def _check_weight(op, input, weight):
    if weight is not None and tuple(weight.shape) != (input.shape[1],):
        raise ShapeError(f"{op}: weight tensor should be defined either for all {input.shape[1]} classes or no classes "
                         f"but got weight tensor of shape: {list(weight.shape)}")


def _check_input(op, input, target):
    """(input, target) with a batch dimension, and whether it was added."""
    if input.ndim == 0:
        raise ShapeError(f"{op}: expected input (C,), (N, C) or (N, C, *), got a 0-d tensor")
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


def _numbered(op, input, target, weight, ignore_index, reduction, smoothing, logarithm):
    _check_reduction(reduction)
    input, target, single = _check_input(op, input, target)
    _check_classes(op, input, target, weight)
    losses, _ = _nll(logarithm(input), target, weight, reduction=reduction, ignored=ignore_index,
                     smoothing=float(smoothing))
    return losses.squeeze(0) if single and reduction == "none" else losses


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
    return _numbered("cross_entropy", input, target, weight, ignore_index, reduction, label_smoothing,
                     lambda x: log_softmax(x, 1))


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
