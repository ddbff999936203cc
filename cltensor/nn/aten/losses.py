"""Losses whose reduction is a number: 0 none, 1 mean, 2 sum."""

from ...base.errors import ArgumentError
from .. import functional as F

_REDUCTIONS = ("none", "mean", "sum")


def _word(reduction):
    """The word that nn.functional uses for this reduction."""
    if reduction not in (0, 1, 2):
        raise ArgumentError(f"reduction must be 0 (none), 1 (mean) or 2 (sum), got {reduction!r}; nn.functional takes words")
    return _REDUCTIONS[reduction]


def binary_cross_entropy_with_logits(input, target, weight=None, pos_weight=None, reduction=1):
    """See nn.functional; pos_weight comes before reduction."""
    return F.binary_cross_entropy_with_logits(input, target, weight, reduction=_word(reduction), pos_weight=pos_weight)


def cosine_embedding_loss(input1, input2, target, margin=0.0, reduction=1):
    """See nn.functional."""
    return F.cosine_embedding_loss(input1, input2, target, margin, reduction=_word(reduction))


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction=1, zero_infinity=False):
    """See nn.functional."""
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, _word(reduction), zero_infinity)


def hinge_embedding_loss(input, target, margin=1.0, reduction=1):
    """See nn.functional."""
    return F.hinge_embedding_loss(input, target, margin, reduction=_word(reduction))


def kl_div(input, target, reduction=1, *, log_target=False):
    """See nn.functional; without "batchmean"."""
    word = _word(reduction)
    losses = F.kl_div(input, target, reduction="none", log_target=log_target)
    return losses if word == "none" else getattr(losses, word)()


def margin_ranking_loss(input1, input2, target, margin=0.0, reduction=1):
    """See nn.functional."""
    return F.margin_ranking_loss(input1, input2, target, margin, reduction=_word(reduction))


def poisson_nll_loss(input, target, log_input, full, eps, reduction):
    """See nn.functional; no defaults."""
    return F.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=_word(reduction))


def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction=1):
    """See nn.functional."""
    return F.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=_word(reduction))
