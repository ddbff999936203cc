"""Functions of nn that torch's own namespace has too, with ATen's arguments: in another order, and numbers for words.

`cltensor.batch_norm(input, weight, ...)` is one of these, `cltensor.nn.functional.batch_norm(input, running_mean, ...)` is not.
Each docstring states only the difference; the nn.functional function it calls describes the rest.
"""

from ...base.calls import named_all as _named_all
from .activations import celu, rrelu, rrelu_, selu, threshold
from .convolution import conv_tbc, convolution
from .dropout import (
    alpha_dropout,
    alpha_dropout_,
    dropout_,
    feature_alpha_dropout,
    feature_alpha_dropout_,
    feature_dropout,
    feature_dropout_,
    native_dropout,
)
from .losses import (
    binary_cross_entropy_with_logits,
    cosine_embedding_loss,
    ctc_loss,
    hinge_embedding_loss,
    kl_div,
    margin_ranking_loss,
    poisson_nll_loss,
    triplet_margin_loss,
)
from .normalization import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    native_batch_norm,
    native_group_norm,
    native_layer_norm,
)
from .planes import (
    affine_grid_generator,
    grid_sampler,
    grid_sampler_2d,
    grid_sampler_3d,
    native_channel_shuffle,
)
from .pooling import adaptive_max_pool1d, max_pool1d, max_pool1d_with_indices, max_pool2d, max_pool3d
from .recurrent import gru, gru_cell, lstm, lstm_cell, rnn_relu, rnn_relu_cell, rnn_tanh, rnn_tanh_cell
from .segments import segment_reduce
from .tables import embedding, embedding_bag, embedding_renorm_

__all__ = ["adaptive_max_pool1d", "affine_grid_generator", "alpha_dropout", "alpha_dropout_", "batch_norm",
           "binary_cross_entropy_with_logits", "celu", "conv_tbc", "convolution", "cosine_embedding_loss", "ctc_loss",
           "dropout_", "embedding", "embedding_bag", "embedding_renorm_", "feature_alpha_dropout", "feature_alpha_dropout_",
           "feature_dropout", "feature_dropout_", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "group_norm", "gru",
           "gru_cell", "hinge_embedding_loss", "instance_norm", "kl_div", "layer_norm", "lstm", "lstm_cell",
           "margin_ranking_loss", "max_pool1d", "max_pool1d_with_indices", "max_pool2d", "max_pool3d", "native_batch_norm",
           "native_channel_shuffle", "native_dropout", "native_group_norm", "native_layer_norm", "poisson_nll_loss", "rnn_relu",
           "rnn_relu_cell", "rnn_tanh", "rnn_tanh_cell", "rrelu", "rrelu_", "segment_reduce", "selu", "threshold",
           "triplet_margin_loss"]

_named_all(globals())
