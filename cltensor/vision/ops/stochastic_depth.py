"""Stochastic depth: drop the branches of residual blocks at random during training."""

from __future__ import annotations

from ... import nn
from ...base.errors import ArgumentError, DTypeError, ShapeError
from ...tensor.core.tensor import Tensor

_MODES = ("batch", "row")


def _check(input, p, mode):
    if not 0 <= p <= 1:
        raise ArgumentError(f"stochastic_depth: p={p} is no probability; give a number between 0 and 1")
    if mode not in _MODES:
        raise ArgumentError(f"stochastic_depth: mode={mode!r} is neither 'batch', one draw for all, nor 'row', one for each")
    if mode == "row" and input.ndim == 0:
        raise ShapeError("stochastic_depth: mode 'row' draws once for each row, and a 0-d input has none; use mode 'batch'")


def stochastic_depth(input: Tensor, p: float, mode: str, training: bool = True) -> Tensor:
    """The input (N, *) with whole samples set to 0 with probability p and the others scaled by 1 / (1 - p).

    mode "row" draws for each sample, "batch" once for all.  The input itself comes back when not training or p is 0.  Floating
    dtypes in training.  Raises ArgumentError for other modes and where p is outside [0, 1], DTypeError for integers.
    Source: Huang et al., Deep Networks with Stochastic Depth, 2016.

        >>> from cltensor.vision.ops import stochastic_depth
        >>> stochastic_depth(ct.ones(2, 2), 1.0, "row")
        tensor([[0., 0.],
                [0., 0.]])
    """
    _check(input, p, mode)
    if not training or p == 0:
        return input
    if not (input.is_floating_point() or input.is_complex()):
        raise DTypeError(f"stochastic_depth: a draw is scaled by {1 - p:g}, which {input.dtype} cannot hold; convert the "
                         "input to a floating dtype")
    kept = 1.0 - p
    rows = input.shape[0] if mode == "row" else 1
    drawn = input.new_empty((rows, *(1,) * (input.ndim - 1)) if input.ndim else ()).bernoulli_(kept)
    return input * (drawn / kept if kept else drawn)


class StochasticDepth(nn.Module):
    """stochastic_depth(input, p, mode) in training, the input (N, *) otherwise.

    Floating dtypes.  Raises ArgumentError when called, for an unknown mode or a p outside [0, 1].
    Source: Huang et al., Deep Networks with Stochastic Depth, 2016.

        >>> from cltensor.vision.ops import StochasticDepth
        >>> StochasticDepth(0.2, "row").eval()(ct.ones(2))
        tensor([1., 1.])
    """

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p, self.mode = p, mode

    def forward(self, input: Tensor) -> Tensor:
        return stochastic_depth(input, self.p, self.mode, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode}"
