"""Sampling of planes with numbers for modes."""

from ...base.errors import ArgumentError, ShapeError
from .. import functional as F
from ..functional import affine_grid as affine_grid_generator
from ..functional import native_channel_shuffle

_MODES, _PADDINGS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")


def _named(numbers, number, what):
    if number not in range(len(numbers)):
        raise ArgumentError(f"grid_sampler: {what} must be one of "
                            f"{', '.join(f'{i} ({name})' for i, name in enumerate(numbers))}, got {number!r}")
    return numbers[number]


def grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners):
    """nn.functional.grid_sample; modes 0 bilinear, 1 nearest, 2 bicubic; padding 0 zeros, 1 border, 2 reflection."""
    return F.grid_sample(input, grid, _named(_MODES, interpolation_mode, "interpolation_mode"),
                         _named(_PADDINGS, padding_mode, "padding_mode"), bool(align_corners))


def grid_sampler_2d(input, grid, interpolation_mode, padding_mode, align_corners):
    """grid_sampler, for input (N, C, H, W) only."""
    return _of_rank(4, input, grid, interpolation_mode, padding_mode, align_corners)


def grid_sampler_3d(input, grid, interpolation_mode, padding_mode, align_corners):
    """grid_sampler, for input (N, C, D, H, W) only."""
    return _of_rank(5, input, grid, interpolation_mode, padding_mode, align_corners)


def _of_rank(rank, input, grid, *settings):
    if input.ndim != rank:
        raise ShapeError(f"grid_sampler_{rank - 2}d: expected {rank}D input, got {list(input.shape)}")
    return grid_sampler(input, grid, *settings)


__all__ = ["affine_grid_generator", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "native_channel_shuffle"]
