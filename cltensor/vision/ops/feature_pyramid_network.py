"""Feature pyramids: maps of several sizes, each joined with what the coarser ones hold."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from ... import nn
from ...base.errors import ArgumentError, AssertedError
from ...nn import functional as F
from ...nn import init
from ...tensor.core.tensor import Tensor
from .misc import Conv2dNormActivation


class ExtraFPNBlock(nn.Module):
    """What adds coarser levels to a pyramid: a layer of (results, inputs, names) that gives (results, names).

    results and inputs are lists of tensors (N, C, H, W), finest first, of a floating dtype.  Raises MissingError when called;
    derive from it.  Source: Lin et al., Feature Pyramid Networks, 2017.

        >>> from cltensor.vision.ops.feature_pyramid_network import ExtraFPNBlock, LastLevelMaxPool
        >>> issubclass(LastLevelMaxPool, ExtraFPNBlock)
        True
    """


class LastLevelMaxPool(ExtraFPNBlock):
    """One more level, named "pool": every second element of the coarsest result (N, C, H, W), of any dtype.

    Never raises.  Source: Lin et al., Feature Pyramid Networks, 2017.

        >>> from cltensor.vision.ops.feature_pyramid_network import LastLevelMaxPool
        >>> LastLevelMaxPool()([ct.ones(1, 2, 4, 4)], [], ["0"])[1]
        ['0', 'pool']
    """

    def forward(self, x: list[Tensor], y: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        return [*x, F.max_pool2d(x[-1], 1, 2, 0)], [*names, "pool"]


class LastLevelP6P7(ExtraFPNBlock):
    """Two more levels, "p6" and "p7", by convolutions of stride 2: of the coarsest result if in_channels is out_channels, else of
    the coarsest input (N, in_channels, H, W).

    Floating dtypes.  Raises ShapeError where the channels differ.  Source: Lin et al., Focal Loss for Dense Object Detection, 2017.

        >>> from cltensor.vision.ops.feature_pyramid_network import LastLevelP6P7
        >>> [tuple(x.shape) for x in LastLevelP6P7(2, 2)([ct.ones(1, 2, 4, 4)], [], ["0"])[0]]
        [(1, 2, 4, 4), (1, 2, 2, 2), (1, 2, 1, 1)]
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.p6 = nn.Conv2d(in_channels, out_channels, 3, 2, 1)
        self.p7 = nn.Conv2d(out_channels, out_channels, 3, 2, 1)
        for layer in (self.p6, self.p7):
            init.kaiming_uniform_(layer.weight, a=1)
            init.zeros_(layer.bias)
        self.use_P5 = in_channels == out_channels

    def forward(self, p: list[Tensor], c: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        p6 = self.p6(p[-1] if self.use_P5 else c[-1])
        return [*p, p6, self.p7(F.relu(p6))], [*names, "p6", "p7"]


class FeaturePyramidNetwork(nn.Module):
    """Maps of falling size, each brought to out_channels and added to the enlarged next coarser one: a dict of tensors, by name.

    The input is a dict, finest first, of tensors (N, in_channels_list[i], H, W); results have the same sizes.  extra_blocks adds
    levels, norm_layer follows each convolution.  Floating dtypes.  Raises ArgumentError for a number of channels that is 0,
    AssertedError for extra_blocks of another class.  Source: Lin et al., Feature Pyramid Networks, 2017.

        >>> from cltensor.vision.ops import FeaturePyramidNetwork
        >>> found = FeaturePyramidNetwork([2, 3], 4)({"a": ct.ones(1, 2, 4, 4), "b": ct.ones(1, 3, 2, 2)})
        >>> {name: tuple(x.shape) for name, x in found.items()}
        {'a': (1, 4, 4, 4), 'b': (1, 4, 2, 2)}
    """

    def __init__(self, in_channels_list: list[int], out_channels: int, extra_blocks: ExtraFPNBlock | None = None,
                 norm_layer: Callable[..., nn.Module] | None = None):
        super().__init__()
        self.inner_blocks, self.layer_blocks = nn.ModuleList(), nn.ModuleList()
        for channels in in_channels_list:
            if channels == 0:
                raise ArgumentError("FeaturePyramidNetwork: in_channels=0 is currently not supported; leave that map out")
            how = {"norm_layer": norm_layer, "activation_layer": None}
            self.inner_blocks.append(Conv2dNormActivation(channels, out_channels, 1, padding=0, **how))
            self.layer_blocks.append(Conv2dNormActivation(out_channels, out_channels, 3, **how))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                init.kaiming_uniform_(layer.weight, a=1)
                if layer.bias is not None:
                    init.zeros_(layer.bias)
        if extra_blocks is not None and not isinstance(extra_blocks, ExtraFPNBlock):
            raise AssertedError(f"FeaturePyramidNetwork: extra_blocks is a {type(extra_blocks).__name__}; derive it from "
                                "ExtraFPNBlock")
        self.extra_blocks = extra_blocks

    def _load_from_state_dict(self, state_dict, prefix, *rest):
        """Also load names from when each block was a convolution alone."""
        for kind in ("inner_blocks", "layer_blocks"):
            for i in range(len(self.inner_blocks)):
                for name in ("weight", "bias"):
                    old = f"{prefix}{kind}.{i}.{name}"
                    if old in state_dict:
                        state_dict[f"{prefix}{kind}.{i}.0.{name}"] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def get_result_from_inner_blocks(self, x: Tensor, idx: int) -> Tensor:
        """x (N, C, H, W) through the inner block idx, which may be negative."""
        return self.inner_blocks[idx](x)

    def get_result_from_layer_blocks(self, x: Tensor, idx: int) -> Tensor:
        """x (N, out_channels, H, W) through the layer block idx, which may be negative."""
        return self.layer_blocks[idx](x)

    def forward(self, x: dict[str, Tensor]) -> dict[str, Tensor]:
        names, inputs = list(x), list(x.values())
        last, results = None, []
        for idx in reversed(range(len(inputs))):
            inner = self.get_result_from_inner_blocks(inputs[idx], idx)
            last = inner if last is None else inner + F.interpolate(last, size=tuple(inner.shape[-2:]), mode="nearest")
            results.insert(0, self.get_result_from_layer_blocks(last, idx))
        if self.extra_blocks is not None:
            results, names = self.extra_blocks(results, inputs, names)
        return OrderedDict(zip(names, results, strict=True))
