"""Convolution of any rank with every argument explicit; conv_tbc is nn.functional's."""

from ...base.errors import ShapeError
from .. import functional as F
from ..functional import conv_tbc


def convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    """conv1d, conv2d or conv3d, chosen by weight's number of dimensions, or their transposes."""
    if weight.ndim not in (3, 4, 5):
        raise ShapeError(f"convolution: expected weight with 3 to 5 dimensions, got {list(weight.shape)}")
    rank = weight.ndim - 2
    if transposed:
        return getattr(F, f"conv_transpose{rank}d")(input, weight, bias, stride, padding, output_padding, groups, dilation)
    return getattr(F, f"conv{rank}d")(input, weight, bias, stride, padding, dilation, groups)


__all__ = ["conv_tbc", "convolution"]
