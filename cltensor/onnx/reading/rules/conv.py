"""Convolutions."""

from ....nn import functional as F
from ....vision.ops import deform_conv2d
from ..operators import operator
from ..public import ct
from ..windows import Windows

_CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


@operator("Conv")
def conv(x, w, b=None, *, auto_pad="NOTSET", dilations=None, group=1, kernel_shape=None, pads=None, strides=None):
    n = x.ndim - 2
    windows = Windows(x.shape[2:], w.shape[2:], auto_pad, dilations, pads, strides)
    x, pads = windows.padded(x, 0)
    return _CONV[n](x, w, b, windows.strides, pads, windows.dilations, group)


@operator("ConvTranspose")
def conv_transpose(x, w, b=None, *, auto_pad="NOTSET", dilations=None, group=1, kernel_shape=None, output_padding=None,
                   output_shape=None, pads=None, strides=None):
    n = x.ndim - 2
    kernel, sizes = w.shape[2:], x.shape[2:]
    strides, dilations, more = strides or (1,) * n, dilations or (1,) * n, output_padding or (0,) * n
    pads = list(pads or (0,) * (2 * n))
    full = [s * (size - 1) + o + (k - 1) * d + 1 for size, s, k, d, o in zip(sizes, strides, kernel, dilations, more, strict=True)]
    if output_shape is None and auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        output_shape = [size * s for size, s in zip(sizes, strides, strict=True)]
    if output_shape is not None:
        for i, (whole, wanted) in enumerate(zip(full, output_shape[-n:], strict=True)):
            total = whole - wanted
            pads[i] = total // 2 if auto_pad == "SAME_UPPER" else total - total // 2
            pads[i + n] = total - pads[i]
    elif auto_pad == "VALID":
        pads = [0] * (2 * n)
    found = _TRANSPOSED[n](x, w, None, strides, 0, 0, group, dilations)
    for i, whole in enumerate(full):
        if whole > found.shape[i + 2]:
            found = F.pad(found, [0, 0] * (n - 1 - i) + [0, whole - found.shape[i + 2]])
        size = whole - pads[i] - pads[i + n]
        if pads[i] < 0 or pads[i + n] < 0:
            found = F.pad(found, [0, 0] * (n - 1 - i) + [max(-pads[i], 0), max(-pads[i + n], 0)])
        found = found.narrow(i + 2, max(pads[i], 0), size)
    return found if b is None else found + b.reshape([-1] + [1] * n)


@operator("DeformConv", since=19)
def deformable_conv(x, w, offset, b=None, mask=None, *, dilations=(1, 1), group=1, kernel_shape=None, offset_group=1,
                    pads=(0, 0, 0, 0), strides=(1, 1)):
    if tuple(pads[:2]) != tuple(pads[2:]):
        x = F.pad(x, (pads[1], pads[3], pads[0], pads[2]))
        pads = (0, 0, 0, 0)
    return deform_conv2d(x, offset, w, b, tuple(strides), tuple(pads[:2]), tuple(dilations), mask)


@operator("CausalConvWithState", since=27)
def causal_conv_with_state(input, weight, bias=None, past_state=None, *, activation="none"):
    kernel, channels = weight.shape[-1], input.shape[1]
    if past_state is None:
        past_state = ct.zeros(input.shape[0], channels, kernel - 1, dtype=input.dtype, device=input.device)
    whole = ct.cat([past_state, input], -1)
    found = F.conv1d(whole, weight, bias, groups=channels)
    if activation in ("silu", "swish"):
        found = F.silu(found)
    return found, whole.narrow(-1, whole.shape[-1] - (kernel - 1), kernel - 1)
