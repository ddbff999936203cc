"""Dropout with `train` for `training`, in-place forms, and dropout that returns its mask."""

from ...base.errors import ArgumentError, ShapeError
from ...tensor.core.inplace import writing
from ...tensor.random.sampling import dropout
from .. import functional as F


def alpha_dropout(input, p, train):
    """See nn.functional."""
    return F.alpha_dropout(input, p, train)


def feature_alpha_dropout(input, p, train):
    """See nn.functional."""
    return F.feature_alpha_dropout(input, p, train)


def feature_dropout(input, p, train):
    """dropout of whole channels of input (N, C, *)."""
    if train and input.ndim < 2:
        raise ShapeError(f"feature_dropout: Feature dropout requires at least 2 dimensions in the input, got {list(input.shape)}")
    if not train or p == 0 or not input.numel():
        return dropout(input, p, False)
    return input * dropout(input.detach().new_ones((*input.shape[:2], *(1,) * (input.ndim - 2))), p, True)


dropout_ = writing(dropout, "dropout_")
alpha_dropout_ = writing(alpha_dropout, "alpha_dropout_")
feature_dropout_ = writing(feature_dropout, "feature_dropout_")
feature_alpha_dropout_ = writing(feature_alpha_dropout, "feature_alpha_dropout_")


def native_dropout(input, p, train):
    """(dropout's result, a bool mask of the elements kept)."""
    if not 0 <= p <= 1:
        raise ArgumentError(f"native_dropout: dropout probability has to be between 0 and 1, but got {p}")
    ones = input.detach().new_ones(input.shape)
    if train is False or p == 0:
        return input.clone(), ones.bool()
    kept = ones.bernoulli_(1 - p)
    return input * kept * (0.0 if p == 1 else 1 / (1 - p)), kept.bool()
