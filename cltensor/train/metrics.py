"""Metrics: sums on the device, batch by batch, which are read when their value is asked for."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..autograd.modes import no_grad
from ..base import dtypes
from ..base.errors import ArgumentError, ArgumentTypeError, ShapeError
from ..tensor.api.creation import ones_like, zeros
from ..tensor.core.tensor import Tensor


class Metric:
    """Base of metrics: sums over batches, and a number made of them.

    Subclasses give `sums(output, target)`, a tuple of tensors and whole numbers for one batch, and `value(*sums)`, a number
    of their totals, NumPy arrays and whole numbers.  Sums are added up on the device; only `compute` waits for it.

    Tensors have the shapes and dtypes that a subclass asks for.  Raises what a subclass raises.
    Source: the interface is that of most metric libraries.

        class Largest(Metric):
            name = "largest"

            def sums(self, output, target):
                return (output.abs().sum(),)

            def value(self, total):
                return float(total)
    """

    name = "metric"

    def __init__(self) -> None:
        self.totals: list[Tensor | int] | None = None

    def sums(self, output: Any, target: Any) -> tuple[Tensor | int, ...]:
        """What one batch adds."""
        raise ArgumentTypeError(f"{type(self).__name__} does not define sums(output, target)")

    def value(self, *totals: Any) -> float:
        """The metric of all batches, from their sums as NumPy arrays."""
        raise ArgumentTypeError(f"{type(self).__name__} does not define value(*totals)")

    @no_grad()
    def update(self, output: Any, target: Any) -> None:
        """Add a batch; nothing waits for the device."""
        self.add(*self.sums(output, target))

    def add(self, *sums: Tensor | int) -> None:
        """Add sums, tensors or whole numbers, to the totals."""
        own = [s.detach().clone() if isinstance(s, Tensor) else s for s in sums]
        if self.totals is None:
            self.totals = own
        else:
            self.totals = [total.add_(s) if isinstance(total, Tensor) else total + s
                           for total, s in zip(self.totals, own, strict=True)]

    def compute(self) -> float:
        """The metric of all batches since reset; NaN without any.  This waits for the device."""
        return float("nan") if self.totals is None else self.value(*map(_read, self.totals))

    def reset(self) -> None:
        """Forget all batches."""
        self.totals = None

    def state_dict(self) -> dict[str, Any]:
        """The sums so far."""
        return {"totals": None if self.totals is None else list(self.totals)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a result of state_dict."""
        totals = state["totals"]
        self.totals = None if totals is None else [t.clone() if isinstance(t, Tensor) else t for t in totals]


class Share(Metric):
    """A metric that is one sum over the number of samples; the loss of fit is one whose sums are added by hand."""

    def value(self, total, count):
        """See Metric."""
        return float(total / count)


class Mean(Share):
    """The mean over all samples of a function of (output, target), such as a loss that is itself a mean over its batch.

    function: gives a 0-d tensor, or one value for each sample (n,), of any real dtype; name: its own by default.
    Numerics: sums in float32, weighted by the size of each batch.
    Raises ArgumentTypeError for what cannot be called.  Source: the definition of a mean.

        >>> metric = ct.train.Mean(lambda output, target: (output - target).abs().mean(), "mae")
        >>> metric.update(ct.tensor([1.0, 2.0]), ct.tensor([0.0, 0.0])); metric.compute()
        1.5
    """

    def __init__(self, function: Callable[[Any, Any], Tensor], name: str | None = None) -> None:
        super().__init__()
        if not callable(function):
            raise ArgumentTypeError(f"Mean: expected a function of (output, target), got {type(function).__name__}")
        self.function = function
        self.name = name or getattr(function, "__name__", type(function).__name__).lower()

    def sums(self, output, target):
        """See Metric."""
        value, n = self.function(output, target), size(target)
        return value.float().mean() * n, n

class Accuracy(Share):
    """The share of samples whose class was predicted.

    output: scores (n, classes, *) of any floating dtype, of which the greatest counts, or with target's shape predicted classes, or
    for two classes scores, which count as class 1 above `threshold`; target: integers (n, *), or with output's shape classes 0 and
    1.
    Raises ShapeError for other shapes.  Source: the definition.

        >>> metric = ct.train.Accuracy()
        >>> metric.update(ct.tensor([[0.1, 0.9], [0.8, 0.2]]), ct.tensor([1, 1])); metric.compute()
        0.5
    """

    name = "accuracy"

    def __init__(self, threshold: float = 0.0) -> None:
        super().__init__()
        self.threshold = threshold

    def sums(self, output, target):
        """See Metric."""
        return (classes(output, target, self.threshold, "Accuracy") == target).sum(), target.numel()

class TopKAccuracy(Share):
    """The share of samples whose class is among the k with the greatest scores.

    output: scores (n, classes) of any floating dtype; target: integers (n,).
    Raises ArgumentError for k below 1, ShapeError for other shapes and fewer classes.  Source: Krizhevsky et al. 2012, "top-5".

        >>> metric = ct.train.TopKAccuracy(2)
        >>> metric.update(ct.tensor([[0.1, 0.7, 0.2]]), ct.tensor([2])); metric.compute()
        1.0
    """

    def __init__(self, k: int = 5) -> None:
        super().__init__()
        if k < 1:
            raise ArgumentError(f"TopKAccuracy: k must be at least 1, got {k}")
        self.k, self.name = k, f"top{k}"

    def sums(self, output, target):
        """See Metric."""
        if output.ndim != 2 or target.ndim != 1 or output.shape[1] < self.k:
            raise ShapeError(f"TopKAccuracy: expected scores (n, at least {self.k} classes) and targets (n,), got "
                             f"{list(output.shape)} and {list(target.shape)}")
        best = output.topk(self.k, dim=1)[1]
        return (best == target.unsqueeze(1)).sum(), target.numel()


class F1(Metric):
    """The F1 score: the harmonic mean of precision and recall, of each class, from all samples together.

    output and target: as for Accuracy, of its dtypes.  num_classes: how many classes there are; average, "macro", the mean over the
    classes that occur, "micro", of all samples, "weighted", by how often each class is true, or "binary", of class 1.  A class that
    occurs in neither output nor target is left out, and one without a true positive has 0.
    Raises ArgumentError for another average, and num_classes below 2; ShapeError for other shapes.
    Source: van Rijsbergen 1979; averages as in scikit-learn.

        >>> metric = ct.train.F1(2, average="binary")
        >>> metric.update(ct.tensor([1, 1, 0]), ct.tensor([1, 0, 0])); round(metric.compute(), 4)
        0.6667
    """

    name = "f1"

    def __init__(self, num_classes: int, average: str = "macro", threshold: float = 0.0) -> None:
        super().__init__()
        if average not in ("macro", "micro", "weighted", "binary"):
            raise ArgumentError(f"F1: average must be 'macro', 'micro', 'weighted' or 'binary', got {average!r}")
        if num_classes < 2:
            raise ArgumentError(f"F1: num_classes must be at least 2, got {num_classes}")
        self.num_classes, self.average, self.threshold = num_classes, average, threshold

    def sums(self, output, target):
        """See Metric."""
        found = classes(output, target, self.threshold, "F1").reshape(-1).long()
        truth = target.reshape(-1).long()
        n = self.num_classes
        right = zeros(n, dtype=dtypes.int64, device=truth.device).scatter_add_(0, truth, (found == truth).long())
        return right, _counted(found, n), _counted(truth, n)

    def value(self, right, found, truth):
        """See Metric."""
        if self.average == "micro":
            return float(2 * right.sum() / max(found.sum() + truth.sum(), 1))
        both = found + truth
        scores = 2 * right / both.clip(1)
        if self.average == "binary":
            return float(scores[1])
        weights = truth if self.average == "weighted" else both > 0
        return float((scores * weights).sum() / max(weights.sum(), 1))


class MeanAbsoluteError(Mean):
    """The mean absolute error |output - target| over all samples.

    output and target: tensors of one shape and of any real dtype.  Raises ShapeError for others.  Source: the definition.

        >>> metric = ct.train.MeanAbsoluteError()
        >>> metric.update(ct.tensor([1.0, 3.0]), ct.tensor([0.0, 0.0])); metric.compute()
        2.0
    """

    def __init__(self) -> None:
        super().__init__(_absolute_error, "mae")


class MeanSquaredError(Mean):
    """The mean squared error (output - target) ** 2 over all samples.

    output and target: tensors of one shape and of any real dtype.  Raises ShapeError for others.  Source: the definition.

        >>> metric = ct.train.MeanSquaredError()
        >>> metric.update(ct.tensor([1.0, 3.0]), ct.tensor([0.0, 0.0])); metric.compute()
        5.0
    """

    def __init__(self) -> None:
        super().__init__(_squared_error, "mse")


def _absolute_error(output, target):
    return _difference(output, target, "MeanAbsoluteError").abs().mean()


def _squared_error(output, target):
    return _difference(output, target, "MeanSquaredError").square().mean()


_NAMED: dict[str, Callable[[], Metric]] = {
    "accuracy": Accuracy, "top5": TopKAccuracy, "mae": MeanAbsoluteError, "mse": MeanSquaredError}


def collected(metrics: Any) -> dict[str, Metric]:
    """{name: a new Metric} of what a user gave: one, several, or a dict of Metrics, functions of (output, target), or names."""
    if isinstance(metrics, (str, Metric)) or callable(metrics):
        metrics = [metrics]
    if isinstance(metrics, Mapping):
        return {name: _metric(m, name) for name, m in metrics.items()}
    if not isinstance(metrics, Sequence):
        raise ArgumentTypeError(f"fit: metrics must be Metrics, functions of (output, target), names, or a dict, got {metrics!r}")
    made = [_metric(m) for m in metrics]
    names = [m.name for m in made]
    twice = next((n for n in names if names.count(n) > 1 or n == "loss"), None)
    if twice is not None:
        raise ArgumentError(f"fit: there are two metrics named {twice!r}; give a dict with names of your own")
    return dict(zip(names, made, strict=True))


def _metric(given, name=None):
    if isinstance(given, Metric):
        made = copy.copy(given)
        made.reset()
        return made
    if isinstance(given, str):
        if given not in _NAMED:
            raise ArgumentError(f"fit: there is no metric {given!r}; there are {', '.join(_NAMED)}, or give a Metric")
        return _NAMED[given]()
    return Mean(given, name)


def size(target=None):
    """The number of samples of a batch, by its targets."""
    return target.shape[0] if isinstance(target, Tensor) and target.ndim else 1


def classes(output, target, threshold, call):
    """The classes that an output predicts."""
    if output.ndim == target.ndim + 1:
        return output.argmax(dim=1)
    if output.shape == target.shape:
        return (output > threshold).to(target.dtype) if output.dtype.is_floating_point else output
    raise ShapeError(f"{call}: expected scores (n, classes, *) for targets (n, *), or one score each, got {list(output.shape)} and "
                     f"{list(target.shape)}")


def _read(total):
    return total.numpy() if isinstance(total, Tensor) else total


def _counted(values, n):
    return zeros(n, dtype=dtypes.int64, device=values.device).scatter_add_(0, values, ones_like(values))


def _difference(output, target, call):
    if output.shape != target.shape:
        raise ShapeError(f"{call}: output and target must have one shape, got {list(output.shape)} and {list(target.shape)}")
    return output - target
