"""How linear_cross_entropy splits its rows, under PyTorch's path."""

from ..functional.chunked_cross_entropy import LinearCrossEntropyOptions as LinearCrossEntropyOptions
