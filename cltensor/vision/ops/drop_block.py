"""DropBlock: drop blocks of neighbouring elements of feature maps during training."""

from __future__ import annotations

import math

from ... import nn
from ...base.errors import ArgumentError, MismatchError
from ...nn import functional as F
from ...tensor.core.tensor import Tensor


def _dropped(op, input, p, block_size, inplace, eps, training, dims):
    if not 0.0 <= p <= 1.0:
        raise ArgumentError(f"{op}: drop probability p={p} has to be between 0 and 1")
    if input.ndim != dims + 2:
        raise MismatchError(f"{op}: input should be {dims + 2} dimensional, (N, C, {'D, ' if dims == 3 else ''}H, W); got "
                            f"{tuple(input.shape)}")
    if not training or p == 0.0:
        return input
    size = tuple(input.shape[2:])
    block = min(block_size, *size)
    if block % 2 == 0:
        raise ArgumentError(f"{op}: block size should be odd, so that a block has a middle; got {block_size}, which for {size} "
                            f"makes {block}")
    inner = [n - block + 1 for n in size]
    middle = p * math.prod(size) / (block**dims * math.prod(inner))
    marks = input.detach().new_empty((*input.shape[:2], *inner)).bernoulli_(min(middle, 1.0))
    marks = F.pad(marks, [block // 2] * (2 * dims), value=0.0)
    pool = F.max_pool2d if dims == 2 else F.max_pool3d
    kept = 1 - pool(marks, block, 1, block // 2)
    scale = kept.numel() / (eps + kept.sum())
    return input.mul_(kept).mul_(scale) if inplace else input * kept * scale


def drop_block2d(input: Tensor, p: float, block_size: int, inplace: bool = False, eps: float = 1e-6,
                 training: bool = True) -> Tensor:
    """Set blocks of block_size x block_size elements of input (N, C, H, W) to 0, so that about p of all are; scale the others.

    The scale keeps the mean; eps keeps it finite.  Nothing happens unless training.  Floating dtypes.  Raises ArgumentError for
    another p and an even block, MismatchError for other dimensions.  Source: Ghiasi et al., DropBlock, 2018.

        >>> from cltensor.vision.ops import drop_block2d
        >>> drop_block2d(ct.ones(1, 1, 4, 4), 0.1, 3).shape
        cltensor.Size([1, 1, 4, 4])
    """
    return _dropped("drop_block2d", input, p, block_size, inplace, eps, training, 2)


def drop_block3d(input: Tensor, p: float, block_size: int, inplace: bool = False, eps: float = 1e-6,
                 training: bool = True) -> Tensor:
    """drop_block2d with cubes, of input (N, C, D, H, W).

    Floating dtypes.  Raises ArgumentError for another p and an even block, MismatchError for other dimensions.
    Source: Ghiasi et al., DropBlock, 2018.

        >>> from cltensor.vision.ops import drop_block3d
        >>> drop_block3d(ct.ones(1, 1, 4, 4, 4), 0.1, 3).shape
        cltensor.Size([1, 1, 4, 4, 4])
    """
    return _dropped("drop_block3d", input, p, block_size, inplace, eps, training, 3)


class DropBlock2d(nn.Module):
    """drop_block2d as a layer: (N, C, H, W) -> the same; the input itself in evaluation.  Floating dtypes.

    Raises what drop_block2d raises, when called.  Source: Ghiasi et al., DropBlock, 2018.

        >>> from cltensor.vision.ops import DropBlock2d
        >>> DropBlock2d(0.1, 3).eval()(ct.ones(1, 1, 2, 2)).sum()
        tensor(4.)
    """

    def __init__(self, p: float, block_size: int, inplace: bool = False, eps: float = 1e-6) -> None:
        super().__init__()
        self.p, self.block_size, self.inplace, self.eps = p, block_size, inplace, eps

    def forward(self, input: Tensor) -> Tensor:
        return drop_block2d(input, self.p, self.block_size, self.inplace, self.eps, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, block_size={self.block_size}, inplace={self.inplace}"


class DropBlock3d(DropBlock2d):
    """drop_block3d as a layer: (N, C, D, H, W) -> the same; the input itself in evaluation.  Floating dtypes.

    Raises what drop_block3d raises, when called.  Source: Ghiasi et al., DropBlock, 2018.

        >>> from cltensor.vision.ops import DropBlock3d
        >>> DropBlock3d(0.1, 3).eval()(ct.ones(1, 1, 2, 2, 2)).sum()
        tensor(8.)
    """

    def forward(self, input: Tensor) -> Tensor:
        return drop_block3d(input, self.p, self.block_size, self.inplace, self.eps, self.training)
