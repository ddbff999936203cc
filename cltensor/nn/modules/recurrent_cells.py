"""Recurrent cells, one step at a time: RNNCell, LSTMCell and GRUCell."""

from __future__ import annotations

import math

from ...base.dtypes import dtype
from ...base.errors import ArgumentError, ShapeError
from ...ops.nn.recurrent import GATES
from ...ops.nn.recurrent_gradient import stepped
from ...runtime.device import device
from ...tensor.api.creation import empty
from ...tensor.core.tensor import Tensor
from .. import init
from ..parameter import Parameter
from .module import Module


class RNNCellBase(Module):
    """The common part of the cells: weight_ih, weight_hh, bias_ih and bias_hh, at first uniform in +-1 / sqrt(hidden_size)."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: device | str | int | None = None,
                 dtype: dtype | None = None):
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows, kind = num_chunks * hidden_size, {"device": device, "dtype": dtype}
        self.weight_ih = Parameter(empty(rows, input_size, **kind))
        self.weight_hh = Parameter(empty(rows, hidden_size, **kind))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(rows, **kind)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self):
        """Give all parameters new random values."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def extra_repr(self):
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        return text + (f", nonlinearity={self.nonlinearity}" if getattr(self, "nonlinearity", "tanh") != "tanh" else "")

    def _step(self, mode, input, *states):
        """The new states, by `recurrent` over one step; an (input_size,) input gives (hidden_size,) states."""
        single = input.ndim == 1
        x, *states = (None if s is None else s.unsqueeze(0) if s.ndim == 1 else s for s in (input, *states))
        self._check_sizes(x, states)
        made = stepped(mode, x, states, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return [m.squeeze(0) if single else m for m in made]

    def _check_dimensions(self, **given):
        for name, x in given.items():
            if x is not None and x.ndim not in (1, 2):
                name = name.replace("hx0", "hx[0]").replace("hx1", "hx[1]")
                raise ArgumentError(f"{self._get_name()}: Expected {name} to be 1D or 2D, got {x.ndim}D instead")

    def _check_sizes(self, x, states):
        if x.shape[1] != self.input_size:
            raise ShapeError(f"{self._get_name()}: input has inconsistent input_size: got {x.shape[1]} expected {self.input_size}")
        for i, s in enumerate(states):
            if s is not None and s.shape[0] != x.shape[0]:
                raise ShapeError(f"{self._get_name()}: Input batch size {x.shape[0]} doesn't match hidden{i} batch size "
                                 f"{s.shape[0]}")
            if s is not None and s.shape[1] != self.hidden_size:
                raise ShapeError(f"{self._get_name()}: hidden{i} has inconsistent hidden_size: got {s.shape[1]}, expected "
                                 f"{self.hidden_size}")


class RNNCell(RNNCellBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu: (B, input_size), (B, hidden_size) -> (B, hidden_size)."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh",
                 device: device | str | int | None = None, dtype: dtype | None = None):
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx=None):
        self._check_dimensions(input=input, hidden=hx)
        if self.nonlinearity not in ("tanh", "relu"):
            raise ShapeError(f"RNNCell: Unknown nonlinearity: {self.nonlinearity}; use 'tanh' or 'relu'")
        return self._step(self.nonlinearity, input, hx)[0]


class LSTMCell(RNNCellBase):
    """One step of an LSTM: (B, input_size), (h, c) of (B, hidden_size) each -> (h', c')."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: device | str | int | None = None,
                 dtype: dtype | None = None):
        super().__init__(input_size, hidden_size, bias, GATES["lstm"], device, dtype)

    def forward(self, input: Tensor, hx=None):
        h, c = (None, None) if hx is None else hx
        self._check_dimensions(input=input, hx0=h, hx1=c)
        return tuple(self._step("lstm", input, h, c))


class GRUCell(RNNCellBase):
    """One step of a GRU: (B, input_size), (B, hidden_size) -> (B, hidden_size)."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: device | str | int | None = None,
                 dtype: dtype | None = None):
        super().__init__(input_size, hidden_size, bias, GATES["gru"], device, dtype)

    def forward(self, input: Tensor, hx=None):
        self._check_dimensions(input=input, hidden=hx)
        return self._step("gru", input, hx)[0]
