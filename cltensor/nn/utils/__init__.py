"""Tools for gradients and parameters of a network."""

from ...base.calls import named_all as _named_all
from . import rnn
from .clip_grad import clip_grad_norm_, clip_grad_value_, get_total_norm
from .vectors import parameters_to_vector, vector_to_parameters

_named_all(globals())

__all__ = ["clip_grad_norm_", "clip_grad_value_", "get_total_norm", "parameters_to_vector", "rnn",
           "vector_to_parameters"]
