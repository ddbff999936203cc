"""Recurrent layers: RNN, LSTM and GRU over padded, packed or single sequences."""

from __future__ import annotations

import math
import numbers
import warnings

from ...base.context import context
from ...base.dtypes import dtype
from ...base.errors import ArgumentError, ArgumentTypeError, ShapeError
from ...ops.nn.recurrent import GATES
from ...runtime.device import device
from ...tensor.api.creation import empty
from ...tensor.core.tensor import Tensor
from .. import init
from ..functional.recurrent import layers
from ..parameter import Parameter
from ..utils.rnn import PackedSequence
from .module import Module
from .recurrent_cells import GRUCell as GRUCell
from .recurrent_cells import LSTMCell as LSTMCell
from .recurrent_cells import RNNCell as RNNCell
from .recurrent_cells import RNNCellBase as RNNCellBase

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]


class RNNBase(Module):
    """The common part of RNN, LSTM and GRU: num_layers layers of one or two directions, each reading the one before.

    Parameters, at first uniform in +-1 / sqrt(hidden_size): weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 (weight_hr_l0 with
    proj_size); the second direction's names end in _reverse.
    """

    def __init__(self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
                 device: device | str | int | None = None, dtype: dtype | None = None):
        super().__init__()
        _check_settings(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size)
        self.mode, self.input_size, self.hidden_size, self.num_layers, self.bias = mode, input_size, hidden_size, num_layers, bias
        self.batch_first, self.dropout, self.bidirectional = batch_first, float(dropout), bidirectional
        self.proj_size, self._kind = proj_size, mode.lower().removeprefix("rnn_")
        if self._kind not in GATES:
            raise ArgumentError(f"Unrecognized RNN mode: {mode}")
        self._names = [self._add_layer(layer, suffix, device, dtype)
                       for layer in range(num_layers) for suffix in ("", "_reverse")[: self._directions]]
        self.reset_parameters()

    def _add_layer(self, layer, suffix, device, dtype):
        """Create one direction's parameters; return their names, None for missing ones."""
        gates, state = GATES[self._kind] * self.hidden_size, self._state_size
        shapes = {"weight_ih": (gates, state * self._directions if layer else self.input_size), "weight_hh": (gates, state),
                  "bias_ih": (gates,) if self.bias else None, "bias_hh": (gates,) if self.bias else None,
                  "weight_hr": (self.proj_size, self.hidden_size) if self.proj_size else None}
        names = []
        for name, shape in shapes.items():
            names.append(None if shape is None else f"{name}_l{layer}{suffix}")
            if shape is not None:
                self.register_parameter(names[-1], Parameter(empty(shape, device=device, dtype=dtype)))
        return names

    @property
    def _directions(self):
        return 2 if self.bidirectional else 1

    @property
    def _state_size(self):
        return self.proj_size or self.hidden_size

    @property
    def all_weights(self):
        """The parameters, one list per direction of each layer."""
        return [[getattr(self, name) for name in names if name] for names in self._names]

    def reset_parameters(self):
        """Give all parameters new random values."""
        bound = 1 / math.sqrt(self.hidden_size)
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def flatten_parameters(self):
        """Do nothing: parameters need not be contiguous with each other.  For programs that call it."""

    # --- forward -----------------------------------------------------------------------------------------------------

    def forward(self, input: Tensor, hx=None):
        states = (None, None) if hx is None else self._split(hx)
        if isinstance(input, PackedSequence):
            self._check(input.data, states, input.sizes[0], 2)
            states = [_permuted(s, input.sorted_indices) for s in states]
            y, states = self._layers(input.data, states, input.sizes)
            return input.replaced(y), self._joined([_permuted(s, input.unsorted_indices) for s in states])
        if input.ndim not in (2, 3):
            raise ArgumentError(f"{self._get_name()}: Expected input to be 2D or 3D, got {input.ndim}D instead")
        single, along = input.ndim == 2, 0 if self.batch_first else 1
        self._check_dimensions(states, input.ndim)
        if single:
            input, states = input.unsqueeze(along), [None if s is None else s.unsqueeze(1) for s in states]
        self._check(input, states, input.shape[along], 3)
        x = input.transpose(0, 1) if self.batch_first else input
        steps, batch = x.shape[:2]
        if steps == 0:
            raise ShapeError(f"{self._get_name()}: Expected sequence length to be larger than 0 in RNN")
        y, states = self._layers(x.reshape(steps * batch, x.shape[2]), states, (batch,) * steps)
        y = y.view(steps, batch, y.shape[1])
        y = y.transpose(0, 1) if self.batch_first else y
        return (y.squeeze(along), self._joined([s.squeeze(1) for s in states])) if single else (y, self._joined(states))

    def _layers(self, x, states, batch_sizes):
        """(y, last states) for the rows x (N, I) of all steps, through every layer."""
        own = self._parameters
        parameters = [tuple(own[name] if name else None for name in names) for names in self._names]
        return layers(x, states, parameters, mode=self._kind, batch_sizes=batch_sizes, directions=self._directions,
                      dropout=self.dropout if self.training else 0)

    def _split(self, hx):
        """hx as a pair of states; the second is None except in an LSTM."""
        return hx, None

    def _joined(self, states):
        """Undo _split."""
        return states[0]

    # --- checks ------------------------------------------------------------------------------------------------------

    def _check_dimensions(self, states, ndim):
        for s in states:
            if s is not None and s.ndim != ndim:
                how = "batched" if ndim == 3 else "unbatched"
                raise ShapeError(f"{self._get_name()}: For {how} {ndim}-D input, hx {self._and_cx}should also be {ndim}-D but got "
                                 f"{s.ndim}-D tensor")

    _and_cx = ""

    def _check(self, x, states, batch, ndim):
        dtype = self._parameters[self._names[0][0]].dtype
        if x.dtype is not dtype and context.autocast is None:
            raise ArgumentError(f"RNN input dtype ({x.dtype}) does not match weight dtype ({dtype}). Convert input: "
                                f"input.to({dtype}), or convert model: model.to({x.dtype})")
        if x.ndim != ndim:
            raise ShapeError(f"{self._get_name()}: input must have {ndim} dimensions, got {x.ndim}")
        if x.shape[-1] != self.input_size:
            raise ShapeError(f"{self._get_name()}: input.size(-1) must be equal to input_size. Expected {self.input_size}, got "
                             f"{x.shape[-1]}")
        for i, (s, size) in enumerate(zip(states, (self._state_size, self.hidden_size), strict=True)):
            expected = (self.num_layers * self._directions, batch, size)
            if s is not None and tuple(s.shape) != expected:
                which = f"hidden[{i}]" if self._kind == "lstm" else "hidden"
                raise ShapeError(f"{self._get_name()}: Expected {which} size {expected}, got {list(s.shape)}")

    def extra_repr(self):
        text = f"{self.input_size}, {self.hidden_size}"
        for name, plain in (("proj_size", 0), ("num_layers", 1), ("bias", True), ("batch_first", False), ("dropout", 0),
                            ("bidirectional", False)):
            if getattr(self, name) != plain:
                text += f", {name}={getattr(self, name)}"
        return text


def _check_settings(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size):
    if not isinstance(dropout, numbers.Number) or isinstance(dropout, bool) or not 0 <= dropout <= 1:
        raise ArgumentError("dropout should be a number in range [0, 1] representing the probability of an element being zeroed, "
                            f"got {dropout!r}")
    if dropout > 0 and num_layers == 1:
        warnings.warn("dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
                      f"greater than 1, but got dropout={dropout} and num_layers={num_layers}", stacklevel=4)
    for name, value, kind in (("bias", bias, bool), ("batch_first", batch_first, bool), ("input_size", input_size, int),
                              ("hidden_size", hidden_size, int)):
        if not isinstance(value, kind):
            raise ArgumentTypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
    for name, value in (("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)):
        if value <= 0:
            raise ArgumentError(f"{name} must be greater than zero, got {value}")
    if not 0 <= proj_size < hidden_size:
        raise ArgumentError(f"proj_size should be a positive integer smaller than hidden_size ({hidden_size}), or zero to disable "
                            f"projections; got {proj_size}")


def _permuted(state, order):
    return state if state is None or order is None else state.index_select(1, order)


def _no_projection(settings):
    if "proj_size" in settings:
        raise ArgumentError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNN(RNNBase):
    """h = tanh(W_ih x + b_ih + W_hh h + b_hh) at every step, or relu.  RNN(input_size, hidden_size, num_layers=1,
    nonlinearity="tanh", bias=True, batch_first=False, dropout=0.0, bidirectional=False, device=None, dtype=None).

    Takes (T, B, input_size), (B, T, input_size) with batch_first, (T, input_size) or a PackedSequence, and hx (layers, B, hidden).
    Returns (y (T, B, directions * hidden_size), the last states (layers, B, hidden_size)).  Source: Elman 1990.
    """

    def __init__(self, *args, **kwargs):
        _no_projection(kwargs)
        nonlinearity = args[3] if len(args) > 3 else kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(f"RNN_{nonlinearity.upper()}", *args[:3], *args[4:], **kwargs)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory.  LSTM(input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0,
    bidirectional=False, proj_size=0, device=None, dtype=None).

    Takes what RNN takes, with hx = (h (layers, B, proj_size or hidden_size), c (layers, B, hidden_size)).
    Returns (y, (h, c)).  Source: Hochreiter and Schmidhuber 1997; projections: Sak et al. 2014.
    """

    _and_cx = "and cx "

    def __init__(self, *args, **kwargs):
        super().__init__("LSTM", *args, **kwargs)

    def _split(self, hx):
        h, c = hx
        return h, c

    def _joined(self, states):
        return tuple(states)


class GRU(RNNBase):
    """Gated recurrent unit.  GRU(input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0,
    bidirectional=False, device=None, dtype=None).  Takes and returns what RNN does.  Source: Cho et al. 2014.
    """

    def __init__(self, *args, **kwargs):
        _no_projection(kwargs)
        super().__init__("GRU", *args, **kwargs)


def __dir__():
    return sorted(__all__)
