"""cltensor.quantize: Linear layers with 8-bit weights, for inference on devices with little memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .autograd.modes import no_grad
from .base import dtypes
from .base.dtypes import dtype
from .base.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from .nn.functional import linear as _linear
from .nn.modules.linear import Linear
from .nn.modules.module import Module
from .runtime.device import device
from .tensor.api.creation import empty, zeros
from .tensor.core.tensor import Tensor
from .tensor.math.arithmetic import where
from .tensor.shape.joining import cat

__all__ = ["QuantizedLinear", "dequantize", "per_channel", "weight_only"]

_LARGEST = 127  # symmetric: -128 is not used
_TOGETHER = 1 << 20  # weights made floating at a time; those of a block stay in a processor's caches


def per_channel(weight: Tensor):
    """A floating weight (out, in) as (int8 (out, in), scale (out,) of weight's dtype): each row's largest number becomes 127.

    Numerics: the error of an element is at most half a scale, 1/254 of the largest in its row; rows of zeros have scale 1.
    Raises ShapeError for anything but a matrix, DTypeError unless it is floating, ArgumentError for infinities and NaN.
    Source: symmetric quantization, Jacob et al. 2018.

    Example::

        q, scale = cltensor.quantize.per_channel(cltensor.randn(4, 8))
    """
    if weight.ndim != 2:
        raise ShapeError(f"per_channel: expected a matrix (out, in), got shape {list(weight.shape)}")
    if not weight.dtype.is_floating_point:
        raise DTypeError(f"per_channel: expected a floating dtype, got {weight.dtype.name}")
    with no_grad():
        w = weight.detach().to(dtypes.promote_types(weight.dtype, dtypes.float32))
        if not w.numel():
            return w.to(dtypes.int8), w.new_ones(w.shape[0]).to(weight.dtype)
        largest = w.abs().amax(1)
        if not bool(largest.isfinite().all()):
            raise ArgumentError("per_channel: the weight holds infinities or NaN, which 8 bits cannot")
        scale = where(largest > 0, largest / _LARGEST, 1.0).to(weight.dtype)
        scale = where(scale > 0, scale, 1.0)  # where 16 bits had made it 0
        q = (w / scale.to(w.dtype).unsqueeze(1)).round().clamp(-_LARGEST, _LARGEST)
        return q.to(dtypes.int8), scale


def dequantize(weight: Tensor, scale: Tensor):
    """The floating weight (out, in), of scale's dtype, of an int8 one and its scale (out,).

    Raises DTypeError unless weight is int8, ShapeError for a scale of another length.  Source: Jacob et al. 2018.

    Example::

        cltensor.quantize.dequantize(*cltensor.quantize.per_channel(cltensor.randn(4, 8)))
    """
    if weight.dtype is not dtypes.int8:
        raise DTypeError(f"dequantize: expected an int8 weight, got {weight.dtype.name}")
    if scale.shape != weight.shape[:1]:
        raise ShapeError(f"dequantize: a weight of shape {list(weight.shape)} needs a scale of shape {list(weight.shape[:1])}, got "
                         f"{list(scale.shape)}")
    return weight * scale.unsqueeze(1)


class QuantizedLinear(Module):
    """y = x @ (weight * scale).T + bias, with an int8 weight (out_features, in_features) and a scale (out_features,) a row.

    x: (*, in_features) of scale's floating dtype -> (*, out_features).  The weight is made floating a block of rows at a time, so
    the layer takes a quarter of the memory of a float32 one.  Gradients reach x, not the weight.  weight, scale and bias are
    buffers; a state_dict with a floating weight is quantized as it is loaded.
    Raises ShapeError for sizes that do not fit, DTypeError for an x of another dtype.  Source: Jacob et al. 2018.

    Example::

        layer = cltensor.quantize.QuantizedLinear.of(nn.Linear(64, 10))
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: device | str | int | None = None,
                 dtype: dtype | None = None):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.register_buffer("weight", zeros(out_features, in_features, device=device, dtype=dtypes.int8))
        self.register_buffer("scale", empty(out_features, device=device, dtype=dtype).fill_(1))
        self.register_buffer("bias", zeros(out_features, device=device, dtype=dtype) if bias else None)

    @classmethod
    def of(cls, layer: Linear):
        """The quantized form of a Linear layer."""
        weight = layer.weight
        made = cls(layer.in_features, layer.out_features, layer.bias is not None, weight.device, weight.dtype)
        made.weight, made.scale = per_channel(weight)
        if layer.bias is not None:
            made.bias = layer.bias.detach().clone()
        return made.train(layer.training)

    def _load_from_state_dict(self, state_dict, prefix, *rest):
        weight = state_dict.get(f"{prefix}weight")
        if isinstance(weight, Tensor) and weight.dtype.is_floating_point:
            q, scale = per_channel(weight)
            state_dict = {**state_dict, f"{prefix}weight": q, f"{prefix}scale": scale}
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def forward(self, input: Tensor):
        if input.dtype is not self.scale.dtype:
            raise DTypeError(f"QuantizedLinear: the input is {input.dtype.name}, the scale {self.scale.dtype.name}; convert one of "
                             "them, for instance the layer with .to(dtype)")
        rows = max(1, _TOGETHER // max(self.in_features, 1))
        if rows >= self.out_features:
            return _linear(input, dequantize(self.weight, self.scale), self.bias)
        return cat([self._block(input, at, min(rows, self.out_features - at)) for at in range(0, self.out_features, rows)], -1)

    def _block(self, input, at, n):
        """Some columns of the result."""
        weight = dequantize(self.weight.narrow(0, at, n), self.scale.narrow(0, at, n))
        return _linear(input, weight, None if self.bias is None else self.bias.narrow(0, at, n))

    def extra_repr(self):
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}, weight=int8"


def weight_only(module: Module, *, skip: Sequence[str] | Callable[[str, Linear], Any] = ()):
    """The module, with every Linear in it replaced by a QuantizedLinear, in place; a Linear itself gives a new layer.

    skip: full names of layers to leave as they are, such as ["lm_head"], or a function of (name, layer) that says so.  Subclasses
    of Linear are left as they are.  Weights of floating dtypes keep it for their scale and results; a layer that appears several
    times is replaced by one.
    Raises ArgumentTypeError for anything but a Module, ArgumentError for a name to skip that is no layer's.
    Source: int8 weight-only quantization, as in Dettmers et al. 2022 without its outliers.

    Example::

        cltensor.quantize.weight_only(model.eval(), skip=["lm_head"])
    """
    if not isinstance(module, Module):
        raise ArgumentTypeError(f"weight_only: expected a Module, got {type(module).__name__}")
    layers = {name: m for name, m in module.named_modules(remove_duplicate=False) if type(m) is Linear}
    if not callable(skip):
        unknown = sorted(set(skip) - set(layers))
        if unknown:
            raise ArgumentError(f"weight_only: skip names {unknown[0]!r}, which is no Linear of the module")
        skip = set(skip).__contains__
        chosen = {name: m for name, m in layers.items() if not skip(name)}
    else:
        chosen = {name: m for name, m in layers.items() if not skip(name, m)}
    made = {id(m): QuantizedLinear.of(m) for m in dict.fromkeys(chosen.values())}
    for name, layer in chosen.items():
        if not name:
            return made[id(layer)]
        parent, _, last = name.rpartition(".")
        setattr(module.get_submodule(parent), last, made[id(layer)])
    return module


def __dir__():
    return sorted(__all__)
