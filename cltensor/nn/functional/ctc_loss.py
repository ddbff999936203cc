"""Connectionist temporal classification: the likelihood of label sequences, summed over all their alignments.

The states of a sequence are its labels, with blanks before, between and after them.  Compute the log-likelihoods of all
beginnings (alpha) and all endings (beta) step by step, with one launch per step for a whole batch.

Source: A. Graves et al., Connectionist Temporal Classification, 2006.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...autograd.function import Function
from ...autograd.modes import no_grad
from ...base import dtypes
from ...base.errors import ArgumentError, ArgumentTypeError, AutogradError, DTypeError, ShapeError
from ...dispatch.autocast import FLOAT32, autocasts
from ...ops.nn import ctc
from ...tensor.api.creation import arange, full, tensor
from ...tensor.core.tensor import Tensor
from ...tensor.math.arithmetic import where
from .reduction import reduced

_REDUCTIONS = ("mean", "sum", "none")


# --- one step --------------------------------------------------------------------------------------------------------


# --- a batch ---------------------------------------------------------------------------------------------------------


class _Batch:
    """The states of a batch of label sequences, as tensors for one dtype.

    states (N, L): the class of each, L = 2 longest + 1.  may_leap (N, L): 0 where a state can follow the one two before it, else
    minus infinity.  final (N, L): 0 for the last two states of a sequence, else minus infinity.
    """

    def __init__(self, labels, blank, dtype, input_lengths, target_lengths):
        device = labels.device
        self.longest, n = labels.shape[1], labels.shape[0]
        self.count = 2 * self.longest + 1
        self.input_lengths, self.target_lengths = (tensor(v, dtype=dtypes.int64, device=device)
                                                   for v in (input_lengths, target_lengths))
        place = arange(self.count, device=device)
        end = 2 * self.target_lengths.unsqueeze(1)
        listed = arange(self.longest, device=device) < self.target_lengths.unsqueeze(1)
        self.states = full((n, self.count), blank, dtype=dtypes.int64, device=device)
        self.states[:, 1::2] = where(listed, labels, blank)
        leaps = place == 1
        if self.longest > 1:
            leaps = leaps.expand(n, self.count).clone()
            leaps[:, 3::2] = self.states[:, 3::2] != self.states[:, 1:-2:2]
        self.may_leap = self._logarithm(leaps, dtype).expand(n, self.count)
        self.final = self._logarithm((place == end) | (place == end - 1), dtype)
        self.inside = place <= end

    @staticmethod
    def _logarithm(mask, dtype):
        return where(mask, 0.0, -math.inf).to(dtype)

    def running(self, steps):
        """Whether a step is within each sequence: (T, N, 1)."""
        return arange(steps, device=self.states.device).reshape(-1, 1, 1) < self.input_lengths.reshape(1, -1, 1)

    def emissions(self, log_probs):
        """The log-probability of each state at each step (T, N, L); minus infinity outside its sequence."""
        steps = log_probs.shape[0]
        picked = log_probs.gather(2, self.states.expand(steps, *self.states.shape))
        return where(self.inside & self.running(steps), picked, -math.inf)

    def alphas(self, emissions):
        """alpha of step t and state s, at [t + 1, :, s + 2].

        Row 0 is before the first step, with all likelihood before the first state; [:, :, :2] are the states before the first.
        """
        steps, n, count = emissions.shape
        alphas = emissions.new_full((steps + 1, n, count + 2), -math.inf)
        alphas[0, :, 1] = 0.0
        for t in range(steps):
            before = alphas[t]
            ctc.forward(before[:, 2:], before[:, 1:-1], before[:, :-2], self.may_leap, emissions[t], out=alphas[t + 1, :, 2:])
        return alphas

    def betas(self, emissions):
        """beta (T, N, L); each includes its own step's emission, as alpha does."""
        steps, n, count = emissions.shape
        betas = emissions.new_full((steps + 1, n, count + 2), -math.inf)
        last = (self.input_lengths - 1).to(emissions.dtype).unsqueeze(1)
        may_leap = self.may_leap.new_full((n, count), -math.inf)
        may_leap[:, :-2] = self.may_leap[:, 2:]
        for t in reversed(range(steps)):
            after = betas[t + 1]
            ctc.backward(after[:, :-2], after[:, 1:-1], after[:, 2:], may_leap, emissions[t], self.final, last, time=float(t),
                      out=betas[t, :, :-2])
        return betas[:-1, :, :-2]

    def losses(self, alphas):
        """The negative log-likelihood of each sequence (N,)."""
        rows = alphas.gather(0, self.input_lengths.reshape(1, -1, 1).expand(1, *alphas.shape[1:])).squeeze(0)
        end = 2 * self.target_lengths.unsqueeze(1)
        return -rows.gather(1, end + 2).logaddexp(rows.gather(1, end + 1)).squeeze(1)


class _CTC(Function):
    """Losses (N,) of log_probs (T, N, C) for a _Batch; lost: the gradient's factor where a loss is infinite."""

    @staticmethod
    def forward(ctx, log_probs, batch, lost):
        emissions = batch.emissions(log_probs)
        alphas = batch.alphas(emissions)
        losses = batch.losses(alphas)
        ctx.batch, ctx.lost, ctx.parts = batch, lost, (emissions, alphas, losses) if ctx.needs_input_grad[0] else None
        ctx.save_for_backward(log_probs)
        return losses

    @staticmethod
    def backward(ctx, g):
        log_probs, = ctx.saved_tensors
        return _CTCGradient.apply(g, log_probs, ctx.batch, ctx.lost, ctx.parts), None, None


class _CTCGradient(Function):
    """The gradient of log_probs: exp(log_probs) minus the share of alignments through each class, within the sequence's steps.

    As in PyTorch, this is the gradient for log-probabilities from a log_softmax.
    """

    @staticmethod
    def forward(ctx, g, log_probs, batch, lost, parts):
        emissions, alphas, losses = (p.detach() for p in parts)
        steps = log_probs.shape[0]
        shares = ctc.share(alphas[1:, :, 2:], batch.betas(emissions), emissions, losses.unsqueeze(1))
        passed = log_probs.new_zeros(log_probs.shape).scatter_add(2, batch.states.expand(steps, *batch.states.shape), shares)
        gradient = (log_probs.exp() - passed) * where(losses == math.inf, lost, g).unsqueeze(1)
        return where(batch.running(steps), gradient, 0.0)

    @staticmethod
    def backward(ctx, g):
        raise AutogradError("ctc_loss: derivative for its gradient is not implemented; leave out create_graph")


# --- the function ----------------------------------------------------------------------------------------------------


def _lengths(name, lengths, n, most=None):
    """Lengths as a tuple of n ints; waits for the device if they are a tensor."""
    if hasattr(lengths, "_spec"):
        if lengths.dtype.category != "int":
            raise DTypeError(f"ctc_loss: {name} must be integral, got {lengths.dtype.name}; use .long()")
        values = tuple(lengths.reshape(-1).tolist())
    elif isinstance(lengths, (list, tuple)):
        values = tuple(v.__index__() for v in lengths)
    else:
        raise ArgumentTypeError(f"ctc_loss: {name} must be a tensor or a tuple of ints, got {type(lengths).__name__}")
    if len(values) != n:
        raise ShapeError(f"ctc_loss: {name} must be of size batch_size, {n}, got {len(values)}")
    for v in values:
        if v < 0 or (most is not None and v > most):
            raise ShapeError(f"ctc_loss: Expected {name} to have value at least 0{'' if most is None else f' and at most {most}'}, "
                             f"but got value {v}")
    return values


def _labels(targets, lengths):
    """Targets, padded or concatenated, as int64 (N, longest); values after a sequence's end have no meaning."""
    longest = max(lengths)
    if targets.ndim == 2:
        if targets.shape[0] != len(lengths) or targets.shape[1] < longest:
            raise ShapeError(f"ctc_loss: Expected targets to have size {len(lengths)} at dimension 0 and at least {longest} at "
                             f"dimension 1, got {list(targets.shape)}")
        return targets.long()[:, :longest]
    if targets.ndim != 1:
        raise ShapeError(f"ctc_loss: Expected targets of 1 to 2 dimensions, but got {targets.ndim}: padded (N, S), or "
                         "concatenated")
    if targets.shape[0] != sum(lengths):
        raise ShapeError(f"ctc_loss: Expected targets to have size {sum(lengths)} at dimension 0, the sum of target_lengths, but "
                         f"got size {targets.shape[0]}")
    rows, start = np.zeros((len(lengths), longest), np.int64), 0
    for row, n in zip(rows, lengths, strict=True):
        row[:n] = np.arange(start, start + n)
        start += n
    if not rows.size or not targets.shape[0]:
        return targets.new_zeros(rows.shape, dtype=dtypes.int64)
    return targets.long().index_select(0, tensor(rows.reshape(-1), device=targets.device)).reshape(rows.shape)


def _check(log_probs, blank, reduction):
    if reduction not in _REDUCTIONS:
        raise ArgumentError(f"{reduction!r} is not a valid value for reduction; use 'mean', 'sum' or 'none'")
    if log_probs.ndim not in (2, 3):
        raise ShapeError(f"ctc_loss: Expected log_probs (T, N, C) or (T, C), got {log_probs.ndim} dimensions: "
                         f"{list(log_probs.shape)}")
    if log_probs.dtype not in (dtypes.float32, dtypes.float64):
        raise DTypeError(f"ctc_loss: not defined for log_probs of {log_probs.dtype.name}; use .float()")
    if not log_probs.numel():
        raise ShapeError(f"ctc_loss: log_probs tensor must not be empty, got shape {list(log_probs.shape)}")
    if not 0 <= blank < log_probs.shape[-1]:
        raise ShapeError(f"ctc_loss: blank must be in label range, in [0, {log_probs.shape[-1]}), got {blank}")


@autocasts(FLOAT32)
def ctc_loss(log_probs: Tensor, targets: Tensor, input_lengths: Tensor | Sequence[int], target_lengths: Tensor | Sequence[int],
             blank: int = 0, reduction: str = "mean", zero_infinity: bool = False):
    """The negative log-likelihood of target sequences, summed over all alignments with log_probs.

    Args: log_probs (T, N, C) or (T, C), float32 or float64, from log_softmax; targets (N, S), or all sequences concatenated
    (sum of target_lengths,), class numbers other than blank; input_lengths, target_lengths (N,), tensors (this waits for them)
    or sequences of ints; zero_infinity: loss and gradient are 0 for a sequence too long for its input.
    "mean" divides each loss by its target's length, then takes the mean over the batch; "none" gives (N,) or ().
    Raises ShapeError, DTypeError, ArgumentError; DimensionError for a class that does not exist, where values are read.
    Numerics: in logarithms throughout.  There is no second gradient, as in PyTorch.
    """
    _check(log_probs, blank, reduction)
    single = log_probs.ndim == 2
    if single:
        log_probs, targets = log_probs.unsqueeze(1), targets if targets.ndim == 2 else targets.unsqueeze(0)
    steps, n, _ = log_probs.shape
    inputs = _lengths("input_lengths", input_lengths, n, steps)
    lengths = _lengths("target_lengths", target_lengths, n)
    with no_grad():
        batch = _Batch(_labels(targets, lengths), blank, log_probs.dtype, inputs, lengths)
    losses = _CTC.apply(log_probs, batch, 0.0 if zero_infinity else math.nan)
    if zero_infinity:
        losses = where(losses == math.inf, 0.0, losses)
    if reduction == "mean":
        return (losses / batch.target_lengths.clamp_min(1)).mean()
    return reduced(losses.squeeze(0) if single else losses, reduction)
