"""Channels rounded to multiples, and layers' results by name."""

from __future__ import annotations

from collections import OrderedDict

from ... import nn
from ...base.errors import ArgumentError
from ...tensor.core.tensor import Tensor


def _make_divisible(v: float, divisor: int, min_value: int | None = None) -> int:
    """v rounded to a multiple of divisor, at least min_value (divisor by default) and at least 0.9 v."""
    rounded = max(divisor if min_value is None else min_value, int(v + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * v else rounded


class IntermediateLayerGetter(nn.ModuleDict):
    """The direct children of a model up to the last one wanted; a call returns {new name: result} in their order.

    return_layers: {name of a child: new name}.  The children run one after the other in the order of their registration, so
    this fits models whose forward does the same, each used once.  Shapes and dtypes are the children's.  Raises ArgumentError
    for a name that is no child.  Source: the interface of torchvision 0.3.

        >>> from cltensor.vision.models import resnet18
        >>> from cltensor.vision.models._utils import IntermediateLayerGetter
        >>> with ct.device("meta"):
        ...     found = IntermediateLayerGetter(resnet18(), {"layer1": "a", "layer3": "b"})(ct.empty(1, 3, 64, 64))
        >>> {name: tuple(value.shape) for name, value in found.items()}
        {'a': (1, 64, 16, 16), 'b': (1, 256, 4, 4)}
    """

    _version = 2

    def __init__(self, model: nn.Module, return_layers: dict[str, str]) -> None:
        children = list(model.named_children())
        names = [name for name, _ in children]
        missing = [name for name in return_layers if name not in names]
        if missing:
            raise ArgumentError(f"IntermediateLayerGetter: return_layers names {', '.join(missing)}, but the children of "
                                f"{type(model).__name__} are {', '.join(names)}")
        last = max((names.index(name) for name in return_layers), default=-1)
        super().__init__(OrderedDict(children[: last + 1]))
        self.return_layers = {str(name): str(new) for name, new in return_layers.items()}

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        found = OrderedDict()
        for name, module in self.items():
            x = module(x)
            if name in self.return_layers:
                found[self.return_layers[name]] = x
        return found
